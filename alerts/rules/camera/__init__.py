"""Blind-spot cameras and right turns: who watched, whom it saw, which camera is too quiet."""

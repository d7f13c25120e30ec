"""Settling: ended and late stretches judged again from the complete record."""

"""Recorded drives from files: read, played, measured, imported."""

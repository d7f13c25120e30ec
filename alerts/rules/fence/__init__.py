"""Fences: stays, entries, leaving, crossings."""

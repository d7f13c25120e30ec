"""Rules: pure functions over arrays."""

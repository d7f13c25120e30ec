"""What it amounts to. Reads settled rows, never judges."""

"""Fences as the rules ask of them: versions, passes, and an index that says who is in which."""

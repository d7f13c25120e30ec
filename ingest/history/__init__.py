"""What comes in aside of the hot path: old drives, and what was refused before."""

"""What every verdict rests on: baselines and policies, approved, kept as they were, and in force from when."""

"""What every verdict rests on: baselines and policies, approved, kept as they were, in force since when."""

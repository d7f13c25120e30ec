"""What is dangerous, and what becomes of it. Owns every judged row."""

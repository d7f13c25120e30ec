"""The judged rows in the database, and what was observed read back."""

"""Rulebook documents: read, checked against what the rules ask, kept in the database."""

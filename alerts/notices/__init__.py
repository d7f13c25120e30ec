"""Notices that leave Kerbsafe: why one is due, and what became of it."""

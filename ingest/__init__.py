"""Bytes to columns to one committed transaction to acknowledgement."""

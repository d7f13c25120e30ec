"""The work of `kerbsafe replay` and `score`: judged again, and compared."""

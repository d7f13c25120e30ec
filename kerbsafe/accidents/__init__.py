"""The work of `kerbsafe accidents`."""

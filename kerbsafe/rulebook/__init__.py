"""The work of `kerbsafe rules`."""

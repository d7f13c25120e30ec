"""The work of `kerbsafe archive` and `hold`."""

"""The work of `kerbsafe report`, `baseline` and `policy`."""

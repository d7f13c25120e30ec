"""The work of `kerbsafe registry` and `fences`."""

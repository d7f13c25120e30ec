"""The work of `kerbsafe jt808`."""

"""The work of `kerbsafe days` and `facts`: days closed, months told."""

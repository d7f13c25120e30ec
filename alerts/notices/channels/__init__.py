"""Ways out of Kerbsafe for a notice."""

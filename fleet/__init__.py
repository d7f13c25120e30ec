"""The kernel: the words everything else speaks. Imports nothing else of Kerbsafe."""

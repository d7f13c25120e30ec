"""The demo: a small city on embedded parts."""

"""Trucks whose unit is a terminal of JT/T 808.

`reports` says what such a terminal makes of what was measured, `terminal` is one without a socket, and
`fleet` drives many over TCP.
"""

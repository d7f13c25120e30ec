"""The gateway: terminals of JT/T 808 over TCP in, messages of wire v1 to the broker out.

What a terminal says becomes what an MQTT unit would have published for the same truck, so that the hot path
stays one. `observations` translates, `clocks` finds terminals whose clock is wrong by a time zone, `pace`
bounds a connection and `publications` is a publishing MQTT connection, all without I/O; `connection`,
`publisher` and `terminals` are their shells, `desk` decides between them, and `process` runs it.
"""

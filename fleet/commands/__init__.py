"""What is ordered of units and terminals: which orders there are, and where they and their answers are kept.

`orders` says what may be ordered, without I/O; `store` queues it and tells what became of it. Who brings an
order to the vehicle is `ingest.commands` (to the broker) and `ingest.gateway` (to a terminal of JT/T 808).
"""

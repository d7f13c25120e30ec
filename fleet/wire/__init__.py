"""Wire formats: bytes of devices to columns, and back. Pure: nothing here reads a socket or a clock.

`topics` says who sent what kind of thing, `reasons` why something was not taken, `batch` what decoding
gives. `v1` is Kerbsafe's own JSON over MQTT (`docs/device-protocol.md`).
"""

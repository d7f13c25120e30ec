"""Wire v1: Kerbsafe's own JSON payloads. What they may hold is told in `docs/device-protocol.md`."""

from fleet.wire.batch import Ack, Decoded, Directory, Message, Published, Rejected
from fleet.wire.v1.decoding import Decoder, decode
from fleet.wire.v1.encoding import (
    encode_ack,
    encode_arrays,
    encode_camera,
    encode_fix,
    encode_fixes,
    encode_health,
)
from fleet.wire.v1.payloads import MAX_ELEMENTS, MAX_PAYLOAD_BYTES

__all__ = [
    "MAX_ELEMENTS",
    "MAX_PAYLOAD_BYTES",
    "Ack",
    "Decoded",
    "Decoder",
    "Directory",
    "Message",
    "Published",
    "Rejected",
    "decode",
    "encode_ack",
    "encode_arrays",
    "encode_camera",
    "encode_fix",
    "encode_fixes",
    "encode_health",
]

"""JT/T 808, the protocol of China's vehicle terminals, with its active-safety extensions. No I/O.

`Cutter` cuts a stream into frames, `decode` reads one, `columns.read_reports` many location reports at once;
`Sender` builds what goes to a terminal, and `Session` says what a platform must do with a connection.
`models` are the tables of regions and device models.
"""

from fleet.wire.jt808.assembly import Assembler, Bounds
from fleet.wire.jt808.codec import Decoded, Sender, decode, decode_whole, no_frame
from fleet.wire.jt808.document import to_document
from fleet.wire.jt808.faults import Code, Fault, Jt808Error
from fleet.wire.jt808.framing import Cutter, Frame
from fleet.wire.jt808.header import Header
from fleet.wire.jt808.messages import MESSAGES
from fleet.wire.jt808.position import Position
from fleet.wire.jt808.session import Policy, Session

__all__ = [
    "MESSAGES",
    "Assembler",
    "Bounds",
    "Code",
    "Cutter",
    "Decoded",
    "Fault",
    "Frame",
    "Header",
    "Jt808Error",
    "Policy",
    "Position",
    "Sender",
    "Session",
    "decode",
    "decode_whole",
    "no_frame",
    "to_document",
]

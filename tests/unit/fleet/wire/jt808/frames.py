"""Frames of the standard's tables, written by hand; the telephone is 13912345678."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.wire.jt808 import Cutter, Decoded, Frame, Sender, decode, to_document

if TYPE_CHECKING:
    from fleet.wire.jt808.models import Model

OLD_PHONE, NEW_PHONE = bytes.fromhex("013912345678"), bytes.fromhex("00000000013912345678")
HEARTBEAT = "7e00020000013912345678004c7d027e"
#: ACC on, located; 31.234567 N 121.456789 E, 12 m, 25.3 km/h, 88 deg, 2026-03-15 10:15:30 in China;
#: 12345.6 km, 25.1 km/h of the recorder, right lamp, signal 28, 14 satellites; a right-rear approach begins.
RIGHT_REAR = (
    "7e0200005d013912345678000100000000004c000301dc9a07073d4895000c00fd00582603151015300104"
    "0001e240030200fb25040000000430011c31010e672900000007010312000c01dc9a07073d489526031510153004054131"
    "4232433344260315101530000200857e"
)
#: The fixed part of a report, and one item.
BASE = "00000000004c000301dc9a07073d4895000c00fd0058260315101530"
ODOMETER = "01040001e240"


def cut(*pieces: str | bytes) -> list[Frame]:
    """Return the frames of a stream that comes in pieces, and ends."""
    cutter = Cutter()
    fed = [
        frame
        for piece in pieces
        for frame in cutter.feed(bytes.fromhex(piece) if isinstance(piece, str) else piece)
    ]
    return fed + cutter.finish()


def read(*pieces: str | bytes, model: Model | None = None) -> Decoded:
    """Return what the only frame says."""
    (frame,) = cut(*pieces)
    return decode(frame, model)


def document(*pieces: str | bytes, model: Model | None = None) -> dict[str, Any]:
    """Return the only frame as JSON has it."""
    return to_document(read(*pieces, model=model))


def wire(message_id: int, body: str, version: int = 2013) -> bytes:
    """Return the frame of a body in hexadecimal digits."""
    sender = Sender(version, NEW_PHONE if version == 2019 else OLD_PHONE)
    (frame,) = sender.build_raw(message_id, bytes.fromhex(body))
    return frame


def report(items: str = "", base: str = BASE, version: int = 2013) -> dict[str, Any]:
    """Return a location report with these items as JSON has it."""
    return document(wire(0x0200, base + items, version))


def errors(said: dict[str, Any]) -> list[str]:
    """Return the codes of what is wrong."""
    return [error.split(":")[0] for error in said["errors"]]

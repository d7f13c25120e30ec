"""The table of messages: what can be read and built, and how a body is read and built by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.areas import AREAS
from fleet.wire.jt808.downlink import DOWNLINK
from fleet.wire.jt808.faults import Code, Jt808Error
from fleet.wire.jt808.header import V2013
from fleet.wire.jt808.layout import Reader, read_parts, write_parts
from fleet.wire.jt808.recordings import RECORDINGS
from fleet.wire.jt808.uplink import UPLINK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.faults import Fault
    from fleet.wire.jt808.layout import Layout, Values
    from fleet.wire.jt808.models import Model
    from fleet.wire.jt808.table import Layouts, Message

MESSAGES: Mapping[int, Message] = {
    one.id: one for one in sorted((*UPLINK, *DOWNLINK, *AREAS, *RECORDINGS), key=lambda message: message.id)
}
#: Name in a body of a message that no table knows, and of what is left after one that a table knows.
UNDECODED, TRAILING = "undecoded_hex", "trailing_hex"


def read_body(
    message_id: int, version: int, body: bytes, model: Model | None = None
) -> tuple[Values, list[Fault]]:
    """Return what a body says, and what is wrong with it; one that no table knows is kept raw."""
    known = MESSAGES.get(message_id)
    if known is None:
        return ({UNDECODED: body.hex()} if body else {}), []
    _, values, reader = _choose(known.layouts[version], body, model)
    if reader.left:
        values[TRAILING] = reader.rest().hex()
    return values, reader.faults


def _choose(layouts: Layouts, body: bytes, model: Model | None = None) -> tuple[Layout, Values, Reader]:
    """Return the first layout that fits the whole body, with what it read.

    If none does: the first for which there were enough bytes, else the first of all.
    """
    tried = []
    for layout in layouts:
        reader = Reader(body, model=model)
        one = (layout, read_parts(layout, reader), reader)
        if not reader.faults and not reader.left:
            return one
        tried.append(one)
    return next((one for one in tried if all(fault.code != Code.BODY for fault in one[2].faults)), tried[0])


def build_body(message_id: int, values: Mapping[str, Any], version: int = V2013) -> bytes:
    """Return the bytes of a body.

    Where a message has several layouts, the first is taken in which a terminal will read what is meant.

    Raises
    ------
    Jt808Error
        No table knows the message, or a field is missing or cannot be written.
    """
    if message_id not in MESSAGES:
        raise Jt808Error(f"no message 0x{message_id:04x} in the table")
    known, failed = MESSAGES[message_id], None
    for layout in known.layouts[version]:
        try:
            body = write_parts(layout, values)
        except Jt808Error as error:
            failed = failed or error
            continue
        if len(known.layouts[version]) == 1 or _choose(known.layouts[version], body)[0] is layout:
            return body
    what = f"0x{message_id:04x} ({known.name}) of {version}"
    raise Jt808Error(f"{what}: {failed or 'it would be read as something else'}")

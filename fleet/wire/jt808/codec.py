"""Frames to messages, and messages to frames."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.faults import FATAL, Code, Fault, Jt808Error
from fleet.wire.jt808.framing import Frame, wrap
from fleet.wire.jt808.header import (
    MAX_BODY_BYTES,
    PHONE_BYTES,
    V2011,
    V2013,
    V2019,
    Fragment,
    Header,
    build_header,
    read_header,
)
from fleet.wire.jt808.messages import build_body, read_body
from fleet.wire.jt808.reports import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.assembly import Whole
    from fleet.wire.jt808.models import Model
    from fleet.wire.jt808.position import Position

_REGISTRATION = 0x0100


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a frame says, as far as it could be read, and what is wrong with it."""

    frame: Frame
    header: Header | None
    #: The header's; 2011 where the layout of a registration gave it away.
    version: int | None
    #: The bytes of the body.
    payload: bytes
    #: What the body says, location reports aside.
    body: Mapping[str, Any]
    positions: tuple[Position, ...]
    faults: tuple[Fault, ...]
    #: Headers of the fragments that it came in and that are not acknowledged yet; none: it came in one frame.
    fragments: tuple[Header, ...] = ()

    @property
    def intact(self) -> bool:
        """Tell whether the frame may be acted upon: its framing, header and length are right."""
        return self.header is not None and not any(fault.code in FATAL for fault in self.faults)


def decode(frame: Frame, model: Model | None = None, *, edition: int | None = None) -> Decoded:
    """Return what a frame says.

    A fragment says only which one it is; see `decode_whole`. `edition` is 2011 for a terminal that
    registered so, which headers do not tell from 2013.
    """
    header, payload, faults = read_header(frame.content)
    faults = [*frame.faults, *faults]
    if header is None or header.fragment or header.encryption:
        body: dict[str, Any] = {}
        if header is not None and header.encryption:
            body = {"encrypted_hex": payload.hex()}
        elif header is not None and header.fragment:
            body = {"fragment": asdict(header.fragment) | {"bytes": len(payload)}}
        version = None if header is None else header.version
        return Decoded(frame, header, version, payload, body, (), tuple(faults))
    return _with_body(frame, header, payload, faults, model, edition)


def decode_whole(
    frame: Frame, whole: Whole, model: Model | None = None, *, edition: int | None = None
) -> Decoded:
    """Return what the fragments say together of which `frame` was the last to arrive."""
    message = _with_body(frame, whole.header, whole.body, list(frame.faults), model, edition)
    return replace(message, fragments=whole.owed)


def _with_body(
    frame: Frame,
    header: Header,
    payload: bytes,
    faults: list[Fault],
    model: Model | None,
    edition: int | None,
) -> Decoded:
    version = V2011 if edition == V2011 and header.version == V2013 else header.version
    body, found = read_body(header.message_id, version, payload, model)
    if header.message_id == _REGISTRATION and header.version == V2013 and body.get("layout") == V2011:
        version = V2011
    positions = tuple(body.pop(POSITIONS, ()))
    return Decoded(frame, header, version, payload, body, positions, tuple(faults + found))


def no_frame(outside_bytes: int) -> Decoded:
    """Return the answer for a stream without any frame."""
    fault = Fault(Code.NO_FRAME, f"{outside_bytes} bytes, and no frame between two 7e")
    return Decoded(Frame(b"", b"", None, (fault,)), None, None, b"", {}, (), (fault,))


@dataclass(slots=True)
class Sender:
    """Builds frames to one terminal: in its edition, with its telephone as it wrote it, serials in a row."""

    version: int
    phone_bcd: bytes
    protocol_version: int = 1
    serial: int = 0

    def build(self, message_id: int, values: Mapping[str, Any]) -> list[bytes]:
        """Return the frames of a message: several if its body is too long for one."""
        return self.build_raw(message_id, build_body(message_id, values, self.version))

    def build_raw(self, message_id: int, body: bytes) -> list[bytes]:
        """Return the frames of a message whose body is built already."""
        if len(self.phone_bcd) != PHONE_BYTES[self.version]:
            raise Jt808Error(f"a telephone of {self.version} has {PHONE_BYTES[self.version]} bytes")
        pieces = [body[at : at + MAX_BODY_BYTES] for at in range(0, len(body), MAX_BODY_BYTES)] or [b""]
        frames = []
        for index, piece in enumerate(pieces, 1):
            fragment = Fragment(len(pieces), index) if len(pieces) > 1 else None
            header = Header(
                message_id=message_id,
                version=V2019 if self.version == V2019 else V2013,
                phone_bcd=self.phone_bcd,
                serial=self.serial,
                fragment=fragment,
                protocol_version=self.protocol_version,
            )
            frames.append(wrap(build_header(header, len(piece)) + piece))
            self.serial = (self.serial + 1) & 0xFFFF
        return frames

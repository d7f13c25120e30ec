"""The header of a message: 12 bytes in the editions of 2011 and 2013, 17 in that of 2019."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fleet.wire.jt808.faults import Code, Fault

MAX_BODY_BYTES = 1023
#: The editions of the standard. Those of 2011 and 2013 have the same header.
V2011, V2013, V2019 = 2011, 2013, 2019
VERSIONS = (V2011, V2013, V2019)
#: Bytes of the telephone number.
PHONE_BYTES = {V2011: 6, V2013: 6, V2019: 10}

_LENGTH_BITS, _ENCRYPTION_BITS, _FRAGMENT_BIT, _VERSION_BIT = 0x3FF, 0x7, 1 << 13, 1 << 14
_ENCRYPTION_SHIFT = 10


@dataclass(frozen=True, slots=True)
class Fragment:
    """Which part of a message a frame holds; `index` counts from 1."""

    total: int
    index: int


class Header(NamedTuple):
    """What stands before the body."""

    message_id: int
    #: 2013 stands for 2011 too: the header does not tell.
    version: int
    #: As sent. Answers carry the same bytes.
    phone_bcd: bytes
    serial: int
    fragment: Fragment | None = None
    #: 0: the body is not encrypted. 1: RSA. The rest is reserved.
    encryption: int = 0
    #: Of the 2019 edition, from 1.
    protocol_version: int = 1

    @property
    def phone(self) -> str:
        """Return the number without leading zeros: who the terminal is."""
        return self.phone_bcd.hex().lstrip("0") or "0"


def read_header(content: bytes) -> tuple[Header | None, bytes, list[Fault]]:
    """Return the header, the body and what is wrong; no header if there are too few bytes for one.

    The version bit says which layout it is, unless only the other one has the declared length.
    """
    if len(content) < 4:  # noqa: PLR2004 - message id and properties
        return None, b"", [Fault(Code.HEADER, f"{len(content)} bytes are no header")]
    properties = int.from_bytes(content[2:4], "big")
    length, fragmented = properties & _LENGTH_BITS, bool(properties & _FRAGMENT_BIT)
    said = V2019 if properties & _VERSION_BIT else V2013
    version, faults = _layout(said, len(content) - length - (4 if fragmented else 0))
    size = 17 if version == V2019 else 12
    if len(content) < size + (4 if fragmented else 0):
        return None, b"", [Fault(Code.HEADER, f"need {size} bytes, have {len(content)}")]
    fragment = _fragment(content[size : size + 4]) if fragmented else None
    body = content[size + (4 if fragmented else 0) :]
    header = Header(
        message_id=int.from_bytes(content[:2], "big"),
        version=version,
        phone_bcd=content[5:15] if version == V2019 else content[4:10],
        serial=int.from_bytes(content[size - 2 : size], "big"),
        fragment=fragment,
        encryption=properties >> _ENCRYPTION_SHIFT & _ENCRYPTION_BITS,
        protocol_version=content[4] if version == V2019 else 1,
    )
    return header, body, faults + _faults(header, length, len(body))


def _layout(said: int, header_bytes: int) -> tuple[int, list[Fault]]:
    other = V2013 if said == V2019 else V2019
    fits = {12: V2013, 17: V2019}.get(header_bytes, said)
    if fits == said:
        return said, []
    return other, [Fault(Code.VERSION_BIT, f"the bit says {said}, the length {other}")]


def _fragment(fields: bytes) -> Fragment:
    return Fragment(int.from_bytes(fields[:2], "big"), int.from_bytes(fields[2:], "big"))


def _faults(header: Header, declared: int, actual: int) -> list[Fault]:
    faults = []
    if declared != actual:
        faults.append(Fault(Code.BODY_LENGTH, f"header {declared}, actual {actual}"))
    digits = header.phone_bcd.hex()
    if not digits.isdecimal():
        faults.append(Fault(Code.PHONE, f"{digits} is not decimal digits"))
    elif not digits.strip("0"):
        faults.append(Fault(Code.PHONE, "all zeros"))
    if header.fragment and not 1 <= header.fragment.index <= header.fragment.total:
        faults.append(Fault(Code.FRAGMENT, f"{header.fragment.index} of {header.fragment.total}"))
    if header.encryption:
        faults.append(Fault(Code.ENCRYPTED, f"method {header.encryption}; the body is left as it is"))
    return faults


def build_header(header: Header, body_bytes: int) -> bytes:
    """Return the bytes of a header before a body of `body_bytes`."""
    properties = body_bytes | header.encryption << _ENCRYPTION_SHIFT
    if header.fragment:
        properties |= _FRAGMENT_BIT
    if header.version == V2019:
        properties |= _VERSION_BIT
    parts = [header.message_id.to_bytes(2, "big"), properties.to_bytes(2, "big")]
    if header.version == V2019:
        parts.append(bytes([header.protocol_version]))
    parts += [header.phone_bcd, header.serial.to_bytes(2, "big")]
    if header.fragment:
        fragment = header.fragment
        parts += [fragment.total.to_bytes(2, "big"), fragment.index.to_bytes(2, "big")]
    return b"".join(parts)

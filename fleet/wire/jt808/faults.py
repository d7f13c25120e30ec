"""What may be wrong with bytes of a terminal: a code to count by, and a detail for people."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from fleet.errors import KerbsafeError


class Code(StrEnum):
    """One kind of fault; a metric has it as a label."""

    NO_FRAME = "no_frame"
    TRUNCATED = "truncated"
    TOO_LONG = "too_long"
    BAD_ESCAPE = "bad_escape"
    CHECKSUM = "checksum"
    HEADER = "header"
    BODY_LENGTH = "body_length"
    VERSION_BIT = "version_bit_contradicts_layout"
    PHONE = "phone"
    FRAGMENT = "fragment"
    ENCRYPTED = "encrypted"
    BODY = "body"
    COUNT = "count"
    ITEM = "item"
    COORDINATES = "coordinates"
    TIME = "time"
    TEXT = "text"


#: Faults after which the content of a frame is not believed: it is shown, never acted upon.
FATAL = frozenset(
    {
        Code.NO_FRAME,
        Code.TRUNCATED,
        Code.TOO_LONG,
        Code.BAD_ESCAPE,
        Code.CHECKSUM,
        Code.HEADER,
        Code.BODY_LENGTH,
        Code.FRAGMENT,
    }
)


class Fault(NamedTuple):
    """Something wrong with a frame."""

    code: Code
    detail: str

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Jt808Error(KerbsafeError):
    """A message cannot be built, or a table of a device model cannot be read."""

"""What is wrong with a payload: the decoder's exceptions as reasons."""

from __future__ import annotations

import re

import msgspec

from fleet.wire.reasons import Reason
from fleet.wire.v1.payloads import PAIR_MISSING

MAX_DETAIL = 200

# The decoder says what it found in the words matched here, and where as ` - at `$.field``; the words
# are pinned by a table in tests/unit/fleet/wire/test_v1_decode.py.
_FIELD = re.compile(r" - at `\$\.(\w+)")
_FAULTS = (
    (re.compile(r"Object missing required field"), Reason.MISSING_FIELD),
    (re.compile(re.escape(PAIR_MISSING)), Reason.MISSING_FIELD),
    (re.compile(r"Expected `object( \| array)?`, got `\w+`$"), Reason.NOT_AN_OBJECT),
    (re.compile(r"Expected `\w+` [<>]=? |(Number|Integer value) out of range"), Reason.OUT_OF_RANGE),
    (re.compile(r"Expected `str` (of length|matching regex)"), Reason.BAD_TEXT),
    (re.compile(r"Invalid enum value"), Reason.UNKNOWN_VALUE),
)


def fault_of(error: Exception) -> tuple[Reason, str]:
    """Return the reason and the detail of an exception that a decoder of one element raised."""
    if isinstance(error, msgspec.ValidationError):
        return _fault_of_value(str(error))
    if isinstance(error, RecursionError):
        return Reason.NESTED_TOO_DEEPLY, "arrays or objects nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return Reason.NOT_UTF8, printable(str(error))
    return Reason.MALFORMED_JSON, printable(str(error))


def _fault_of_value(text: str) -> tuple[Reason, str]:
    reason = next((reason for pattern, reason in _FAULTS if pattern.match(text)), Reason.WRONG_TYPE)
    where = _FIELD.search(text)
    name = where.group(1) if where else None
    if name == "time" and reason is not Reason.MISSING_FIELD:
        reason = Reason.BAD_TIME
    if name == "datum" and reason is Reason.UNKNOWN_VALUE:
        reason = Reason.UNSUPPORTED_DATUM
    return reason, printable(text)


def printable(text: str) -> str:
    """Return `text` so that a log, a table and a database column can hold it: cut, nothing invisible."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: MAX_DETAIL + 1])
    return shown if len(shown) <= MAX_DETAIL else shown[: MAX_DETAIL - 1] + "…"

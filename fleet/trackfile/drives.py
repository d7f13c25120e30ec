"""What a file of a recorded drive gives, and the one way from named texts to fixes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from fleet.errors import KerbsafeError
from fleet.wire.v1 import quantising
from fleet.wire.v1.payloads import MAX_TIME_US, FixIn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.columns import Fixes

Clock = Literal["relative", "epoch"]

#: Fields of a fix that a column of a file may give; those after the number are parts of `signals`.
FIELDS = tuple(name for name in FixIn.__struct_fields__ if name not in {"time", "signals"})
SIGNALS = ("right_indicator", "left_indicator", "brake")


class TrackError(KerbsafeError):
    """A file of a recorded drive cannot be read: which file, where in it, and what to do."""


@dataclass(frozen=True, slots=True)
class Track:
    """One vehicle's recorded fixes, in the order of the file. Their vehicle_id is 0."""

    #: The file's stem, which names the vehicle unless another is given.
    name: str
    fixes: Fixes
    #: Whether times count from some moment of the recording, or from 1970.
    clock: Clock


class Recorded(NamedTuple):
    """A message and when it was received; a `fleet.wire.batch.Message`."""

    at_us: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """Messages as they arrived, in the order of the file."""

    name: str
    messages: list[Recorded]


class Place(NamedTuple):
    """Where in which file something stands."""

    file: str
    line: int

    def error(self, what: str, field: str | None = None) -> TrackError:
        """Return the error that something is wrong here."""
        column = f", column {field}" if field else ""
        return TrackError(f"{self.file}, line {self.line}{_in_one_line(f'{column}: {what}')}")


def _in_one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def name_of(file: str) -> str:
    """Return the name of a drive: its file's stem."""
    return Path(file).stem


def to_fix(texts: Mapping[str, str], place: Place) -> FixIn:
    """Return the fix that named texts say, checked as the wire checks it; an empty text is unknown."""
    given: dict[str, Any] = {name: text for name in FIELDS if (text := texts.get(name, "").strip())}
    signals = {name: text for name in SIGNALS if (text := texts.get(name, "").strip())}
    try:
        return msgspec.convert({"time": 0, "signals": signals or None} | given, FixIn, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), given | signals, place) from error


def _explained(text: str, given: Mapping[str, str], place: Place) -> TrackError:
    what, _, where = text.partition(" - at `$.")
    if missing := _MISSING.search(what):
        return place.error("is empty", missing.group(1))
    field = where.rstrip("`").removeprefix("signals.")
    said = next((said for pattern, said in _SAID if pattern in what), what)
    if bound := _BOUND.search(what):
        said = f"must be {'at most' if bound.group(1) == '<=' else 'at least'} {bound.group(2)}"
    return place.error(f"{given.get(field, '')[:40]!r} {said}", field)


_MISSING = re.compile(r"missing required field `(\w+)`")
_BOUND = re.compile(r"([<>]=) (\S+)")
_SAID = (
    ("`float", "is not a number"),
    ("out of range", "is too large"),
    ("`int", "is not a whole number"),
    ("`bool", "is neither true nor false"),
    ("Invalid enum value", "is none of the words that may stand here"),
)


def to_track(file: str, fixes: Sequence[FixIn], times_us: Sequence[int], clock: Clock) -> Track:
    """Return a track of fixes and their times."""
    if not fixes:
        raise TrackError(f"{file}: holds no fixes")
    vehicle_id, time_us = np.zeros(len(fixes), np.int32), np.array(times_us, np.int64)
    return Track(name_of(file), quantising.fixes(fixes, vehicle_id, time_us), clock)


def to_time_us(text: str, place: Place, field: str, *, assume_utc: bool = False) -> int:
    """Return microseconds since 1970 of RFC 3339, epoch seconds or epoch milliseconds.

    A number is seconds below 1e11 (the year 5138), milliseconds from there on (March 1973).
    """
    number = _number(text)
    if number is not None:
        time_us = round(number * (1e6 if abs(number) < _FIRST_MILLISECONDS else 1e3))
    else:
        time_us = quantising.time_us(_moment(text, place, field, assume_utc=assume_utc))
    if not 0 <= time_us <= MAX_TIME_US:
        raise place.error(f"{text[:40]!r} is not in the years 1970 to 9999", field)
    return time_us


def to_relative_us(text: str, place: Place, field: str) -> int:
    """Return microseconds of seconds with decimals."""
    seconds = _number(text)
    if seconds is None or abs(seconds) > _LONGEST_S:
        raise place.error(f"{text[:40]!r} is not a number of seconds", field)
    return round(seconds * 1e6)


_FIRST_MILLISECONDS = 1e11
#: A recording is not longer than 28 years; this keeps its microseconds exact in a float.
_LONGEST_S = 9e8


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _moment(text: str, place: Place, field: str, *, assume_utc: bool) -> datetime:
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        what = f"{text[:40]!r} is neither RFC 3339 (2026-08-22T10:00:00Z) nor seconds since 1970"
        raise place.error(what, field) from error
    if moment.tzinfo is None:
        if not assume_utc:
            raise place.error(f"{text[:40]!r} has no offset: add Z, or +08:00 for China", field)
        return msgspec.convert(text + "Z", datetime)
    return moment


def decode_text(file: str, data: bytes) -> str:
    """Return the text of a file that ought to be UTF-8, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(file, line).error(f"is not UTF-8; {_encoding_hint(file, data)}") from error


def _encoding_hint(file: str, data: bytes) -> str:
    guess = "UTF-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "GB18030"
    source, target = shlex.quote(file), shlex.quote(f"utf8-{Path(file).name}")
    return f"if it is {guess}, convert it: iconv -f {guess} -t UTF-8 {source} > {target}"

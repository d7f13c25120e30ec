"""Times as files write them: RFC 3339, numbers since 1970, and civil times without an offset.

A number's size says its unit: seconds below 1e11 (the year 5138), then milliseconds, microseconds,
nanoseconds. Fourteen or twelve digits that are a date are one: 20260302080000, 260302080000.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from fleet.units import to_us
from fleet.wire.v1.payloads import MAX_TIME_US

if TYPE_CHECKING:
    from datetime import tzinfo

Unit = Literal["s", "ms", "us", "ns"]

_DATE_TIME = re.compile(
    r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})(?:日\s*|[Tt]|\s+)"
    r"(\d{1,2})(?:[:：]|时)(\d{1,2})(?:(?:[:：]|分)(\d{1,2})(?:[.,](\d{1,12}))?秒?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\s+(.+)")
_DIGITS = re.compile(r"(\d{4}|\d{2})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})(Z?)")
_TIME_OF_DAY = re.compile(r"\d{1,2}[:：]\d{2}([:：]\d{2}([.,]\d+)?)?")
#: Below each, a number counts these.
_UNITS: tuple[tuple[float, Unit, float], ...] = (
    (1e11, "s", 1e6),
    (1e14, "ms", 1e3),
    (1e17, "us", 1),
    (1e20, "ns", 1e-3),
)
#: A recording is not longer than 28 years; this keeps its microseconds exact in a float.
_LONGEST_S = 9e8
_LEAP_SECOND = 60


class Read(NamedTuple):
    """A time as it was written."""

    #: Microseconds since 1970; of a civil time, as if it were UTC.
    time_us: int
    #: What a number counts; None: it is none.
    unit: Unit | None = None
    #: The time says no offset, and so not yet when it was.
    is_civil: bool = False
    has_seconds: bool = True


def read_time(text: str) -> Read | None:
    """Return the time that a text says; None where it says none in the years 1970 to 9999."""
    read = _date(text) or _digits(text) or _number_of(text)
    return read if read is not None and 0 <= read.time_us <= MAX_TIME_US else None


def is_time_of_day(text: str) -> bool:
    """Say whether a text is a time without its date."""
    return _TIME_OF_DAY.fullmatch(text) is not None


def in_zone(civil_us: int, zone: tzinfo) -> int:
    """Return microseconds since 1970 of a civil time; where clocks were set back, of the earlier."""
    civil = datetime(1970, 1, 1, tzinfo=zone) + timedelta(microseconds=civil_us)
    try:
        return to_us(civil)
    except OverflowError:
        return civil_us


def relative_us(text: str) -> int | None:
    """Return microseconds of seconds with decimals."""
    seconds = number(text)
    return None if seconds is None or abs(seconds) > _LONGEST_S else round(seconds * 1e6)


def number(text: str, *, decimal_comma: bool = False) -> float | None:
    """Return the finite number that a text is."""
    if decimal_comma and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if "_" in text:
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) != float("inf") and found == found else None  # noqa: PLR0124 - NaN


def _date(text: str) -> Read | None:
    if (found := _DATE_TIME.fullmatch(text)) is None:
        day_first = _DAY_FIRST.fullmatch(text)
        if day_first is None:
            return None
        day, month, year, rest = day_first.groups()
        if (found := _DATE_TIME.fullmatch(f"{year}-{month}-{day} {rest}")) is None:
            return None
    *parts, second, fraction, offset = found.groups()
    made = _moment([int(part) for part in parts] + [int(second or 0)], fraction or "", offset)
    return None if made is None else made._replace(has_seconds=second is not None)


def _digits(text: str) -> Read | None:
    if (found := _DIGITS.fullmatch(text)) is None:
        return None
    year, *parts, utc = found.groups()
    full_year = int(year) if len(year) > 2 else 2000 + int(year)  # noqa: PLR2004
    if not _FIRST_YEAR <= full_year <= _LAST_YEAR:
        return None  # a number
    return _moment([full_year, *map(int, parts)], "", utc or None)


#: Of digits that are a date; others are a number.
_FIRST_YEAR, _LAST_YEAR = 1970, 2099


def _moment(parts: list[int], fraction: str, offset: str | None) -> Read | None:
    year, month, day, hour, minute, second = parts
    leap = second == _LEAP_SECOND
    try:
        moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC)
    except ValueError:
        return None
    time_us = to_us(moment) + int(fraction[:6].ljust(6, "0")) + leap * 1_000_000
    return Read(time_us - _offset_us(offset), is_civil=offset is None)


def _offset_us(offset: str | None) -> int:
    if offset is None or offset[0] not in "+-":
        return 0
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return (-minutes if offset[0] == "-" else minutes) * 60_000_000


def _number_of(text: str) -> Read | None:
    found = number(text)
    if found is None or found < 0:
        return None
    return next((Read(round(found * us), unit) for below, unit, us in _UNITS if found < below), None)

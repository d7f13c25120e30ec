"""Spans of civil days, as people name them: the last one is included."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from fleet.errors import KerbsafeError
from fleet.schedule import CIVIL_ZONE


class DaySpanError(KerbsafeError):
    """Days that are no span: which, and what to give instead."""


def civil_span(
    first: date | None, last: date | None, *, now: datetime, days: int
) -> tuple[datetime, datetime]:
    """Return the half-open span of civil days; by default the `days` that end with `last`, or with today."""
    end = last or now.astimezone(CIVIL_ZONE).date()
    begin = first or end - timedelta(days=days - 1)
    if begin > end:
        raise DaySpanError(f"from {begin} to {end} is no time: give the first civil day, then the last")
    return _midnight(begin), _midnight(end + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CIVIL_ZONE)

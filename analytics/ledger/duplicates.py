"""Accidents that may be one and the same: offered to a person with a score, never merged by themselves.

Police, firm and insurer each report under a number of their own, and two firms report one accident twice.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from analytics.ledger.accident import DOMESTIC_WINDOW_DAYS, toll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from analytics.ledger.accident import Facts

#: Below it a pair is not offered.
MIN_SCORE = 0.6
_SAME_VEHICLE, _SAME_HOUR, _SAME_DAY, _NEXT_DAY = 0.45, 0.3, 0.2, 0.05
_SAME_PLACE, _SAME_COUNTY, _SAME_TOLL = 0.2, 0.05, 0.1
#: The police gave each a number of its own: they take them for two.
_TWO_CASES = -0.4
_HOUR = timedelta(hours=1)
_SIMILAR = 0.6


class Pair(NamedTuple):
    """Two accidents that may be one."""

    one: str
    other: str
    #: From 0 to 1.
    score: float
    #: What speaks for it.
    shared: tuple[str, ...]


def find_duplicates(current: Mapping[str, Facts]) -> list[Pair]:
    """Return the pairs to look at, most likely first. `current` are the accidents that count, by code."""
    found = [
        pair
        for one, other in _candidates(current)
        if (pair := compare(one, current[one], other, current[other])).score >= MIN_SCORE
    ]
    return sorted(found, key=lambda pair: (-pair.score, pair.one, pair.other))


def compare(one: str, mine: Facts, other: str, theirs: Facts) -> Pair:
    """Return how likely two accidents are one."""
    if mine.police_no and mine.police_no == theirs.police_no:
        return Pair(one, other, 1.0, ("police_no",))
    parts: dict[str, float] = {}
    if _names(mine) & _names(theirs):
        parts["vehicle"] = _SAME_VEHICLE
    parts |= _times(mine, theirs)
    alike = SequenceMatcher(None, mine.place, theirs.place, autojunk=False).ratio() if mine.place else 0.0
    if alike >= _SIMILAR:
        parts["place"] = _SAME_PLACE * alike
    if mine.county and mine.county == theirs.county:
        parts["county"] = _SAME_COUNTY
    tolls = toll(mine, DOMESTIC_WINDOW_DAYS), toll(theirs, DOMESTIC_WINDOW_DAYS)
    if mine.casualties and tolls[0] == tolls[1]:
        parts["toll"] = _SAME_TOLL
    against = _TWO_CASES if mine.police_no and theirs.police_no else 0.0
    score = min(1.0, max(0.0, sum(parts.values()) + against))
    return Pair(one, other, round(score, 2), tuple(parts))


def _names(facts: Facts) -> set[str]:
    return {vehicle.name for vehicle in facts.fleet if vehicle.name}


def _times(mine: Facts, theirs: Facts) -> dict[str, float]:
    apart = abs(mine.occurred.at - theirs.occurred.at)
    if mine.occurred.is_exact and theirs.occurred.is_exact and apart <= _HOUR:
        return {"hour": _SAME_HOUR}
    if mine.occurred.day == theirs.occurred.day:
        return {"day": _SAME_DAY}
    return {"next_day": _NEXT_DAY} if _days_apart(mine, theirs) == 1 else {}


def _days_apart(mine: Facts, theirs: Facts) -> int:
    return abs((mine.occurred.day - theirs.occurred.day).days)


def _candidates(current: Mapping[str, Facts]) -> Iterator[tuple[str, str]]:
    """Yield pairs of the same or of neighbouring days, and those with the same number of the police."""
    by_day: dict[date, list[str]] = defaultdict(list)
    by_number: dict[str, list[str]] = defaultdict(list)
    for code in sorted(current):
        by_day[current[code].occurred.day].append(code)
        by_number[current[code].police_no].append(code)
    by_number.pop("", None)
    pairs: dict[tuple[str, str], None] = {}
    for day, codes in by_day.items():
        pairs |= dict.fromkeys(combinations(codes, 2))
        tomorrow = by_day.get(day + timedelta(days=1), [])
        pairs |= dict.fromkeys((min(one, other), max(one, other)) for one in codes for other in tomorrow)
    for codes in by_number.values():
        pairs |= dict.fromkeys(combinations(codes, 2))
    yield from pairs

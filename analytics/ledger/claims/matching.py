"""Which claim is of which accident, by a rule that is stated: number, or vehicle and time, or place and time.

number        the claim has the accident's number of the police, or the accident the claim's number
vehicle_time  the same vehicle of the fleet, within two hours; where one of them says only the day, that day
possible      on the same day, within two hours if both say when, at a similar place, and at least one of the
              two names no vehicle. Offered to a person, and not taken for the same: whoever knows that they
              are gives the accident the number of the claim

A claim is of at most one accident, the one that fits best; an accident of two trucks may have two claims.
Claims that no accident has are one event where they are of one vehicle at one time. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from analytics.ledger.accident import Facts, Moment
    from analytics.ledger.claims.claim import Claim

#: Kept with what is published; goes up when the rule above changes.
MATCHING_RULES = 1
_MAX_APART = timedelta(hours=2)
_SIMILAR_PLACE = 0.6


class How(StrEnum):
    """By what a claim is taken for that of an accident; the first is the surest."""

    NUMBER = "number"
    VEHICLE_TIME = "vehicle_time"
    POSSIBLE = "possible"


class Match(NamedTuple):
    """A claim and an accident."""

    claim: str
    accident: str
    how: How
    #: None where one of them says only the day.
    minutes_apart: int | None


@dataclass(frozen=True, slots=True)
class Matches:
    """Every claim: matched, possibly matched, or of no accident that is known."""

    #: At most one a claim.
    certain: tuple[Match, ...]
    #: Of claims that have no certain one.
    possible: tuple[Match, ...]
    #: Claims without a certain one, those of one vehicle and time together.
    alone: tuple[tuple[str, ...], ...]


def match(accidents: Mapping[str, Facts], claims: Mapping[str, Claim]) -> Matches:
    """Return which claim is of which accident. Both are what counts, by their codes."""
    found: dict[str, list[tuple[tuple[int, int, str], Match]]] = defaultdict(list)
    for code, near in _near(accidents, claims):
        for other in near:
            if (one := _compare(code, claims[code], other, accidents[other])) is not None:
                apart = 24 * 60 if one.minutes_apart is None else one.minutes_apart
                found[code].append(((list(How).index(one.how), apart, other), one))
    best = [min(found[code])[1] for code in sorted(found)]
    certain = tuple(one for one in best if one.how is not How.POSSIBLE)
    matched = {one.claim for one in certain}
    return Matches(
        certain,
        tuple(one for one in best if one.how is How.POSSIBLE),
        tuple(_events({code: claim for code, claim in claims.items() if code not in matched})),
    )


def _compare(code: str, claim: Claim, other: str, facts: Facts) -> Match | None:
    apart = _minutes(claim.occurred, facts.occurred)
    if claim.police_no and claim.police_no in {facts.police_no, other}:
        return Match(code, other, How.NUMBER, apart)
    if code in {facts.claim_no, other}:
        return Match(code, other, How.NUMBER, apart)
    if not _at_one_time(claim.occurred, facts.occurred):
        return None
    names = {vehicle.name for vehicle in facts.fleet if vehicle.name}
    if claim.vehicle.name in names:
        return Match(code, other, How.VEHICLE_TIME, apart)
    if claim.vehicle.name and names:
        return None
    return Match(code, other, How.POSSIBLE, apart) if _is_similar(claim.place, facts.place) else None


def _at_one_time(one: Moment, other: Moment) -> bool:
    if one.is_exact and other.is_exact:
        return abs(one.at - other.at) <= _MAX_APART
    return one.day == other.day


def _minutes(one: Moment, other: Moment) -> int | None:
    exact = one.is_exact and other.is_exact
    return round(abs(one.at - other.at).total_seconds() / 60) if exact else None


def _is_similar(one: str, other: str) -> bool:
    if not one or not other:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SIMILAR_PLACE


def _near(accidents: Mapping[str, Facts], claims: Mapping[str, Claim]) -> Iterator[tuple[str, set[str]]]:
    """Yield each claim with the accidents of the days around it, and those whose number it has."""
    by_day: dict[date, set[str]] = defaultdict(set)
    by_number: dict[str, set[str]] = defaultdict(set)
    for code, facts in accidents.items():
        by_day[facts.occurred.day].add(code)
        for number in {facts.police_no, facts.claim_no, code} - {""}:
            by_number[number].add(code)
    for code, claim in claims.items():
        days = (claim.occurred.day + timedelta(days=step) for step in (-1, 0, 1))
        near = set[str]().union(*(by_day.get(day, set()) for day in days))
        for number in {claim.police_no, code} - {""}:
            near |= by_number.get(number, set())
        yield code, near


def _events(claims: Mapping[str, Claim]) -> Iterator[tuple[str, ...]]:
    """Yield claims of one vehicle at one time together: two insurers, or two kinds of insurance."""

    def order(code: str) -> tuple[str, datetime, str]:
        return claims[code].vehicle.name, claims[code].occurred.at, code

    event: list[str] = []
    for code in sorted(claims, key=order):
        first = claims[event[0]] if event else None
        claim = claims[code]
        same = first is not None and claim.vehicle.name and first.vehicle.name == claim.vehicle.name
        if first is None or not same or not _at_one_time(first.occurred, claim.occurred):
            if event:
                yield tuple(event)
            event = []
        event.append(code)
    if event:
        yield tuple(event)

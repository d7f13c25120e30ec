"""Police only, insurer only, both: what two lists of one period say of each other. Pure.

What counts are accidents in which somebody is known to be hurt, as either list says: insurers have far more
claims for damage alone than the police have accidents.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.ledger.claims.capture import Capture
from analytics.ledger.claims.matching import Match, match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from analytics.ledger.accident import Facts
    from analytics.ledger.claims.claim import Claim
    from analytics.ledger.claims.matching import Matches
    from analytics.ledger.counting import Period


class Where(StrEnum):
    """Which list has an accident."""

    BOTH = "both"
    POLICE_ONLY = "police_only"
    INSURER_ONLY = "insurer_only"
    #: Reported by the firm or somebody else, to neither the police nor the insurer.
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Event:
    """An accident as the two lists have it."""

    day: date
    where: Where
    #: "" where only claims tell of it.
    accident: str
    claims: tuple[str, ...]
    #: Whether somebody was hurt, as either says; None: nobody has said.
    has_casualties: bool | None
    #: Accidents that one of the claims may be of, for a person to look at.
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What two lists say of each other."""

    #: By day.
    events: tuple[Event, ...]
    matches: tuple[Match, ...]

    def count(self, where: Where, *, has_casualties: bool | None = True) -> int:
        """Count events of one kind."""
        return sum(event.where is where and event.has_casualties is has_casualties for event in self.events)

    @property
    def capture(self) -> Capture:
        """The two lists by what is certainly the same."""
        found = (self.count(where) for where in (Where.POLICE_ONLY, Where.INSURER_ONLY, Where.BOTH))
        return Capture(*found)

    @property
    def possible_pairs(self) -> int:
        """How many accidents with casualties of the police alone a claim may be of."""
        alone = {
            event.accident
            for event in self.events
            if event.where is Where.POLICE_ONLY and event.has_casualties
        }
        taken = {
            code
            for event in self.events
            if event.where is Where.INSURER_ONLY and event.has_casualties
            for code in event.possible[:1]
        }
        return len(alone & taken)

    @property
    def capture_if_possible(self) -> Capture:
        """The two lists if all that is possible were the same."""
        more = self.possible_pairs
        one = self.capture
        return Capture(one.police_only - more, one.insurer_only - more, one.both + more)


def reconcile(accidents: Mapping[str, Facts], claims: Mapping[str, Claim], period: Period) -> Reconciliation:
    """Return what the lists say of each other in a period. All accidents and claims that count, by code."""
    matches = match(accidents, claims)
    events = [
        event
        for event in (*_of_accidents(accidents, claims, matches), *_of_claims(claims, matches))
        if period.first <= event.day <= period.last
    ]
    events.sort(key=lambda event: (event.day, event.accident, event.claims))
    inside = {code for event in events for code in event.claims}
    return Reconciliation(tuple(events), tuple(one for one in matches.certain if one.claim in inside))


def common_period(accidents: Iterable[Facts], claims: Iterable[Claim]) -> tuple[date, date] | None:
    """Return the first and last day that both lists speak of; None: there are none."""
    days = [sorted(one.occurred.day for one in some) for some in (accidents, claims)]
    if not all(days):
        return None
    first, last = max(some[0] for some in days), min(some[-1] for some in days)
    return (first, last) if first <= last else None


def _of_accidents(
    accidents: Mapping[str, Facts], claims: Mapping[str, Claim], matches: Matches
) -> Iterator[Event]:
    own: dict[str, list[str]] = {}
    for one in matches.certain:
        own.setdefault(one.accident, []).append(one.claim)
    for code, facts in accidents.items():
        mine = tuple(own.get(code, ()))
        if facts.police_handled:
            where = Where.BOTH if mine else Where.POLICE_ONLY
        else:
            where = Where.INSURER_ONLY if mine else Where.NEITHER
        said = [_hurt_by(facts), *(claims[claim].has_casualties for claim in mine)]
        yield Event(facts.occurred.day, where, code, mine, _any(said))


def _of_claims(claims: Mapping[str, Claim], matches: Matches) -> Iterator[Event]:
    possible = {one.claim: one.accident for one in matches.possible}
    for event in matches.alone:
        said = [claims[code].has_casualties for code in event]
        may_be = dict.fromkeys(possible[code] for code in event if code in possible)
        yield Event(claims[event[0]].occurred.day, Where.INSURER_ONLY, "", event, _any(said), tuple(may_be))


def _hurt_by(facts: Facts) -> bool | None:
    return True if facts.casualties else False if facts.casualties_known else None


def _any(said: list[bool | None]) -> bool | None:
    """Yes if anybody says so; no only if all do."""
    return True if True in said else None if None in said else False

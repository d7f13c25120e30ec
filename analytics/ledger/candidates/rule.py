"""Which settled episodes may have been an accident, and why. Pure.

braking_and_stay   a hard braking outside of sites, after which it stood within a minute, for ten
rollover           a right turn near the limit of rolling over
conflict_and_stop  a critical conflict in a right turn, after which it stood within half a minute, for two

What followed must be seen: a vehicle that falls silent after a hard braking is offered as well, and said to
be silent, for a unit may be broken in a crash.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.geo import distance_m
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from fleet.columns import Fixes

#: Kept with what is listed; goes up when the rule above changes.
CANDIDATE_RULES = 1
CRITICAL = 4


class Why(StrEnum):
    """What makes an episode a candidate."""

    BRAKING_AND_STAY = "braking_and_stay"
    ROLLOVER = "rollover"
    CONFLICT_AND_STOP = "conflict_and_stop"


class Episode(NamedTuple):
    """A settled episode of a live rule."""

    episode_id: UUID
    rule: str
    severity: int
    started_us: int
    ended_us: int


class Candidate(NamedTuple):
    """An episode that may have been an accident."""

    episode: Episode
    why: Why
    #: How long it stood afterwards, as far as was looked; None: it fell silent, or that is not asked.
    stood_s: int | None
    #: Whether no fix came after it for as long as it would have had to stand.
    silent: bool


class _Stay(NamedTuple):
    """How soon it must stand, and for how long."""

    within_us: int
    for_us: int


_STAYS: Mapping[Why, _Stay] = {
    Why.BRAKING_AND_STAY: _Stay(60 * MICROSECONDS, 600 * MICROSECONDS),
    Why.CONFLICT_AND_STOP: _Stay(30 * MICROSECONDS, 120 * MICROSECONDS),
}
#: So much after an episode says what followed it.
LOOKED_AT_US = max(stay.within_us + stay.for_us for stay in _STAYS.values()) + 180 * MICROSECONDS
_STANDS_DKMH, _NEAR_M = 30, 30.0
#: Between two fixes further apart nobody knows whether it stood.
_UNSEEN_US = 180 * MICROSECONDS


def candidates(episodes: Iterable[tuple[Episode, Fixes]]) -> list[Candidate]:
    """Return the episodes that may have been an accident, each with the fixes that followed it."""
    found = []
    for episode, after in episodes:
        why = _why(episode)
        if why is None:
            continue
        if why is Why.ROLLOVER:
            found.append(Candidate(episode, why, None, silent=False))
        elif (stood := _stood(episode, after, _STAYS[why])) is not None:
            found.append(Candidate(episode, why, stood or None, silent=not stood))
    return found


def _why(episode: Episode) -> Why | None:
    match episode.rule:
        case "harsh_braking":
            return Why.BRAKING_AND_STAY
        case "right_turn_lateral":
            return Why.ROLLOVER
        case "conflict" if episode.severity == CRITICAL:
            return Why.CONFLICT_AND_STOP
    return None


def _stood(episode: Episode, after: Fixes, stay: _Stay) -> int | None:
    """Return how long it stood, seconds; 0: it fell silent; None: it drove on."""
    end_us = episode.ended_us
    inside = (after.time_us >= end_us) & (after.time_us <= end_us + LOOKED_AT_US)
    fixes = after.take(inside)
    if not len(fixes):
        return 0
    stands = (fixes.speed_dkmh >= 0) & (fixes.speed_dkmh <= _STANDS_DKMH)
    if not stands.any():
        return None
    first = int(stands.argmax())
    if fixes.time_us[first] > end_us + stay.within_us:
        return None
    here = distance_m(fixes.lat_udeg[first], fixes.lon_udeg[first], fixes.lat_udeg, fixes.lon_udeg) <= _NEAR_M
    seen = np.r_[True, np.diff(fixes.time_us) <= _UNSEEN_US]
    leaves = np.flatnonzero(~(here & seen)[first:])
    last = first + int(leaves[0]) - 1 if len(leaves) else len(fixes) - 1
    stood_us = int(fixes.time_us[last] - fixes.time_us[first])
    return round(stood_us / MICROSECONDS) if stood_us >= stay.for_us else None

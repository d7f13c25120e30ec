"""What the engine says: episodes that opened, grew, closed or were lost, right turns, segments that began."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from alerts.words.turns import Turns
from fleet.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

LIVE = "live"
_NAMESPACE = uuid.UUID("6b657262-7361-4665-8000-657069736f64")  # "kerbsafe episod", fixed for ever


class Rule(IntEnum):
    """What an episode is of. The lower-case name is the rule's name everywhere outside the engine."""

    #: Above the limit in force by more than the tolerance, for longer than the hold.
    SPEEDING = 1
    #: A right turn at a junction, faster than its limit.
    RIGHT_TURN_FAST = 2
    #: A right turn that pressed too much to the side: on the way to rolling over.
    RIGHT_TURN_LATERAL = 3
    #: A right turn at a must-stop junction, without the stop.
    RIGHT_TURN_NO_STOP = 4
    #: Somebody beside the vehicle during a right turn, seen by its blind-spot camera.
    CONFLICT = 5
    #: Driving for too long without a rest.
    FATIGUE = 6
    #: Driven by somebody without a valid qualification.
    UNQUALIFIED = 7
    #: The speed fell faster than a driver brakes who sees ahead.
    HARSH_BRAKING = 8
    #: The speed that the unit reports is not that of its positions: these rule, and the unit needs a look.
    SPEED_DISAGREES = 9
    #: In a forbidden fence, or across one.
    FORBIDDEN = 11
    #: Outside of every permitted fence: left, or first seen so after a silence.
    LEFT_PERMITTED = 12
    #: Too long in a site.
    DWELL = 13
    #: The visit of a site, from arrival to departure: kept, but nobody is alerted.
    SITE = 14
    #: The unit says that its camera is covered, gives no picture, or cannot keep it.
    CAMERA_FAULT = 21
    #: The unit says that it was cut off from power.
    POWER_CUT = 22
    #: Nothing is heard with the ignition on, or unknown.
    OFFLINE = 23
    #: Fixes arrive, but never near to the time that they tell.
    CLOCK_DRIFT = 24
    #: Fixes arrive, and none can be judged at once: nobody watches.
    NOT_WATCHED_LIVE = 25


#: Rules about arrival: the hot path alone judges them, and what has ended is final.
OF_ARRIVAL = frozenset(
    {Rule.CAMERA_FAULT, Rule.POWER_CUT, Rule.OFFLINE, Rule.CLOCK_DRIFT, Rule.NOT_WATCHED_LIVE}
)


class Change(IntEnum):
    """What became of an episode."""

    OPENED = 1
    UPDATED = 2
    CLOSED = 3
    #: Ended at the last sample, since data is missing.
    LOST = 4
    RULE_CHANGE = 5


@dataclass(frozen=True, slots=True)
class Transitions(Columns):
    """One row a change of an episode, in the order decided."""

    vehicle_id: NDArray[np.int32]
    rule: NDArray[np.int16]
    change: NDArray[np.int16]
    #: Time of the fix or tick that decided, microseconds since 1970.
    at_us: NDArray[np.int64]
    started_us: NDArray[np.int64]
    #: -1 while open.
    ended_us: NDArray[np.int64]
    severity: NDArray[np.int16]
    #: In the rule's unit: km/h for speeding.
    peak: NDArray[np.float64]
    limit: NDArray[np.float64]
    limit_source: NDArray[np.int16]
    #: Row of the rulebooks in force at the start.
    rulebook: NDArray[np.int32]
    #: Figures of the rule by name, units in the names.
    measures: NDArray[np.object_]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _DTYPES


_DTYPES = {
    "vehicle_id": "i4",
    "rule": "i2",
    "change": "i2",
    "at_us": "i8",
    "started_us": "i8",
    "ended_us": "i8",
    "severity": "i2",
    "peak": "f8",
    "limit": "f8",
    "limit_source": "i2",
    "rulebook": "i4",
    "measures": "O",
}


@dataclass(frozen=True, slots=True)
class SegmentStarts(Columns):
    """Vehicles that began a segment."""

    vehicle_id: NDArray[np.int32]
    started_us: NDArray[np.int64]

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return {"vehicle_id": "i4", "started_us": "i8"}


class Ongoing(NamedTuple):
    """An episode that goes on, as whoever follows it knows it."""

    vehicle_id: int
    rule: Rule
    started_us: int
    #: The code of its fence, or nothing.
    about: str = ""


_NO_SEGMENTS, _NO_TURNS = SegmentStarts.empty(), Turns.empty()


class Judgement(NamedTuple):
    """All that one advance of the engine says."""

    transitions: Transitions
    segments: SegmentStarts = _NO_SEGMENTS
    turns: Turns = _NO_TURNS

    @property
    def opened(self) -> int:
        """How many episodes began."""
        return int((self.transitions.change == Change.OPENED).sum())

    @classmethod
    def join(cls, parts: list[Judgement]) -> Judgement:
        """Put judgements behind one another."""
        return cls(
            Transitions.concat([part.transitions for part in parts if len(part.transitions)]),
            SegmentStarts.concat([part.segments for part in parts if len(part.segments)]),
            Turns.concat([part.turns for part in parts if len(part.turns)]),
        )


def episode_id(vehicle_id: int, rule: Rule, started_us: int, mode: str = LIVE, about: str = "") -> uuid.UUID:
    """Return the id that the same judgement always has, so that a repeat is an update of the same row.

    `about` tells episodes of one rule apart that begin together, as in two fences.
    """
    of = f"|{about}" if about else ""
    return uuid.uuid5(_NAMESPACE, f"{vehicle_id}|{rule.name.lower()}|{mode}|{started_us}{of}")

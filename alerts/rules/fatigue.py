"""Fatigue: driving for too long without a rest.

After a rest long enough motion begins a new segment (`alerts.folding.motion`), where all memory is blank; so what is
summed up here is the time at the wheel since that rest. Regulation on the Implementation of the Road Traffic
Safety Law of the PRC, article 62 (7): no more than 4 hours without a rest of 20 minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.records import copied
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    #: A row of `PARAMETERS`, or one a fix: both broadcast.
    Parameters = NDArray[np.void]

NEVER = -1
SEVERITY, GRAVE = 2, 3

#: One vehicle's memory of the rule. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("last_us", "i8"),  # newest fix
        ("driving_us", "i8"),  # newest fix in motion
        ("opened_us", "i8"),  # since when it is too long
        ("driven_us", "i8"),  # time at the wheel
        ("rulebook", "i4"),
        ("severity", "i1"),
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "drive_s": ("time at the wheel without a rest", 600, 86400),
    "stand_s": ("standing for less than this is no pause", 0, 3600),
    "unknown_s": ("a longer silence counts for nothing", 10, 3600),
    "grave_ratio": ("from so many times as long on it is grave", 1, 10),
}


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles that have just rested."""
    state = np.zeros(size, STATE)
    for name in ("last_us", "driving_us", "opened_us", "rulebook"):
        state[name] = NEVER
    return state


_BLANK = blank(1)[0]


class Samples(NamedTuple):
    """One fix a vehicle; equal lengths."""

    time_us: Times
    #: Since when the vehicle stands; NEVER: it moves.
    rest_us: Times
    #: Standing for so long is a rest.
    rest_s: NDArray[np.float64]
    #: The fix begins a new segment.
    begins: Bools
    rulebook: NDArray[np.int32]


class Outcome(NamedTuple):
    """The memory after the fixes, and whose episodes changed; masks of equal length."""

    after: NDArray[np.void]
    #: Figures of the episodes that ended: at `driving_us`, for a rest has followed.
    before: NDArray[np.void]
    closed: Bools
    #: Opened, or became grave.
    opened: Bools
    updated: Bools


def step(before: NDArray[np.void], samples: Samples, rules: Parameters) -> Outcome:
    """Fold one fix a vehicle into its memory.

    The time between two fixes is at the wheel if the vehicle moves at the second; and so is the time that it
    stood before, unless that was long enough for a pause.
    The episode begins at the fix that makes it too long, and ends with the last moment at the wheel.
    """
    stood_s = np.where(samples.rest_us == NEVER, 0.0, (samples.time_us - samples.rest_us) / MICROSECONDS)
    rested = samples.begins | (stood_s >= samples.rest_s)
    closed = rested & (before["opened_us"] != NEVER)
    after = copied(before)
    after[rested] = _BLANK
    moves = samples.rest_us == NEVER
    since_us = np.where(after["last_us"] == NEVER, 0, samples.time_us - after["last_us"])
    stood_us = np.where(after["driving_us"] == NEVER, since_us, samples.time_us - after["driving_us"])
    at_wheel_us = np.where(stood_us < rules["stand_s"] * MICROSECONDS, stood_us, since_us)
    known = since_us <= rules["unknown_s"] * MICROSECONDS
    after["driven_us"] += np.where(moves & known, at_wheel_us, 0)
    after["driving_us"] = np.where(moves, samples.time_us, after["driving_us"])
    after["last_us"] = samples.time_us

    driven_s = after["driven_us"] / MICROSECONDS
    was_open = after["opened_us"] != NEVER
    opened = ~was_open & moves & (driven_s >= rules["drive_s"])
    after["opened_us"][opened] = samples.time_us[opened]
    after["rulebook"][opened] = samples.rulebook[opened]
    grave = driven_s >= rules["drive_s"] * rules["grave_ratio"]
    graded = np.where(grave, GRAVE, SEVERITY).astype(np.int8)
    updated = was_open & moves & (graded > after["severity"])
    after["severity"] = np.where(opened | updated, graded, after["severity"])
    return Outcome(after, before, closed, opened, updated)


def silent(state: NDArray[np.void], now_us: int, silence_s: NDArray[np.float64]) -> Bools:
    """Mark the vehicles whose open episode is lost: so long a silence may have been a rest."""
    return np.asarray(
        (state["opened_us"] != NEVER) & ((now_us - state["last_us"]) / MICROSECONDS > silence_s)
    )

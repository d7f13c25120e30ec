"""What units say, or do not say, of themselves: a condition that holds for a while, from arrival to arrival.

Camera and power by their reports, silence with the ignition on, clocks, fixes that nobody could judge in
time: all are one small machine. A condition holds from a moment on; held for long enough it is an episode,
dated back to that moment, until it is seen not to hold.

These are rules about arrival: the hot path alone judges them, by when things were received or reported, and
an episode that has ended is final. The settler leaves them alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Times = NDArray[np.int64]

NEVER = -1

#: One vehicle's memory of one condition. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("since_us", "i8"),  # since when it holds
        ("seen_us", "i8"),  # newest moment of which anything is known
        ("peak", "f8"),
        ("is_open", "?"),
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
OFFLINE = {
    "hold_s": ("nothing is heard with the ignition on, or unknown, for longer than this", 60, 86400),
    "max_s": ("who was silent for longer when we began to listen is out of service", 600, 2592000),
}
CLOCK_DRIFT = {
    "limit_s": ("no fix arrives nearer to its own time than this", 5, 3600),
    "hold_s": ("for at least this long", 0, 86400),
}
NOT_WATCHED_LIVE = {"hold_s": ("fixes arrive, and none can be judged live, for this long", 10, 86400)}


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles of which nothing is known."""
    state = np.zeros(size, STATE)
    state["since_us"] = state["seen_us"] = NEVER
    return state


class Told(NamedTuple):
    """What is newly known of one condition, at most once a vehicle; equal lengths."""

    at_us: Times
    #: Neither: nothing is known.
    holds: Bools
    clears: Bools
    #: How badly it holds, in the rule's unit.
    peak: Floats


class Outcome(NamedTuple):
    """Which episodes began and ended, and their figures; equal lengths."""

    opened: Bools
    closed: Bools
    since_us: Times
    peak: Floats


def step(state: NDArray[np.void], told: Told, hold_s: Floats) -> tuple[NDArray[np.void], Outcome]:
    """Fold what is told of some vehicles into their rows; return these and what became of episodes.

    What is older than what is known changes nothing.
    """
    after = state.copy()
    is_news = told.at_us >= state["seen_us"]
    holds, clears = told.holds & is_news, told.clears & is_news
    after["seen_us"] = np.where(is_news, told.at_us, state["seen_us"])
    begins = holds & (state["since_us"] == NEVER)
    after["since_us"][begins] = told.at_us[begins]
    before = np.where(begins, 0.0, state["peak"])
    after["peak"] = np.where(holds, np.maximum(before, told.peak), before)
    held_s = (told.at_us - after["since_us"]) / MICROSECONDS
    opened = holds & ~state["is_open"] & (held_s >= hold_s)
    closed = clears & state["is_open"]
    outcome = Outcome(opened, closed, after["since_us"].copy(), after["peak"].copy())
    after["is_open"] = (state["is_open"] | opened) & ~closed
    after["since_us"][clears] = NEVER
    after["peak"][clears] = 0.0
    return after, outcome

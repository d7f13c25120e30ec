"""A vehicle driven by somebody without a valid qualification: from the first motion to the last of a trip."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.records import copied
from fleet.duty import NOBODY
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]

NEVER = -1
SEVERITY = 3

#: One vehicle's memory of the rule. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("opened_us", "i8"),
        ("driving_us", "i8"),  # newest fix in motion
        ("last_us", "i8"),  # newest fix
        ("driver", "i4"),  # id of who drives without a qualification
        ("rulebook", "i4"),
    ],
    align=True,
)


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles of which nothing is known."""
    state = np.zeros(size, STATE)
    for name in STATE.names or ():
        state[name] = NEVER
    return state


_BLANK = blank(1)[0]


class Samples(NamedTuple):
    """One fix a vehicle; equal lengths."""

    time_us: Times
    #: Who drives without a qualification; `NOBODY`.
    driver: NDArray[np.int32]
    #: Since when the vehicle stands; NEVER: it moves.
    rest_us: Times
    #: Standing for so long is a rest.
    rest_s: NDArray[np.float64]
    #: The fix begins a new segment.
    begins: Bools
    rulebook: NDArray[np.int32]


class Outcome(NamedTuple):
    """The memory after the fixes, and whose episodes ended (figures in `before`) and began."""

    after: NDArray[np.void]
    before: NDArray[np.void]
    closed: Bools
    opened: Bools


def step(before: NDArray[np.void], samples: Samples) -> Outcome:
    """Fold one fix a vehicle into its memory.

    An episode begins at the first motion with such a driver, and ends with the last before a rest, or before
    somebody else drives.
    """
    moves = samples.rest_us == NEVER
    stood_s = np.where(moves, 0.0, (samples.time_us - samples.rest_us) / MICROSECONDS)
    is_open = before["opened_us"] != NEVER
    changed = samples.driver != before["driver"]
    closed = is_open & (samples.begins | changed | (stood_s >= samples.rest_s))
    after = copied(before)
    after[closed] = _BLANK
    opened = (samples.driver != NOBODY) & moves & (after["opened_us"] == NEVER)
    after["opened_us"][opened] = samples.time_us[opened]
    after["driver"][opened] = samples.driver[opened]
    after["rulebook"][opened] = samples.rulebook[opened]
    after["driving_us"] = np.where(moves, samples.time_us, after["driving_us"])
    after["last_us"] = samples.time_us
    return Outcome(after, before, closed, opened)


def silent(state: NDArray[np.void], now_us: int, silence_s: NDArray[np.float64]) -> Bools:
    """Mark the vehicles whose open episode is lost, since nothing was heard for so long."""
    silent_s = (now_us - state["last_us"]) / MICROSECONDS
    return np.asarray((state["opened_us"] != NEVER) & (silent_s > silence_s))

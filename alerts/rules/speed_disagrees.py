"""A reported speed that the positions contradict: the unit, or its cable to the speedometer, is not right.

Positions rule then (`alerts.folding.motion`), so that nobody escapes by a unit that says 0 at 110 km/h; and somebody
has to look at the unit. Only time under way counts: to stand at a light, where both say 0, is no agreement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.records import copied
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Times = NDArray[np.int64]
    #: A row of `PARAMETERS`, or one a fix: both broadcast.
    Parameters = NDArray[np.void]

NEVER = -1
SEVERITY = 2
#: A longer silence between two fixes is neither disagreement nor agreement.
_LONGEST_S = 30

#: One vehicle's memory of the rule. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("last_us", "i8"),  # newest fix
        ("since_us", "i8"),  # first fix that disagreed since both agreed for long
        ("until_us", "i8"),  # newest that did
        ("wrong_s", "f8"),  # for how long they have disagreed since
        ("right_s", "f8"),  # for how long they have agreed under way since
        ("apart_kmh", "f8"),  # greatest difference, and at that fix
        ("reported_kmh", "f8"),
        ("positions_kmh", "f8"),
        ("rulebook", "i4"),
        ("is_open", "?"),
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "hold_s": ("time of disagreement under way that makes it an alert", 10, 3600),
    "clear_s": ("time of agreement under way that ends it", 10, 3600),
    "moving_kmh": ("under way is at or above this speed, by the positions", 5, 100),
}


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles of which nothing is known."""
    state = np.zeros(size, STATE)
    state["last_us"] = state["since_us"] = state["until_us"] = state["rulebook"] = NEVER
    return state


_BLANK = blank(1)[0]


class Samples(NamedTuple):
    """One fix a vehicle; equal lengths."""

    time_us: Times
    #: As the unit reports it; NaN where it reports none.
    reported_kmh: Floats
    #: As it counts: of the positions, where the reported one is wrong.
    speed_kmh: Floats
    #: The positions have contradicted the reported speed for so long that they count.
    wrong: Bools
    #: The fix begins a new segment.
    begins: Bools
    rulebook: NDArray[np.int32]


class Outcome(NamedTuple):
    """The memory after the fixes, and whose episodes ended (figures in `before`) and began."""

    after: NDArray[np.void]
    before: NDArray[np.void]
    lost: Bools
    closed: Bools
    opened: Bools


def step(before: NDArray[np.void], samples: Samples, rules: Parameters) -> Outcome:
    """Fold one fix a vehicle into its memory."""
    lost = samples.begins & before["is_open"]
    after = copied(before)
    after[samples.begins] = _BLANK
    elapsed_s = np.where(after["last_us"] == NEVER, 0.0, (samples.time_us - after["last_us"]) / MICROSECONDS)
    elapsed_s = np.where(elapsed_s <= _LONGEST_S, elapsed_s, 0.0)
    under_way = samples.speed_kmh >= rules["moving_kmh"]  # False where unknown
    wrong, right = samples.wrong & under_way, ~samples.wrong & under_way & ~np.isnan(samples.reported_kmh)

    first = wrong & (after["since_us"] == NEVER)
    after["since_us"][first] = samples.time_us[first]
    after["rulebook"][first] = samples.rulebook[first]
    after["until_us"][wrong] = samples.time_us[wrong]
    after["wrong_s"] += np.where(wrong, elapsed_s, 0.0)
    after["right_s"] = np.where(wrong, 0.0, after["right_s"] + np.where(right, elapsed_s, 0.0))
    apart_kmh = np.where(wrong, np.abs(samples.speed_kmh - samples.reported_kmh), 0.0)
    greatest = apart_kmh > after["apart_kmh"]
    for name, values in (
        ("apart_kmh", apart_kmh),
        ("reported_kmh", samples.reported_kmh),
        ("positions_kmh", samples.speed_kmh),
    ):
        np.copyto(after[name], values, where=greatest)
    after["last_us"] = samples.time_us

    opened = wrong & ~after["is_open"] & (after["wrong_s"] >= rules["hold_s"])
    after["is_open"] |= opened
    over = (after["since_us"] != NEVER) & (after["right_s"] >= rules["clear_s"])
    closed = over & after["is_open"]
    figures = np.where(closed, after, before)
    after[over] = _BLANK
    after["last_us"] = samples.time_us
    return Outcome(after, figures, lost, closed, opened)


def silent(state: NDArray[np.void], now_us: int, silence_s: NDArray[np.float64]) -> Bools:
    """Mark the vehicles whose open episode is lost, since nothing was heard for so long."""
    return np.asarray(state["is_open"] & ((now_us - state["last_us"]) / MICROSECONDS > silence_s))

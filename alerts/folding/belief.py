"""Which positions are believed: a jump of the receiver is a gap, however many fixes it lasts.

A fix that no truck can have reached from the one before is doubted, and so are those that follow from it.
There are two ways out. Back at the old place, the jump was wrong, and the way goes on from there. Or the new
place proves itself: by `jump_fixes` fixes that follow one another over more than `jump_m`, or by a stay of
`jump_s`. Then the vehicle is there, and what was in between is unknown: a cut. What a single fix supports,
two refute; and of two positions within a second the one with the better HDOP is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet import geo
from fleet.quality import farthest_m, hidden_m, reported_speed_kmh
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]
    #: A row of the rules of motion, or one a fix: both broadcast.
    Parameters = NDArray[np.void]

NEVER = -1
#: What a single fix supports, so many refute.
_REFUTE = 2
#: Two positions closer in time than this are two answers to one question.
_SAME_S = 1.0

#: What a vehicle's memory of motion holds of it. Times in microseconds since 1970; NEVER is none.
FIELDS = [
    ("doubt_us", "i8"),  # first fix at a place that is doubted; NEVER: the newest position is believed
    ("reach_m", "f8"),  # way that speeds allow from the believed place, while that is not the newest
    ("hidden_m", "f8"),  # and way that may be hidden between two fixes since
    ("step_m", "f8"),  # from the newest position but one to the newest; NaN where that was a jump
    ("step_s", "f8"),  # and how long that took
    ("believed_lat_udeg", "i4"),  # while there is doubt: the place last believed
    ("believed_lon_udeg", "i4"),
    ("doubt_lat_udeg", "i4"),  # and the first that is not
    ("doubt_lon_udeg", "i4"),
    ("doubted", "i4"),  # fixes at the new place
    ("reported_dkmh", "i2"),  # of the newest position, -1 unknown
    ("hdop_tenths", "i2"),  # of the newest position, -1 unknown
    ("alone", "?"),  # the place last believed is that of a single fix
]
#: Numbers of [motion]: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "jump_kmh": ("faster than this no truck is", 100, 1000),
    "jump_ratio": ("a fix is a jump so many times farther away than the speeds known allow", 1, 100),
    "jump_mps2": ("and than accelerating and braking at this rate in between allows", 0.5, 10),
    "jump_m": ("if it is farther than this", 10, 1000),
    "jump_fixes": ("a new place is believed after so many fixes that lead over more than that", 2, 100),
    "jump_s": ("or after standing there for so long", 30, 3600),
}


class Step(NamedTuple):
    """From the newest position to the fixes; equal lengths."""

    #: Both positions are there.
    known: Bools
    moved_m: Floats
    elapsed_s: Floats
    #: The position is exactly the same although the unit reports speed: the vehicle may be farther on.
    still: Bools


class Belief(NamedTuple):
    """What is believed of the fixes; equal lengths."""

    believed: Bools
    #: Believed or not, no jump led there.
    follows: Bools
    #: Believed, but how the vehicle came there is unknown.
    cut: Bools
    #: Way from the place last believed, metres; 0 where it is unknown.
    distance_m: Floats


def begin(state: NDArray[np.void]) -> None:
    """Blank the fields, in place."""
    state["doubt_us"] = state["reported_dkmh"] = state["hdop_tenths"] = NEVER
    state["step_m"] = state["step_s"] = np.nan


def judge(state: NDArray[np.void], fixes: Fixes, positioned: Bools, step: Step, rules: Parameters) -> Belief:
    """Fold one fix a vehicle into its memory, in place: the newest position there is still the one before."""
    believed, follows, cut = positioned.copy(), positioned.copy(), np.zeros(len(fixes), np.bool_)
    distance_m, step_m = np.where(step.known, step.moved_m, 0.0), step.moved_m
    far = step.moved_m > rules["jump_m"]
    strange = step.known & (far | step.still | (state["reach_m"] > 0) | (state["doubt_us"] != NEVER))
    row = np.flatnonzero(strange)
    if len(row):
        was_doubted = state["doubt_us"][row] != NEVER
        at = _At(row, fixes.take(row), Step._make(values[row] for values in step))
        told = _weigh(state, at, rules if rules.ndim == 0 else rules[row])
        believed[row], follows[row], cut[row], distance_m[row] = told
        step_m = step.moved_m.copy()
        # The speed that a jump implies says nothing, but that of a jump from a jump: the unit's own is wrong.
        step_m[row[~told.follows & (told.believed | ~was_doubted)]] = np.nan
    step_s = np.where(step.known, step.elapsed_s, np.nan)
    for name, values in (
        ("step_m", step_m),
        ("step_s", step_s),
        ("reported_dkmh", fixes.speed_dkmh),
        ("hdop_tenths", fixes.hdop_tenths),
    ):
        np.copyto(state[name], values, where=positioned)
    return Belief(believed, follows, cut, distance_m)


class _At(NamedTuple):
    """The fixes that are to be weighed, by row of the memory."""

    row: Rows
    fixes: Fixes
    step: Step


def _weigh(state: NDArray[np.void], at: _At, rules: Parameters) -> Belief:
    """Weigh new places against the ones believed; remember the outcome, in place."""
    memory, fixes, step = state.take(at.row), at.fixes, at.step
    doubts = memory["doubt_us"] != NEVER
    follows, reach_m = _reached(memory, fixes, step, rules)
    hidden = np.fmax(memory["hidden_m"], hidden_m(step.elapsed_s, rules["jump_mps2"]))
    home_m = _apart_m(memory, "believed", fixes)
    at_home = home_m <= np.fmax(rules["jump_m"], reach_m + hidden)
    returns = doubts & at_home & (~follows | (home_m < step.moved_m))
    better = (fixes.hdop_tenths >= 0) & (fixes.hdop_tenths < memory["hdop_tenths"])
    replaces = ~doubts & ~follows & better & (step.elapsed_s < _SAME_S)
    starts = ~follows & ~returns & ~replaces
    doubted = np.where(starts, 1, memory["doubted"] + 1)
    led = (doubted >= rules["jump_fixes"]) & (_apart_m(memory, "doubt", fixes) > rules["jump_m"])
    stayed = fixes.time_us - memory["doubt_us"] >= rules["jump_s"] * MICROSECONDS
    proves = doubts & follows & ~returns & (led | stayed | (memory["alone"] & (doubted >= _REFUTE)))
    believed, cut = (follows & ~doubts) | returns | replaces | proves, replaces | proves
    _doubt(memory, fixes, starts, doubts, rules)
    memory["doubt_us"][believed] = NEVER
    memory["doubted"] = np.where(believed, 0, doubted)
    memory["hidden_m"] = np.where(believed, 0.0, hidden)
    memory["reach_m"] = np.where(believed & ~step.still, 0.0, reach_m)
    state.put(at.row, memory)
    distance_m = np.where(returns, home_m, np.where(believed & ~cut, step.moved_m, 0.0))
    return Belief(believed, follows & ~returns, cut, distance_m)


def _reached(memory: NDArray[np.void], fixes: Fixes, step: Step, rules: Parameters) -> tuple[Bools, Floats]:
    """Mark the fixes that a truck can have reached; return how far it can be from the place believed."""
    ratio, max_kmh = rules["jump_ratio"], rules["jump_kmh"]
    before_kmh = np.minimum(memory["step_m"] / memory["step_s"] * KMH_PER_MPS, max_kmh)
    told_kmh = np.where(memory["reported_dkmh"] < 0, np.nan, memory["reported_dkmh"] * 0.1)
    heard_kmh = np.fmax(reported_speed_kmh(fixes), told_kmh)
    limit_m = farthest_m(
        step.elapsed_s,
        heard_kmh,
        before_kmh,
        ratio=ratio,
        mps2=rules["jump_mps2"],
        max_kmh=max_kmh,
    )
    silent = np.isnan(heard_kmh)
    allowed_m = _stride_m(np.where(silent, before_kmh, heard_kmh), step, rules)
    frozen = (memory["doubt_us"] == NEVER) & (memory["reach_m"] > 0)
    frozen_m = np.where(frozen, memory["reach_m"] + allowed_m, 0.0)
    follows = step.moved_m <= np.fmax(np.fmax(limit_m, frozen_m), rules["jump_m"])
    here_kmh = np.minimum(step.moved_m / np.fmax(step.elapsed_s, 1e-3) * KMH_PER_MPS, max_kmh)
    allowed_m = np.where(silent & follows, _stride_m(here_kmh, step, rules), allowed_m)
    return follows, np.rint((memory["reach_m"] + allowed_m) * 100) / 100


def _stride_m(speed_kmh: Floats, step: Step, rules: Parameters) -> Floats:
    """Return the way that a speed allows. Many units tell standing as a few km/h: that leads nowhere."""
    moving_kmh = np.where(speed_kmh >= rules["motion_kmh"], speed_kmh, 0.0)
    return np.asarray(rules["jump_ratio"] * moving_kmh / KMH_PER_MPS * step.elapsed_s)


def _doubt(memory: NDArray[np.void], fixes: Fixes, starts: Bools, doubts: Bools, rules: Parameters) -> None:
    """Begin to doubt, or begin anew at a third place, in place."""
    fresh = starts & ~doubts
    for along in ("lat_udeg", "lon_udeg"):
        memory[f"believed_{along}"][fresh] = memory[along][fresh]
        memory[f"doubt_{along}"][starts] = getattr(fixes, along)[starts]
    memory["alone"][fresh] = ~(
        memory["step_s"][fresh] <= np.broadcast_to(rules["coarse_s"], starts.shape)[fresh]
    )
    memory["doubt_us"][starts] = fixes.time_us[starts]


def _apart_m(memory: NDArray[np.void], what: str, fixes: Fixes) -> Floats:
    """Return how far fixes are from a remembered place, metres, to a centimetre."""
    place = memory[f"{what}_lat_udeg"], memory[f"{what}_lon_udeg"]
    return np.rint(geo.distance_m(*place, fixes.lat_udeg, fixes.lon_udeg) * 100) / 100

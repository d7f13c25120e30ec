"""Harsh braking: the speed that the unit reports falls faster than a driver brakes who sees ahead.

Between two fixes the deceleration is at least `limit_g` (0.38 g, the threshold of insurers' telematics for
heavy trucks). A single false speed looks the same, so that it is told only when the next fix is in: if the
speed is back by more than `back_share` of what was lost, or nothing follows, nothing was braked. At 1 Hz a
report is the mean of a second: the true peak is higher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.memory import Layout
from alerts.folding.records import copied
from alerts.words.limits import LimitSource
from alerts.words.transitions import Change, Rule, Transitions
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alerts.folding.memory import Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.words.transitions import Ongoing

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Times = NDArray[np.int64]
    #: A row of `PARAMETERS`, or one a fix: both broadcast.
    Parameters = NDArray[np.void]

NEVER = -1
SEVERITY, GRAVE = 1, 2
#: Standard gravity, m/s².
GRAVITY_MPS2 = 9.80665
#: Two fixes nearer than this in time say nothing of an acceleration: speeds come in steps of 0.1 km/h.
_SHORTEST_S = 0.4

#: One vehicle's memory of the rule. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("last_us", "i8"),  # newest fix with a speed that counts
        ("since_us", "i8"),  # last fix before the braking that goes on; NEVER: none does
        ("last_kmh", "f8"),
        ("from_kmh", "f8"),  # speed at `since_us`
        ("peak_g", "f8"),
        ("rulebook", "i4"),
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "limit_g": ("a deceleration from this on is harsh", 0.1, 1.5),
    "grave_g": ("and from this on worse", 0.1, 1.5),
    "min_kmh": ("below this speed nothing counts: creeping and stopping jerk", 0, 100),
    "longest_s": ("over a longer interval between two fixes nothing is known", 0.5, 10),
    "back_share": ("a speed that is back by this share of what it lost was a false report", 0.1, 1),
}


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles of which nothing is known."""
    state = np.zeros(size, STATE)
    state["last_us"] = state["since_us"] = state["rulebook"] = NEVER
    return state


_BLANK = blank(1)[0]


class Samples(NamedTuple):
    """One fix a vehicle; equal lengths."""

    time_us: Times
    #: As the unit reports it; NaN where it does not, or where positions contradict it.
    speed_kmh: Floats
    #: The fix begins a new segment, or a jump led to it.
    begins: Bools
    rulebook: NDArray[np.int32]


class Outcome(NamedTuple):
    """The memory after the fixes, and who has braked; equal lengths."""

    after: NDArray[np.void]
    #: Figures of what is over, in `since_us`, `last_us`, `from_kmh`, `last_kmh`, `peak_g`.
    before: NDArray[np.void]
    braked: Bools


def step(before: NDArray[np.void], samples: Samples, rules: Parameters) -> Outcome:
    """Fold one fix a vehicle into its memory."""
    known = ~np.isnan(samples.speed_kmh)
    elapsed_s = (samples.time_us - before["last_us"]) / MICROSECONDS
    joins = known & ~samples.begins & (before["last_us"] != NEVER) & (elapsed_s <= rules["longest_s"])
    told = joins & (elapsed_s >= _SHORTEST_S)
    slower_kmh = before["last_kmh"] - samples.speed_kmh
    braking_g = np.where(told, slower_kmh / KMH_PER_MPS / np.where(told, elapsed_s, 1.0) / GRAVITY_MPS2, 0.0)
    goes_on = before["since_us"] != NEVER
    harsh = told & (braking_g >= rules["limit_g"]) & (goes_on | (before["last_kmh"] >= rules["min_kmh"]))
    lost_kmh = before["from_kmh"] - before["last_kmh"]
    is_back = -slower_kmh > rules["back_share"] * lost_kmh
    braked = goes_on & told & ~harsh & ~is_back

    after = copied(before)
    waits = joins & ~told  # too soon after the last to say anything
    after[~waits & ~harsh] = _BLANK
    begins = harsh & ~goes_on
    after["since_us"][begins] = before["last_us"][begins]
    after["from_kmh"][begins] = before["last_kmh"][begins]
    after["rulebook"][begins] = samples.rulebook[begins]
    peak_g = np.fmax(np.where(goes_on, before["peak_g"], 0.0), braking_g)
    after["peak_g"] = np.where(harsh, peak_g, after["peak_g"])
    takes = known & ~waits
    after["last_us"][takes] = samples.time_us[takes]
    after["last_kmh"][takes] = samples.speed_kmh[takes]
    return Outcome(after, before, braked)


# ---------------------------------------------------------------- joined to the engine

NUMBERS = {"harsh_braking": PARAMETERS}
MEMORY = {"harsh_braking": Layout(blank)}
ORDERED = (("harsh_braking.limit_g", "harsh_braking.grave_g"),)
ON_TRIAL = True


def advance(memory: Memory, one: Round, context: Context) -> Transitions:
    """Fold one round into the memory, in place; return who has braked."""
    before, moved = memory["harsh_braking"].take(one.slots), one.moved
    samples = Samples(
        time_us=one.fixes.time_us,
        speed_kmh=np.where(moved.derived, np.nan, moved.speed_kmh),
        begins=moved.begins | moved.cut,
        rulebook=one.version,
    )
    outcome = step(before, samples, context.rulebooks.numbers("harsh_braking", one.version))
    memory["harsh_braking"].put(one.slots, outcome.after)
    rows = np.flatnonzero(outcome.braked)
    if not len(rows):
        return Transitions.empty()
    vehicle_id, at_us = one.fixes.vehicle_id[rows], one.fixes.time_us[rows]
    return _transitions(vehicle_id, at_us, outcome.before[rows], context.rulebooks)


def tick(_: Memory, __: int, ___: Context) -> Transitions:
    """Say nothing: without a fix that confirms it, nobody has braked."""
    return Transitions.empty()


def ongoing(_: Memory, __: Context) -> Iterator[Ongoing]:
    """Yield nothing: what goes on is told when it is over."""
    return iter(())


def _transitions(
    vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64], braked: NDArray[np.void], rulebooks: Rulebooks
) -> Transitions:
    """Return an opening and an ending for each, side by side."""
    row = np.repeat(np.arange(len(braked)), 2)
    closes = np.arange(len(row)) % 2 == 1
    figures = braked[row]
    rules = rulebooks.numbers("harsh_braking", figures["rulebook"])
    measures = np.empty(len(row), object)
    measures[:] = [
        {"from_kmh": round(fast, 1), "to_kmh": round(slow, 1)}
        for fast, slow in zip(figures["from_kmh"].tolist(), figures["last_kmh"].tolist(), strict=True)
    ]
    grave = figures["peak_g"] >= rules["grave_g"]
    return Transitions.build(
        vehicle_id=vehicle_id[row],
        rule=Rule.HARSH_BRAKING,
        change=np.where(closes, Change.CLOSED, Change.OPENED),
        at_us=at_us[row],
        started_us=figures["since_us"],
        ended_us=np.where(closes, figures["last_us"], NEVER),
        severity=np.where(grave, GRAVE, SEVERITY),
        peak=np.round(figures["peak_g"], 3),
        limit=np.broadcast_to(rules["limit_g"], row.shape),
        limit_source=LimitSource.RULEBOOK,
        rulebook=figures["rulebook"],
        measures=measures,
    )

"""Speeding: ground speed above the limit in force by more than a tolerance, for longer than a hold.

The limit in force is the lowest that applies, and the episode says which one ruled. Severity follows
the classes of the Road Traffic Safety Law of the PRC by excess over the limit: under 20 %, 20-50 %,
50 % and more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.records import copied
from alerts.words.limits import LimitSource
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    #: A row of `PARAMETERS`, or one a sample: both broadcast.
    Parameters = NDArray[np.void]

NEVER = -1
#: Excess over the limit from which severity is 2 and 3: the classes of the traffic law.
SERIOUS_RATIO, GRAVE_RATIO = 0.2, 0.5

#: One vehicle's memory of the rule. Times in microseconds since 1970; NEVER is none.
STATE = np.dtype(
    [
        ("last_us", "i8"),  # newest evaluable sample
        ("over_since_us", "i8"),  # start of the present run above limit + tolerance, or of the open episode
        ("clear_since_us", "i8"),  # start of the present run at or under the limit
        ("last_excess_kmh", "f8"),  # of the newest sample over its limit; 0 at or under
        ("peak_kmh", "f8"),
        ("peak_ratio", "f8"),  # largest excess / limit, and the limit there
        ("peak_limit_kmh", "f8"),
        ("excess_kmh_s", "f8"),  # integral of the excess over time above the limit
        ("above_s", "f8"),  # time above the limit
        ("distance_m", "f8"),  # distance above the limit
        ("rulebook", "i4"),
        ("peak_source", "i1"),
        ("peak_derived", "?"),  # from positions
        ("severity", "i1"),
        ("is_open", "?"),
    ],
    align=True,
)

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "tolerance_kmh": ("an episode is above the limit by more than this", 0, 50),
    "hold_s": ("for at least this long", 0, 600),
    "clear_s": ("and ends after this long at or under the limit", 0, 600),
    "coarse_s": ("over a longer interval between samples nothing is known", 5, 120),
}


def blank(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles that have reported nothing."""
    state = np.zeros(size, STATE)
    for name in ("last_us", "over_since_us", "clear_since_us", "rulebook"):
        state[name] = NEVER
    return state


_BLANK = blank(1)[0]


def severity(excess_ratio: Floats) -> NDArray[np.int8]:
    """Return 1, 2 or 3 for an excess under 20 %, under 50 %, or more of the limit."""
    return np.asarray(1 + (excess_ratio >= SERIOUS_RATIO) + (excess_ratio >= GRAVE_RATIO)).astype(np.int8)


def limit_in_force(
    class_kmh: Floats, fix_kmh: Floats, zone_kmh: Floats | None = None, hour_kmh: Floats | None = None
) -> tuple[Floats, NDArray[np.int8]]:
    """Return the lowest known limit in km/h and the `LimitSource` that gave it; NaN where none is known.

    Of equal limits the first in the order of the arguments is named. `zone_kmh` or `hour_kmh` None: there is
    no such limit anywhere.
    """
    from_fix = ~np.isnan(fix_kmh) & ~(class_kmh <= fix_kmh)
    limit_kmh = np.where(from_fix, fix_kmh, class_kmh)
    source = from_fix.astype(np.int8) * np.int8(LimitSource.FIX)
    for other_kmh, name in ((zone_kmh, LimitSource.ZONE), (hour_kmh, LimitSource.HOUR)):
        if other_kmh is not None:
            rules = ~np.isnan(other_kmh) & ~(limit_kmh <= other_kmh)
            limit_kmh = np.where(rules, other_kmh, limit_kmh)
            source[rules] = name
    return limit_kmh, source


class Samples(NamedTuple):
    """One sample a vehicle; equal lengths."""

    time_us: Times
    #: NaN where it is unknown or not to be trusted: such a sample says nothing.
    speed_kmh: Floats
    limit_kmh: Floats
    limit_source: NDArray[np.int8]
    #: From positions: none is reported, or a wrong one.
    derived: Bools
    #: Path since the sample before, metres.
    moved_m: Floats
    #: A longer silence than this ends an episode as lost, seconds.
    gap_s: Floats
    #: Row of the rulebooks in force, and since when its version is.
    rulebook: NDArray[np.int32]
    rulebook_from_us: Times


class Outcome(NamedTuple):
    """The memory after the samples, and which vehicles' episodes changed; masks of equal length."""

    after: NDArray[np.void]
    #: Figures of the episodes that were open before: of those ended because data is missing (at their
    #: last sample) or the rulebook changed (at `rule_change_us`).
    before: NDArray[np.void]
    lost: Bools
    rule_change: Bools
    rule_change_us: Times
    #: Figures of the episodes that opened, grew in severity, or closed (at their `clear_since_us`).
    figures: NDArray[np.void]
    opened: Bools
    updated: Bools
    closed: Bools


def step(before: NDArray[np.void], samples: Samples, parameters: Parameters) -> Outcome:
    """Fold one sample a vehicle into its memory.

    Opens after `hold_s` of evaluable samples above limit + tolerance, dated back to the first of them;
    closes after `clear_s` at or under the limit, dated back to the first of those. A sample that is
    unknown changes nothing. Between samples more than `coarse_s` apart nothing is known: no run
    continues over them. A silence longer than `gap_s` ends the episode at its last sample.
    """
    compared = _compare(before, samples, parameters)
    known, time_us = compared.known, samples.time_us
    lost = before["is_open"] & (compared.since_last_s > samples.gap_s)
    rule_change = before["is_open"] & ~lost & (before["rulebook"] != samples.rulebook)
    rule_change_us = np.clip(samples.rulebook_from_us, before["last_us"], time_us)
    after = copied(before)
    after[lost | rule_change] = _BLANK

    was_open = after["is_open"].copy()
    starts = _start_runs(after, was_open, compared, time_us)
    counting = known & (was_open | compared.over)
    _add_time_above(after, counting & ~starts, compared, samples.moved_m)
    _raise_peaks(after, counting, compared.excess_kmh, samples)
    opened, updated = _open_and_grade(after, was_open, compared, time_us, parameters["hold_s"])
    closed = _clear(after, was_open, compared, time_us, parameters["clear_s"])

    after["last_us"] = np.where(known, time_us, after["last_us"])
    after["last_excess_kmh"] = np.where(known, np.maximum(compared.excess_kmh, 0.0), after["last_excess_kmh"])
    after["rulebook"] = np.where(known, samples.rulebook, after["rulebook"])
    figures = after
    if closed.any():
        after = copied(after)
        after[closed] = _BLANK
        for name in ("last_us", "rulebook"):
            after[name][closed] = figures[name][closed]
    return Outcome(after, before, lost, rule_change, rule_change_us, figures, opened, updated, closed)


class _Compared(NamedTuple):
    """The samples against their limits and against the samples before; equal lengths."""

    #: Speed and limit are both known.
    known: Bools
    #: Over the limit; 0 where it is not known.
    excess_kmh: Floats
    #: By more than the tolerance.
    over: Bools
    #: At or under the limit. A sample may be neither: above the limit within the tolerance.
    under: Bools
    since_last_s: Floats
    #: So long after the sample before that nothing is known between the two.
    coarse: Bools


def _compare(before: NDArray[np.void], samples: Samples, parameters: Parameters) -> _Compared:
    known = ~np.isnan(samples.speed_kmh) & ~np.isnan(samples.limit_kmh)
    excess_kmh = np.where(known, samples.speed_kmh - samples.limit_kmh, 0.0)
    since_last_s = (samples.time_us - before["last_us"]) / MICROSECONDS
    return _Compared(
        known,
        excess_kmh,
        over=known & (excess_kmh > parameters["tolerance_kmh"]),
        under=known & (excess_kmh <= 0.0),
        since_last_s=since_last_s,
        coarse=since_last_s > parameters["coarse_s"],
    )


def _start_runs(after: NDArray[np.void], was_open: Bools, compared: _Compared, time_us: Times) -> Bools:
    """Start a run where a vehicle goes over, and forget one that is broken off; mark the starts."""
    over = compared.over
    starts = np.asarray(over & ~was_open & ((after["over_since_us"] == NEVER) | compared.coarse))
    broken = compared.known & ~was_open & ~over
    after[starts | broken] = _BLANK
    after["over_since_us"][starts] = time_us[starts]
    return starts


def _add_time_above(after: NDArray[np.void], goes_on: Bools, compared: _Compared, moved_m: Floats) -> None:
    """Add the interval before each sample: a sample's value holds until the next one."""
    counts = goes_on & ~compared.coarse & (after["last_excess_kmh"] > 0)
    interval_s = np.where(counts, compared.since_last_s, 0.0)
    after["excess_kmh_s"] += interval_s * after["last_excess_kmh"]
    after["above_s"] += interval_s
    after["distance_m"] += np.where(interval_s > 0, moved_m, 0.0)


def _raise_peaks(after: NDArray[np.void], counting: Bools, excess_kmh: Floats, samples: Samples) -> None:
    """Keep the worst sample by excess over its limit, and the highest speed."""
    ratio = np.divide(excess_kmh, samples.limit_kmh, out=np.zeros_like(excess_kmh), where=counting)
    peaks = counting & (ratio > after["peak_ratio"])
    after["peak_ratio"][peaks] = ratio[peaks]
    after["peak_limit_kmh"][peaks] = samples.limit_kmh[peaks]
    after["peak_source"][peaks] = samples.limit_source[peaks]
    after["peak_derived"][peaks] = samples.derived[peaks]
    after["peak_kmh"] = np.where(counting, np.fmax(after["peak_kmh"], samples.speed_kmh), after["peak_kmh"])


def _open_and_grade(
    after: NDArray[np.void], was_open: Bools, compared: _Compared, time_us: Times, hold_s: Floats
) -> tuple[Bools, Bools]:
    """Open the runs that have lasted, raise the severity of what is open; mark both."""
    run_s = (time_us - after["over_since_us"]) / MICROSECONDS
    opened = compared.over & ~was_open & (run_s >= hold_s)
    graded = severity(after["peak_ratio"])
    updated = was_open & compared.known & (graded > after["severity"])
    after["severity"] = np.where(opened | updated, graded, after["severity"])
    after["is_open"] |= opened
    return opened, updated


def _clear(
    after: NDArray[np.void], was_open: Bools, compared: _Compared, time_us: Times, clear_s: Floats
) -> Bools:
    """Follow how long an open episode has been at or under the limit; mark those that close."""
    under = compared.under
    clears = was_open & under & ((after["clear_since_us"] == NEVER) | compared.coarse)
    after["clear_since_us"][clears] = time_us[clears]
    after["clear_since_us"][compared.known & ~under] = NEVER
    cleared_s = (time_us - after["clear_since_us"]) / MICROSECONDS
    return np.asarray(was_open & under & (cleared_s >= clear_s))


def silent(state: NDArray[np.void], now_us: int, gap_s: Floats) -> Bools:
    """Mark the vehicles whose open episode is lost because nothing was heard for `gap_s`."""
    return np.asarray(state["is_open"] & ((now_us - state["last_us"]) / MICROSECONDS > gap_s))

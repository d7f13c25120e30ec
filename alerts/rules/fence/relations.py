"""Fences: the relation of every fix to forbidden, permitted and site fences, and what follows from it.

Most fixes change nothing: they are in just those fences that their vehicle is known to be in. `changing`
finds the others with one comparison of signatures; only they go through `step`.
Speed zones are a limit of `speeding`, looked up with `zone_limit_kmh`; must-stop junctions and districts
are looked up by whoever asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding.records import copied
from alerts.rules.fence import fence_episodes as episodes
from alerts.rules.fence import stays as memory
from alerts.rules.fence.fence_step import judge
from alerts.rules.fence.stays import NEVER
from alerts.words.transitions import Change
from fleet import geo
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.in_force.watch import Watch
    from alerts.rules.fence.samples import Samples

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]
    Rows = NDArray[np.intp]
    #: A row of `PARAMETERS`, or one a sample: both broadcast.
    Parameters = NDArray[np.void]

#: Numbers of one rulebook version: what they mean, and the lowest and highest that make sense.
PARAMETERS = {
    "hold_s": ("one fix counts as entered, or as left, if no other comes for this long", 1, 120),
    "exit_m": ("left is only who is farther than this from the boundary", 0, 500),
    "stand_m": ("who stands has left at once only if farther than this", 0, 1000),
    "stand_s": ("and otherwise after this long beyond doubt", 0, 3600),
    "hdop_m": ("or farther than two standard errors, of this much for each unit of HDOP", 0, 50),
    "cross_m": ("a way between two fixes outside crosses with at least this much of it inside", 0, 500),
    "cross_sure_s": ("and surely so if the fixes are no farther apart than this", 1, 120),
    "mixer_dwell_s": ("longest stay of a loaded mixer in a site that has no limit of its own", 60, 86400),
}


class Outcome(NamedTuple):
    """The memory after the samples, and what changed: rows of `CHANGE`, endings before beginnings."""

    heads: NDArray[np.void]
    stays: NDArray[np.void]
    changes: NDArray[np.void]


def zone_limit_kmh(
    watch: Watch, lat_udeg: NDArray[np.int32], lon_udeg: NDArray[np.int32], time_us: Times
) -> Floats:
    """Return the lowest limit of the speed zones that each position is in at its hour; NaN where none."""
    limit_kmh = np.full(len(time_us), np.nan)
    if len(watch.zones):
        inside = watch.zones.inside(lat_udeg, lon_udeg, time_us)
        zone_kmh = watch.fences.limit_kmh[inside.version].astype(np.float64)
        limited = zone_kmh > 0
        np.fmin.at(limit_kmh, inside.row[limited], zone_kmh[limited])
    return limit_kmh


class Changing(NamedTuple):
    """The fixes for which `step` is needed, by row."""

    rows: Rows
    #: The way to them may have crossed a forbidden fence.
    may_cross: Bools


def changing(heads: NDArray[np.void], samples: Samples, watch: Watch, rules: Parameters) -> Changing:
    """Find the fixes that change more than the newest place of their vehicle.

    The others are in the same fences as the one before, have nothing to wait for, and met no forbidden
    fence on their way. A vehicle's first fix, or the first after a gap, changes nothing where there is no
    fence, unless there is one that it must not leave.
    """
    ongoing = ~_is_gap(heads, samples)
    nowhere = (heads["signature"] == 0) & (heads["due_us"] == memory.IDLE_US)
    if len(watch.permitted):
        nowhere &= ongoing
    same = (samples.signature == heads["signature"]) & (samples.time_us < heads["due_us"])
    goes_on = nowhere | (ongoing & (heads["rulebook"] == samples.rulebook))
    may_cross = _may_cross(heads, samples, watch, rules, ongoing)
    rows = np.flatnonzero(~(same & goes_on) | may_cross)
    return Changing(rows, may_cross[rows])


def _is_gap(heads: NDArray[np.void], samples: Samples) -> Bools:
    """Mark the fixes before which nothing is known."""
    return np.asarray((samples.time_us - heads["time_us"] > samples.gap_s * MICROSECONDS) | samples.cut)


def _may_cross(
    heads: NDArray[np.void], samples: Samples, watch: Watch, rules: Parameters, ongoing: Bools
) -> Bools:
    """Mark the ways that are long enough to cross a forbidden fence, and near one."""
    north = samples.lat_udeg - heads["lat_udeg"]
    east = samples.lon_udeg - heads["lon_udeg"]
    # An upper bound of the way's length, so that slow traffic costs nothing.
    min_udeg = rules["cross_m"] / geo.M_PER_UDEG
    is_long = north * north.astype(np.float64) + east * east.astype(np.float64) >= min_udeg * min_udeg
    may = is_long & ongoing & (heads["time_us"] != NEVER)
    if not may.any():
        return np.asarray(may)
    return np.asarray(may & ~watch.stays.clear_of_boundaries(samples.cells, north, east))


def moved(heads: NDArray[np.void], samples: Samples) -> NDArray[np.void]:
    """Return the memory after fixes that change nothing else."""
    after = copied(heads)
    for name in ("signature", "time_us", "lat_udeg", "lon_udeg", "rulebook"):
        after[name] = getattr(samples, name)
    return after


def silent(heads: NDArray[np.void], now_us: int, gap_s: Floats) -> Bools:
    """Mark the vehicles that are in fences and of which nothing was heard for `gap_s`."""
    busy = (heads["signature"] != 0) | (heads["due_us"] != memory.IDLE_US)
    return np.asarray(busy & ((now_us - heads["time_us"]) / MICROSECONDS > gap_s))


def lose(heads: NDArray[np.void], stays: NDArray[np.void]) -> Outcome:
    """End everything at the newest fix of each vehicle, since data is missing; what remains is blank."""
    placed = memory.taken_out(stays)
    everything = np.ones(len(placed.row), np.bool_)
    changes = episodes.ends(Change.LOST, everything, placed.row, placed.stay, heads["time_us"][placed.row])
    return Outcome(memory.blank_heads(len(heads)), memory.blank_stays(len(heads)), episodes.in_order(changes))


def step(
    heads: NDArray[np.void],
    stays: NDArray[np.void],
    samples: Samples,
    may_cross: Bools,
    watch: Watch,
    rules: Parameters,
) -> Outcome:
    """Fold one fix a vehicle into its memory; `may_cross` are the ways to look at.

    The first fix of all, and the first after a gap, finds a vehicle where it is: what it is inside of, it
    has entered; and outside of every permitted fence it has left the nearest.
    """
    heads, stays, lost = _after_gaps(heads, stays, samples)
    here = watch.stays.inside(samples.lat_udeg, samples.lon_udeg, samples.time_us, samples.cells)
    judged = judge(heads, stays, samples, here, may_cross, watch, rules)
    after = moved(heads, samples)
    after["due_us"] = judged.due_us
    changes = np.concatenate([lost, judged.changes]) if len(lost) else judged.changes
    return Outcome(after, judged.stays, changes)


def _after_gaps(
    heads: NDArray[np.void], stays: NDArray[np.void], samples: Samples
) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.void]]:
    """Return the memory with nothing in it where a gap was, and what was lost there."""
    heads, stays = copied(heads), copied(stays)
    rows = np.flatnonzero((heads["time_us"] != NEVER) & _is_gap(heads, samples))
    if not len(rows):
        return heads, stays, episodes.in_order([])
    lost = lose(heads[rows], stays[rows])
    lost.changes["row"] = rows[lost.changes["row"]]
    heads[rows], stays[rows] = lost.heads, lost.stays
    return heads, stays, lost.changes

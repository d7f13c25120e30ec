"""Every step of a record measured: what was driven, what stood, and what nobody saw.

A step leads from one believed position of a vehicle to its next. Its way is the path's, without the noise of
the positions (`smoothing`) and with what the chords between them cut off (`shortfall`); at rest there is none
(`rest`). Over a gap nothing is driven: where the vehicle is elsewhere after it, that is told apart, as the
straight line, the least that it can have been.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.live.timeliness import spaced
from analytics.exposure import plane, rest, shortfall, smoothing
from analytics.exposure.believed import believed
from fleet.quality import reported_speed_kmh
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]
    Integers = NDArray[np.int64]

_MM = 1000
#: Nearer than this a vehicle is where it was before a gap: positions wander, the more the longer it is.
UNSEEN_M = 100.0


class Record(NamedTuple):
    """Fixes by vehicle and time, one a moment, and which of their positions count."""

    fixes: Fixes
    #: Rows of the fixes whose position is believed.
    believed: Rows
    #: Of each of these: how the vehicle came there is unknown.
    cut: Bools


class Steps(NamedTuple):
    """Steps between believed positions of one vehicle, by vehicle and time; equal lengths.

    Whole millimetres and microseconds: sums are exact, whatever their order.
    """

    #: The fixes at both ends, rows of the record's.
    begin: Rows
    end: Rows
    vehicle_id: NDArray[np.int32]
    from_us: Integers
    to_us: Integers
    distance_mm: Integers
    #: It was under way, rather than standing.
    drives: Bools
    #: Nobody saw it: a gap, or a jump of the receiver.
    silent: Bools
    #: Of such a step, how far apart its ends are, as far as that is no noise; 0 of any other.
    unseen_mm: Integers


def record(fixes: Fixes, rules: NDArray[np.void]) -> Record:
    """Put fixes in order, and judge their positions by the numbers of [motion] of a rulebook.

    Of several fixes of a vehicle at one moment one is taken, the same whatever their order was, and no more
    in a second than the engine judges.
    """
    time_us, vehicle_id = fixes.time_us, fixes.vehicle_id
    later = (vehicle_id[1:] > vehicle_id[:-1]) | (
        (vehicle_id[1:] == vehicle_id[:-1]) & (time_us[1:] > time_us[:-1])
    )
    if not later.all():
        order = np.lexsort([getattr(fixes, name) for name in reversed(list(fixes.dtypes()))])
        vehicle_id, time_us = vehicle_id[order], time_us[order]
        again = np.r_[False, (vehicle_id[1:] == vehicle_id[:-1]) & (time_us[1:] == time_us[:-1])]
        fixes = fixes.take(order[~again])
    kept = spaced(fixes.vehicle_id, fixes.time_us)
    fixes = fixes if kept.all() else fixes.take(kept)  # mostly all, and a copy of a city's day is not free
    told = believed(fixes, rules)
    index = np.flatnonzero(told.trusted)
    return Record(fixes, index, told.cut[index])


def measure(of: Record, rules: NDArray[np.void]) -> Steps:
    """Measure each step of a record."""
    fixes = of.fixes if len(of.believed) == len(of.fixes) else of.fixes.take(of.believed)
    row = np.flatnonzero(fixes.vehicle_id[1:] == fixes.vehicle_id[:-1])
    if not len(row):
        return _nothing()
    east, north = (along[row] for along in plane.steps_m(fixes.lat_udeg, fixes.lon_udeg))
    took_s = np.diff(fixes.time_us)[row] / MICROSECONDS
    vehicle, group = np.unique(fixes.vehicle_id[row], return_inverse=True)
    silent = (took_s > _gap_s(took_s, group, len(vehicle), rules)[group]) | of.cut[1:][row]
    told_kmh = reported_speed_kmh(fixes)
    path = _Path(east, north, took_s, group, silent, told_kmh[row], told_kmh[row + 1])
    distance_m, moves = _way_m(path, len(vehicle))
    chord_m = np.hypot(east, north)
    drives = moves & (distance_m * KMH_PER_MPS >= rest.STANDS_KMH * took_s)
    return Steps(
        begin=of.believed[row],
        end=of.believed[row + 1],
        vehicle_id=fixes.vehicle_id[row],
        from_us=fixes.time_us[row],
        to_us=fixes.time_us[row + 1],
        distance_mm=_whole_mm(distance_m),
        drives=drives,
        silent=silent,
        unseen_mm=_whole_mm(np.where(silent & (chord_m > UNSEEN_M), chord_m, 0.0)),
    )


class _Path(NamedTuple):
    """Steps on the way to being measured; equal lengths."""

    east: Floats
    north: Floats
    took_s: Floats
    #: Number of the vehicle.
    group: Rows
    silent: Bools
    #: Speed that the unit reports at either end, NaN unknown.
    begin_kmh: Floats
    end_kmh: Floats


def _way_m(path: _Path, groups: int) -> tuple[Floats, Bools]:
    """Return the way of each step, metres, and which steps are motion."""
    distance_m, in_motion = np.zeros(len(path.took_s)), np.zeros(len(path.took_s), np.bool_)
    seen = np.flatnonzero(~path.silent)
    if not len(seen):
        return distance_m, in_motion
    goes_on = np.r_[False, (np.diff(seen) == 1) & (np.diff(path.group[seen]) == 0)]
    part = _Path._make(values[seen] for values in path)
    noise = np.nan_to_num(smoothing.noise_m(part.east, part.north, part.took_s, part.group, groups))
    line = rest.line(part.east, part.north, part.took_s, goes_on)
    told = rest.seen(line, part.begin_kmh, part.end_kmh, noise[part.group])
    distance_m[seen] = told.rest_m
    at = np.flatnonzero(told.moves)
    moved = _Path._make(values[at] for values in part)
    noise = np.nan_to_num(smoothing.noise_m(moved.east, moved.north, moved.took_s, moved.group, groups))
    on = np.r_[False, np.diff(at) == 1][: len(at)] & goes_on[at]
    east, north = smoothing.smoothed(moved.east, moved.north, moved.took_s, noise[moved.group], on)
    distance_m[seen[at]] = shortfall.lengths_m(east, north, on, moved.group, groups)
    in_motion[seen[at]] = True
    return distance_m, in_motion


def _gap_s(took_s: Floats, group: Rows, groups: int, rules: NDArray[np.void]) -> Floats:
    """Return the silence that is a gap of each vehicle: the engine's, by the usual interval of the record.

    Intervals that are long by themselves say nothing of what is usual: a parked unit reports seldom.
    """
    short = np.flatnonzero(took_s <= rules["gap_s"])
    begins = np.searchsorted(group[short], np.arange(groups + 1)).tolist()
    usual_s = [
        float(np.median(took_s[short[begin:end]])) if end > begin else 0.0 for begin, end in pairwise(begins)
    ]
    return np.asarray(np.maximum(rules["gap_s"], rules["gap_intervals"] * np.array(usual_s)))


def _whole_mm(metres: Floats) -> Integers:
    return np.rint(metres * _MM).astype(np.int64)


def _nothing() -> Steps:
    none = np.empty(0, np.int64)
    no = np.empty(0, np.bool_)
    return Steps(none, none, np.empty(0, np.int32), none, none, none, no, no, none)

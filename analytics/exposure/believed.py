"""Which positions of a whole record count: those that the engine believes (`alerts.folding.motion`), found faster.

The engine folds fix after fix. Here a whole record is there at once, and nearly all of it is beyond doubt: a
step that no rule of belief can object to is found in columns. Only where a step is strange is the engine's
own fold asked, from some fixes before until it doubts nothing any more; what it says counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.folding import motion
from fleet import geo
from fleet.quality import farthest_m, has_position, reported_speed_kmh
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]


class Believed(NamedTuple):
    """One a fix of a record by vehicle and time."""

    #: The position is there, is believed and is not frozen.
    trusted: Bools
    #: It is, but how the vehicle came there is unknown.
    cut: Bools


def believed(fixes: Fixes, rules: NDArray[np.void]) -> Believed:
    """Judge the positions of fixes by vehicle and time; `rules` are the numbers of [motion] of a rulebook."""
    positioned = has_position(fixes)
    told = Believed(positioned.copy(), np.zeros(len(fixes), np.bool_))
    index = np.flatnonzero(positioned)
    there = fixes if len(index) == len(fixes) else fixes.take(index)
    plain = _plain(there, rules)
    strange = np.flatnonzero(~plain.after_others)
    if len(strange):
        trusted, cut = np.ones(len(there), np.bool_), np.zeros(len(there), np.bool_)
        _ask(there, _windows(there, strange, plain.alone), rules, Believed(trusted, cut))
        told.trusted[index], told.cut[index] = trusted, cut
    return told


class _Plain(NamedTuple):
    """Marks the fixes to which a truck can have come from the one before, if that one is believed."""

    #: Also by how fast the step before it was.
    after_others: Bools
    #: Without that.
    alone: Bools


def _plain(fixes: Fixes, rules: NDArray[np.void]) -> _Plain:
    if len(fixes) <= 1:
        return _Plain(*np.ones((2, len(fixes)), np.bool_))
    lat, lon = fixes.lat_udeg, fixes.lon_udeg
    moved_m = np.rint(geo.distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]) * 100) / 100
    took_s = np.diff(fixes.time_us) / MICROSECONDS
    goes_on = fixes.vehicle_id[1:] == fixes.vehicle_id[:-1]
    told_kmh = reported_speed_kmh(fixes)
    heard_kmh = np.fmax(told_kmh[1:], told_kmh[:-1])
    step_kmh = np.minimum(moved_m / np.maximum(took_s, 1e-3) * KMH_PER_MPS, rules["jump_kmh"])
    before_kmh = np.r_[np.nan, np.where(goes_on[:-1], step_kmh[:-1], np.nan)]
    still = (moved_m == 0) & (told_kmh[1:] >= rules["frozen_kmh"])

    def plain(before_kmh: Floats) -> Bools:
        limit_m = farthest_m(
            took_s,
            heard_kmh,
            before_kmh,
            ratio=rules["jump_ratio"],
            mps2=rules["jump_mps2"],
            max_kmh=rules["jump_kmh"],
        )
        reached = (moved_m <= np.fmax(limit_m, rules["jump_m"])) & ~still
        return np.concatenate([[True], ~goes_on | reached])

    return _Plain(plain(before_kmh), plain(np.full(len(took_s), np.nan)))


class _Windows(NamedTuple):
    """Pieces of a record that are folded side by side, by where they begin; equal lengths."""

    begin: Rows
    #: The last strange fix for which it is there, and where its vehicle's fixes are over.
    until: Rows
    end: Rows


def _windows(fixes: Fixes, strange: Rows, alone: Bools) -> _Windows:
    """Return a window for each strange fix; of those that begin together, one.

    It begins with the last step before that is plain whatever was before, so that the fold finds it so too.
    """
    vehicle = fixes.vehicle_id
    first = np.searchsorted(vehicle, vehicle[strange], side="left")
    end = np.searchsorted(vehicle, vehicle[strange], side="right")
    plain = np.maximum.accumulate(np.where(alone, np.arange(len(alone)), 0))
    begin = np.maximum(plain[strange - 1] - 1, first)
    last = np.flatnonzero(np.r_[np.diff(begin) > 0, True])
    return _Windows(begin[last], strange[last], end[last])


def _ask(fixes: Fixes, windows: _Windows, rules: NDArray[np.void], told: Believed) -> None:
    """Fold the engine over windows, and write what it says, in place.

    A window lasts until all that is strange in it is past and nothing is in doubt. One that reaches the next
    goes on through it: it has seen more, and the next one's own word does not count.
    """
    at, state = windows.begin.copy(), motion.blank(len(windows.begin))
    said: list[tuple[Rows, Rows, Bools, Bools]] = []
    open_ = np.arange(len(at))
    while len(open_):
        row = at[open_]
        moved = motion.step(state[open_], fixes.take(row), rules)
        state[open_] = moved.after
        said.append((open_, row, moved.trusted, moved.cut))
        at[open_] += 1
        after = moved.after
        calm = (after["doubt_us"] < 0) & (after["reach_m"] == 0) & (after["frozen_us"] < 0)
        calm &= ~np.isnan(after["step_m"])  # the next fix can be compared with how fast this one came
        begun = np.searchsorted(windows.begin, row, side="right") - 1
        done = calm & (row >= windows.until[begun])
        open_ = open_[~done & (at[open_] < windows.end[open_])]
    over = _swallowed(windows, at)
    for window, row, trusted, cut in said:
        counts = ~over[window]
        told.trusted[row[counts]], told.cut[row[counts]] = trusted[counts], cut[counts]


def _swallowed(windows: _Windows, at: Rows) -> Bools:
    """Mark the windows that begin before an earlier one of the same vehicle is over."""
    over = np.zeros(len(at), np.bool_)
    reached, vehicle_end = -1, -1
    for window, (begin, end) in enumerate(zip(windows.begin.tolist(), windows.end.tolist(), strict=True)):
        over[window] = end == vehicle_end and begin < reached
        if not over[window]:
            reached, vehicle_end = int(at[window]), end
    return over

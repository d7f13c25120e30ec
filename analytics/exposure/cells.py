"""Where, when and how it was driven: steps cut by hour, county, fence classes and load, and summed.

The cells are what adds up: a day is the sum of its hours, a city of its counties, and every total of the
product is a sum of cells. A step is cut at the full hour, and in its middle where its ends lie in different
places; the parts of its whole millimetres and microseconds add up exactly, wherever it is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analytics.exposure.steps import Steps
from fleet.columns import Columns, FixFlag
from fleet.fences.versions import KINDS
from fleet.kinds import FenceKind
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from analytics.exposure.steps import Record
    from fleet.fences.index import FenceIndex

    Integers = NDArray[np.int64]
    Rows = NDArray[np.intp]

HOUR_US = 3600 * MICROSECONDS
#: Whole hours that civil time is ahead: full hours are full hours in both.
_AHEAD_HOURS = int(CIVIL_ZONE.utcoffset(None).total_seconds()) // 3600
#: 1970 began on a Thursday.
_EPOCH_HOUR_OF_WEEK = 3 * 24
UNKNOWN = -1
#: Fence classes whose vehicles are told apart, a bit each: several may overlap.
CLASSES = (
    FenceKind.SITE,
    FenceKind.FORBIDDEN,
    FenceKind.PERMITTED,
    FenceKind.SPEED_ZONE,
    FenceKind.MUST_STOP,
)


class Labels(NamedTuple):
    """Where each fix of a record is, and how; -1 unknown."""

    #: Fence id of the district.
    county: NDArray[np.int32]
    #: Bits of `CLASSES`; 0 outside of all.
    classes: NDArray[np.int16]
    #: 1 loaded, 0 empty.
    loaded: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Cells(Columns):
    """Sums by vehicle, hour and labels; equal lengths. Whole millimetres and microseconds."""

    vehicle_id: NDArray[np.int32]
    #: Beginning of the hour, microseconds since 1970.
    hour_us: Integers
    county: NDArray[np.int32]
    classes: NDArray[np.int16]
    loaded: NDArray[np.int16]
    #: Way driven, and that of it at intervals so short that turns can be judged.
    distance_mm: Integers
    fine_mm: Integers
    #: Time under way, time that it stood, and time of which nothing is known.
    driven_us: Integers
    stood_us: Integers
    silent_us: Integers
    #: Of the time of which nothing is known: that in which it came to be elsewhere, and how far at least.
    unseen_us: Integers
    unseen_mm: Integers

    @classmethod
    def dtypes(cls) -> Mapping[str, str]:
        """Name and NumPy type of each column, in order."""
        return _DTYPES

    @property
    def hour_of_week(self) -> NDArray[np.int64]:
        """The civil hour of the week of each, 0 from Monday midnight."""
        return (self.hour_us // HOUR_US + _EPOCH_HOUR_OF_WEEK + _AHEAD_HOURS) % (7 * 24)


KEY = ("vehicle_id", "hour_us", "county", "classes", "loaded")
MEASURES = ("distance_mm", "fine_mm", "driven_us", "stood_us", "silent_us", "unseen_us", "unseen_mm")
_DTYPES = {
    "vehicle_id": "i4",
    "hour_us": "i8",
    "county": "i4",
    "classes": "i2",
    "loaded": "i2",
    **dict.fromkeys(MEASURES, "i8"),
}


def labels(of: Record, fences: FenceIndex | None = None) -> Labels:
    """Return where each fix is, by an index of districts and `CLASSES`, and whether its unit says loaded."""
    fixes = of.fixes
    county = np.full(len(fixes), UNKNOWN, np.int32)
    classes = np.full(len(fixes), UNKNOWN, np.int16)
    loaded = np.where(fixes.flags & FixFlag.LOAD_KNOWN, (fixes.flags & FixFlag.LOADED) != 0, UNKNOWN)
    if fences is not None:
        at = of.believed
        inside = fences.inside(fixes.lat_udeg[at], fixes.lon_udeg[at], fixes.time_us[at])
        kind, row = fences.fences.kind[inside.version], at[inside.row]
        classes[at] = 0
        for bit, one in enumerate(CLASSES):
            classes[row[kind == KINDS.index(one)]] |= 1 << bit
        district = np.flatnonzero(kind == KINDS.index(FenceKind.DISTRICT))[::-1]  # of several, the first
        county[row[district]] = fences.fences.fence_id[inside.version[district]]
    return Labels(county, classes, loaded.astype(np.int16))


def cells(steps: Steps, at: Labels, *, fine_s: float, from_us: int, until_us: int) -> Cells:
    """Return the cells of [from_us, until_us): what a step leads beyond belongs to another time."""
    index = np.flatnonzero((steps.to_us > from_us) & (steps.from_us < until_us))
    of = Steps._make(values[index] for values in steps)
    row, began_us, ended_us = _pieces(of, at, (from_us, until_us))
    begin, whole = of.from_us[row], (of.to_us - of.from_us)[row]
    # The amount up to a moment depends on the moment alone: however a step is cut, its parts add up.
    upto, since = (ended_us - begin) / whole, (began_us - begin) / whole

    def share(amount: Integers) -> Integers:
        return np.asarray(np.floor(amount[row] * upto) - np.floor(amount[row] * since)).astype(np.int64)

    took_us, silent = ended_us - began_us, of.silent[row]
    fix = np.where(began_us - begin < whole // 2, of.begin[row], of.end[row])
    fine = of.to_us - of.from_us <= fine_s * MICROSECONDS
    return summed(
        Cells(
            vehicle_id=of.vehicle_id[row],
            hour_us=began_us // HOUR_US * HOUR_US,
            **{
                name: np.where(silent, UNKNOWN, getattr(at, name)[fix]).astype(_DTYPES[name])
                for name in at._fields
            },
            distance_mm=share(of.distance_mm),
            fine_mm=share(np.where(fine, of.distance_mm, 0)),
            driven_us=np.where(of.drives[row], took_us, 0),
            stood_us=np.where(of.drives[row] | silent, 0, took_us),
            silent_us=np.where(silent, took_us, 0),
            unseen_us=np.where(of.unseen_mm[row] > 0, took_us, 0),
            unseen_mm=share(of.unseen_mm),
        )
    )


def summed(of: Cells, key: tuple[str, ...] = KEY) -> Cells:
    """Return a cell for each combination of the columns of `key`; the other columns of a key are unknown."""
    if not len(of):
        return of
    order = np.lexsort([getattr(of, name) for name in reversed(key)])
    keys = {name: getattr(of, name)[order] for name in key}
    new = np.zeros(len(of), np.bool_)
    new[0] = True
    for values in keys.values():
        new[1:] |= values[1:] != values[:-1]
    first = np.flatnonzero(new)
    return Cells.build(
        **{name: values[first] for name, values in keys.items()},
        **{name: np.add.reduceat(getattr(of, name)[order], first) for name in MEASURES},
    )


def _pieces(of: Steps, at: Labels, instants_us: tuple[int, int]) -> tuple[Rows, Integers, Integers]:
    """Return the pieces of steps between two instants: row of the step, beginning and end of the piece."""
    rows, times = [np.arange(len(of.from_us))], [of.from_us]
    for cut_rows, cut_us in _cuts(of, at, instants_us):
        inside = (of.from_us[cut_rows] < cut_us) & (cut_us < of.to_us[cut_rows])
        rows.append(cut_rows[inside])
        times.append(cut_us[inside])
    row, began_us = np.concatenate(rows), np.concatenate(times)
    order = np.lexsort((began_us, row))
    row, began_us = row[order], began_us[order]
    ended_us = np.r_[began_us[1:], 0]
    last = np.r_[row[1:] != row[:-1], True][: len(row)]
    ended_us = np.where(last, of.to_us[row], ended_us[: len(row)])
    kept = (began_us >= instants_us[0]) & (ended_us <= instants_us[1]) & (began_us < ended_us)
    return row[kept], began_us[kept], ended_us[kept]


def _cuts(of: Steps, at: Labels, instants_us: tuple[int, int]) -> list[tuple[Rows, Integers]]:
    """Return where steps are cut: rows and times; those outside of a step cut nothing."""
    every = np.arange(len(of.from_us))
    differs = np.zeros(len(every), np.bool_)
    for values in at:
        differs |= values[of.begin] != values[of.end]
    middle = np.flatnonzero(differs & ~of.silent)
    first_hour = of.from_us // HOUR_US + 1
    many = np.maximum((of.to_us - 1) // HOUR_US - of.from_us // HOUR_US, 0)
    hourly = np.repeat(every, many)
    hour = np.repeat(first_hour, many) + np.arange(len(hourly)) - np.repeat(np.cumsum(many) - many, many)
    return [
        (middle, of.from_us[middle] + (of.to_us - of.from_us)[middle] // 2),
        (hourly, hour * HOUR_US),
        *((every, np.full(len(every), instant_us)) for instant_us in instants_us),
    ]

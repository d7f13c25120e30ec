"""How fast a turn was driven, and whether the speed that the unit reports can be true.

Reported speed is used where it agrees with the positions. Where it does not (units smooth it, and then it
lags by seconds; or it is not of this vehicle's wheels), the figures are those of the positions, and the turn
cannot be judged by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.right_turn.path_memory import POINTS, SPACING_M
from alerts.rules.right_turn.turn_path import first
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.rules.right_turn.path import Bools, Floats, Parameters, Times
    from alerts.rules.right_turn.turn_path import Arc, Way

G_MPS2 = 9.80665
_HALF_CHORD_US = 2 * MICROSECONDS
_NEVER_US = 2**62
#: The inner part of an arc, where the course changes fast; and how much faster than in the mean of that.
_INNER_SHARE, _MAX_OF_MEAN = 0.6, 1.15


class Speeds(NamedTuple):
    """What is said of the speeds of turns; equal lengths."""

    #: Columns of `Turns` by name.
    figures: dict[str, NDArray[np.generic]]
    #: The reported speed contradicts the positions: the figures are those of these.
    disagrees: Bools


def measure(way: Way, arc: Arc, turned_deg: Floats, rules: Parameters) -> Speeds:
    """Return the speeds of the turn and of the way to it, its radius and lateral acceleration."""
    turning = way.between(arc.entry, arc.exit)
    kmh, slowest_kmh, fastest_kmh, disagrees = _agreed_kmh(way, turning, rules)
    entry_kmh, exit_kmh = way.at(kmh, arc.entry), way.at(kmh, arc.exit)
    # A stop is known at the next point.
    coming = way.between(arc.entry - rules["approach_m"] / SPACING_M, np.ceil(arc.entry))
    radius_m = arc.length * SPACING_M / np.deg2rad(np.maximum(turned_deg, 1))
    figures = {
        "entry_kmh": np.round(entry_kmh, 1),
        "min_kmh": np.round(np.minimum(_lowest(slowest_kmh, turning), np.minimum(entry_kmh, exit_kmh)), 1),
        "max_kmh": np.round(np.maximum(_highest(fastest_kmh, turning), np.maximum(entry_kmh, exit_kmh)), 1),
        "radius_m": np.round(radius_m, 1),
        "lateral_g": np.round((_arc_kmh(way, arc, kmh) / KMH_PER_MPS) ** 2 / radius_m / G_MPS2, 3),
        "approach_kmh": np.round(np.minimum(_lowest(slowest_kmh, coming), entry_kmh), 1),
        "approach_stood_s": np.round(np.where(coming, way.standing_cs, 0).sum(axis=1) / 100, 1),
        "approach_known_m": np.round((arc.entry - first(way.known)) * SPACING_M, 1),
    }
    return Speeds(figures, disagrees)


def _agreed_kmh(way: Way, turning: Bools, rules: Parameters) -> tuple[Floats, Floats, Floats, Bools]:
    """Return speed, slowest and fastest at each point, and whose reported speed contradicts the positions."""
    driven_kmh, along_kmh = _from_positions_kmh(way)
    reported_kmh = way.dkmh / 10
    told = way.dkmh >= 0
    kmh = np.where(told, reported_kmh, driven_kmh)
    slowest_kmh, fastest_kmh = np.minimum(kmh, way.slowest_dkmh / 10), np.maximum(kmh, way.fastest_dkmh / 10)
    # Straight across a tight arc is too short, along the way too long by its noise: the truth lies between.
    min_kmh, max_kmh = np.minimum(driven_kmh, along_kmh), np.maximum(driven_kmh, along_kmh)
    off_kmh = np.maximum(fastest_kmh - max_kmh, min_kmh - kmh)
    share = np.asarray(rules["agree_share"])[..., None]
    beyond = off_kmh > np.maximum(np.asarray(rules["agree_kmh"])[..., None], share * fastest_kmh)
    told |= way.fastest_dkmh > 0
    disagrees = (beyond & turning & told & ~_beside_stop(way)).any(axis=1)
    alike = ~disagrees[:, None]
    kmh, slowest_kmh, fastest_kmh = (
        np.where(alike, values, driven_kmh) for values in (kmh, slowest_kmh, fastest_kmh)
    )
    return kmh, slowest_kmh, fastest_kmh, disagrees


def _beside_stop(way: Way) -> Bools:
    """Mark the points beside a stop: there a speed over some seconds is not that of the moment."""
    held = way.held_cs > 0
    before, after = np.zeros_like(held), np.zeros_like(held)
    before[:, 1:], after[:, :-1] = held[:, :-1], held[:, 1:]
    return held | before | after


def _arc_kmh(way: Way, arc: Arc, kmh: Floats) -> Floats:
    """Return the highest speed on the arc; no more than the time that its inner part took allows."""
    on_arc = way.between(arc.middle - arc.length / 2, arc.middle + arc.length / 2)
    arc_kmh = np.maximum(_highest(kmh, on_arc), way.at(kmh, arc.middle))
    reach = arc.length * _INNER_SHARE / 2
    took_us = way.at(way.us, arc.middle + reach) - way.at(way.us, arc.middle - reach)
    mean_kmh = 2 * reach * SPACING_M / np.maximum(took_us / MICROSECONDS, 1e-3) * KMH_PER_MPS
    return np.asarray(np.minimum(arc_kmh, np.round(_MAX_OF_MEAN * mean_kmh, 1)))


def _from_positions_kmh(way: Way) -> tuple[Floats, Floats]:
    """Return the speed at each point from where the vehicle was two seconds before and after.

    Straight from there to there, and along the way.
    """
    oldest_us = np.where(way.known, way.us, _NEVER_US).min(axis=1)[:, None]
    from_us = np.maximum(way.us - _HALF_CHORD_US, oldest_us)
    until_us = np.minimum(way.us + _HALF_CHORD_US, way.us[:, -1:])
    start, end = _where(way, from_us), _where(way, until_us)
    per_s = MICROSECONDS / np.maximum(until_us - from_us, 1)
    apart_m = np.hypot(end.east_mm - start.east_mm, end.north_mm - start.north_mm) / 1000
    along_m = (end.place - start.place) * SPACING_M
    straight, along = (np.round(metres * per_s * KMH_PER_MPS, 1) for metres in (apart_m, along_m))
    return straight, along


class _Where(NamedTuple):
    """Where vehicles were, in points from the oldest and in millimetres; equal shapes."""

    place: Floats
    east_mm: Floats
    north_mm: Floats


def _where(way: Way, us: Times) -> _Where:
    """Return where the vehicles were at some times."""
    past = way.known[:, None, :] & (way.us[:, None, :] <= us[:, :, None])
    after = np.clip(POINTS - 1 - past[:, :, ::-1].argmax(axis=2) + 1, 1, POINTS - 1)
    row = np.arange(len(us))[:, None]
    from_us, until_us = way.us[row, after - 1], way.us[row, after]
    share = np.clip((us - from_us) / np.maximum(until_us - from_us, 1), 0, 1)
    east, north = (
        along[row, after - 1] + share * (along[row, after] - along[row, after - 1])
        for along in (way.east_mm, way.north_mm)
    )
    return _Where(after - 1 + share, east, north)


def _highest(values: Floats, mask: Bools) -> Floats:
    return np.asarray(np.where(mask, values, 0.0).max(axis=1))


def _lowest(values: NDArray[np.generic], mask: Bools) -> Floats:
    return np.asarray(np.where(mask, values, np.inf).min(axis=1))

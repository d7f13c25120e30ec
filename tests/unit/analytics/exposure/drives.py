"""Small drives in metres, as fixes at 30.7° north: what is expected of them is known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.in_force.rulebooks import Rulebooks
from alerts.rulebook import documents
from analytics.exposure import steps as measuring
from fleet.columns import Fixes
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from analytics.exposure.steps import Record, Steps

#: 2026-08-22, a Saturday, 10:00 civil time.
START_US = 1_787_364_000 * MICROSECONDS
LAT_UDEG, LON_UDEG = 30_700_000, 120_750_000
#: Metres a micro-degree there: north, and east.
NORTH_M, EAST_M = 0.110_864, 0.095_805
_BOOK = Rulebooks([documents.default()])
RULES = _BOOK.numbers("motion", np.zeros(1, np.int32))


def fixes(at_s: ArrayLike, east_m: ArrayLike, north_m: ArrayLike = 0.0, **columns: Any) -> Fixes:
    """Return fixes of one vehicle; `speed_kmh` is what the unit reports, and other columns are as stored."""
    if (speed_kmh := columns.pop("speed_kmh", None)) is not None:
        columns["speed_dkmh"] = np.rint(np.asarray(speed_kmh) * 10)
    return Fixes.build(
        time_us=START_US + np.rint(np.asarray(at_s, float) * MICROSECONDS).astype(np.int64),
        lat_udeg=LAT_UDEG + np.rint(np.asarray(north_m, float) / NORTH_M).astype(np.int64),
        lon_udeg=LON_UDEG + np.rint(np.asarray(east_m, float) / EAST_M).astype(np.int64),
        **{"vehicle_id": 1, "flags": 0} | columns,
    )


def straight(
    metres: float, *, speed_kmh: float = 36.0, every_s: float = 1.0, from_s: float = 0.0, **columns: Any
) -> Fixes:
    """Drive east at one speed."""
    at_s = np.arange(0.0, metres / (speed_kmh / 3.6) + 1e-9, every_s)
    return fixes(from_s + at_s, at_s * speed_kmh / 3.6, **columns)


def along(path: Callable[[NDArray[np.float64]], tuple[Any, Any]], metres: float, every_m: float) -> Fixes:
    """Drive along a path, given as places by way, at 36 km/h."""
    distance_m = np.linspace(0.0, metres, round(metres / every_m) + 1)
    return fixes(distance_m / 10.0, *path(distance_m))


def circle(radius_m: float) -> Callable[[NDArray[np.float64]], tuple[Any, Any]]:
    return lambda distance_m: (
        radius_m * np.sin(distance_m / radius_m),
        radius_m * np.cos(distance_m / radius_m),
    )


def block(side_m: float) -> Callable[[NDArray[np.float64]], tuple[Any, Any]]:
    """Return the way round a square block."""
    corner = np.arange(0, 5) * side_m
    return lambda distance_m: (
        np.interp(distance_m, corner, [0, side_m, side_m, 0, 0]),
        np.interp(distance_m, corner, [0, 0, side_m, side_m, 0]),
    )


def measured(*parts: Fixes) -> tuple[Record, Steps]:
    record = measuring.record(Fixes.concat(list(parts)), RULES)
    return record, measuring.measure(record, RULES)


def km(*parts: Fixes) -> float:
    return float(measured(*parts)[1].distance_mm.sum()) / 1e6

"""How well the speed that a unit reports follows its positions: by how much it lags, and its scale.

Receivers and apps smooth the speed, and then it is seconds late; a tachograph's may be calibrated for other
tyres. What is reported is compared with the speed of the positions at each lag of 0 to 5 s; the lag whose
residual is least is taken, and the scale is the median of the ratios there. Robust: medians throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet import geo
from fleet.quality import has_position, reported_speed_kmh
from fleet.units import KMH_PER_MPS, MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Floats = NDArray[np.float64]

#: Lags that are tried, seconds.
LAGS_S = np.arange(0.0, 5.01, 0.5)
#: Intervals between fixes over which nothing is compared, seconds.
_COARSE_S = 3.0
#: Half of the chord over which the speed of the positions is taken, seconds.
_HALF_CHORD_S = 1.5
#: Fewer fixes than this, or speeds that hardly change, say nothing.
_MIN_FIXES, _MIN_SPREAD_KMH = 60, 5.0
#: Slower than this, ratios are noise; faster no truck is.
_SLOW_KMH, _FAST_KMH = 10.0, 160.0
#: The best lag must explain so much more than the worst, or none stands out.
_STANDS_OUT = 0.7
#: From here on a lag, and a scale's distance from 1, are worth telling.
TOLD_LAG_S, TOLD_SCALE = 1.0, 0.1


class SpeedQuality(NamedTuple):
    """Of one vehicle."""

    vehicle_id: int
    #: Seconds by which the reported speed is late; None where no lag stands out.
    lag_s: float | None
    #: Reported speed over that of the positions.
    scale: float
    #: Fixes that were compared, and the first and last of them, microseconds since 1970.
    fixes: int
    from_us: int
    until_us: int

    @property
    def is_off(self) -> bool:
        """Whoever reads the speed should know it."""
        return (self.lag_s or 0.0) >= TOLD_LAG_S or abs(self.scale - 1) > TOLD_SCALE


def estimate(fixes: Fixes) -> Iterator[SpeedQuality]:
    """Yield what can be said of each vehicle's reported speed; nothing of those that say too little."""
    usable = fixes.take(has_position(fixes) & (fixes.speed_dkmh >= 0))
    usable = usable.take(np.lexsort((usable.time_us, usable.vehicle_id)))
    for vehicle_id in np.unique(usable.vehicle_id).tolist():
        if (told := _of_vehicle(usable.take(usable.vehicle_id == vehicle_id))) is not None:
            yield told


def _of_vehicle(fixes: Fixes) -> SpeedQuality | None:
    if len(fixes) < _MIN_FIXES:
        return None
    at_s = (fixes.time_us - fixes.time_us[0]) / MICROSECONDS
    reported_kmh, driven_kmh = reported_speed_kmh(fixes), _driven_kmh(fixes, at_s)
    known = ~np.isnan(driven_kmh)
    if known.sum() < _MIN_FIXES:
        return None
    delayed = np.stack([_at(at_s - lag_s, at_s[known], driven_kmh[known]) for lag_s in LAGS_S])
    counts = (delayed >= _SLOW_KMH).all(axis=0)
    if counts.sum() < _MIN_FIXES or np.std(driven_kmh[known]) < _MIN_SPREAD_KMH:
        return None
    delayed, reported_kmh = delayed[:, counts], reported_kmh[counts]
    scale = np.median(reported_kmh / delayed, axis=1)
    off_kmh = np.mean(np.abs(reported_kmh - scale[:, None] * delayed), axis=1)
    best = int(off_kmh.argmin())
    stands_out = off_kmh[best] <= _STANDS_OUT * off_kmh.max()
    place = best if stands_out else 0
    return SpeedQuality(
        vehicle_id=int(fixes.vehicle_id[0]),
        lag_s=float(LAGS_S[best]) if stands_out else None,
        scale=round(float(scale[place]), 2),
        fixes=int(counts.sum()),
        from_us=int(fixes.time_us[0]),
        until_us=int(fixes.time_us[-1]),
    )


def _driven_kmh(fixes: Fixes, at_s: Floats) -> Floats:
    """Return the speed at each fix, from where the vehicle was a little before and after; NaN unknown."""
    origin = fixes.lat_udeg[0], fixes.lon_udeg[0]
    along = geo.offset_m(*origin, fixes.lat_udeg, fixes.lon_udeg)
    before_s, after_s = at_s - _HALF_CHORD_S, at_s + _HALF_CHORD_S
    moved = [np.interp(after_s, at_s, metres) - np.interp(before_s, at_s, metres) for metres in along]
    kmh = np.hypot(*moved) / (2 * _HALF_CHORD_S) * KMH_PER_MPS
    begins, ends = np.searchsorted(at_s, before_s, side="right"), np.searchsorted(at_s, after_s)
    longest_s = np.maximum.accumulate(np.r_[0.0, np.where(np.diff(at_s) > _COARSE_S, at_s[1:], 0.0)])
    inside = (before_s >= at_s[0]) & (after_s <= at_s[-1])
    # The end of the newest long interval lies before the chord begins: it spans none.
    last = np.minimum(ends, len(at_s) - 1)
    fine = inside & (longest_s[last] <= at_s[np.maximum(begins - 1, 0)])
    return np.where(fine & (kmh <= _FAST_KMH), kmh, np.nan)


def _at(wanted_s: Floats, known_s: Floats, kmh: Floats) -> Floats:
    """Return speeds at other times; NaN where none is known on both sides, close by."""
    after = np.clip(np.searchsorted(known_s, wanted_s), 1, len(known_s) - 1)
    near = (known_s[after] - known_s[after - 1] <= _COARSE_S) & (wanted_s >= known_s[0])
    return np.where(near, np.interp(wanted_s, known_s, kmh), np.nan)

"""The track around an accident as SVG: where it went, north up, and how fast. Pure.

Words are in Chinese and English both: the drawing is kept once, and read by anybody. `<text>` holds numbers
and words of ours alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import FixFlag
from fleet.geo import offset_m
from fleet.schedule import CIVIL_ZONE
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fleet.columns import Fixes

    Floats = NDArray[np.float64]

_WIDTH, _PLAN, _CHART, _PAD = 420, 240, 110, 34
_GAP_US = 120 * MICROSECONDS
_INK, _FAINT, _TRACK, _MARK = "#26323c", "#9aa7b1", "#2563b8", "#b00b3a"
#: Fewer pixels apart than this two points of a line are one.
_FINE_PX = 0.4


def draw(fixes: Fixes, at_us: int | None) -> str:
    """Return the drawing of fixes by time, with the moment marked; "" without two positions."""
    placed = fixes.take((fixes.flags & FixFlag.NO_POSITION) == 0)
    if len(placed) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    height = _PLAN + _CHART + 3 * _PAD
    parts = [*_plan(placed, at_us), *_speeds(fixes, at_us)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12" fill="{_INK}">'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def _plan(fixes: Fixes, at_us: int | None) -> Iterator[str]:
    """Draw where it went."""
    east, north = offset_m(fixes.lat_udeg[0], fixes.lon_udeg[0], fixes.lat_udeg, fixes.lon_udeg)
    span_m = max(float(np.ptp(east)), float(np.ptp(north)) * _WIDTH / _PLAN, 20.0)
    scale = (_WIDTH - 2 * _PAD) / span_m
    scale = min(scale, (_PLAN - _PAD) / max(float(np.ptp(north)), 10.0))
    x = _WIDTH / 2 + (east - (east.min() + east.max()) / 2) * scale
    y = _PAD + _PLAN / 2 - (north - (north.min() + north.max()) / 2) * scale
    yield _lines(x, y, fixes.time_us)
    yield f'<circle cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="4" fill="#ffffff" stroke="{_TRACK}" stroke-width="2"/>'
    yield f'<circle cx="{x[-1]:.1f}" cy="{y[-1]:.1f}" r="4" fill="{_TRACK}"/>'
    if at_us is not None:
        place = int(np.abs(fixes.time_us - at_us).argmin())
        where = f'cx="{x[place]:.1f}" cy="{y[place]:.1f}"'
        yield f'<circle {where} r="7" fill="none" stroke="{_MARK}" stroke-width="3"/>'
    moment = "　◎ 事故时刻 accident" if at_us is not None else ""
    length_m = _nice(span_m / 5)
    yield (
        f'<path d="M{_PAD} {_PAD + _PLAN - 4}v4h{length_m * scale:.1f}v-4" fill="none" stroke="{_INK}"/>'
        f'<text x="{_PAD}" y="{_PAD + _PLAN - 8}">{length_m:g} m</text>'
        f'<text x="{_WIDTH - _PAD}" y="{_PAD - 10}" text-anchor="end">N ↑ 北</text>'
        f'<text x="{_PAD}" y="{_PAD - 10}">○ 起 start　● 止 end{moment}</text>'
    )


def _speeds(fixes: Fixes, at_us: int | None) -> Iterator[str]:
    """Draw how fast it went, by time."""
    known = fixes.take(fixes.speed_dkmh >= 0)
    top, bottom = _PLAN + 2 * _PAD, _PLAN + 2 * _PAD + _CHART
    yield f'<text x="{_PAD}" y="{top - 8}">车速 speed, km/h</text>'
    if len(known) < 2:  # noqa: PLR2004
        yield f'<text x="{_WIDTH / 2}" y="{top + _CHART / 2}" text-anchor="middle">无车速 no speeds</text>'
        return
    first, last = int(fixes.time_us[0]), int(fixes.time_us[-1])
    highest = max(float(_nice(float(known.speed_dkmh.max()) / 10 * 1.05, up=True)), 20.0)
    wide, left = _WIDTH - 2 * _PAD, _PAD
    for kmh in (0.0, highest / 2, highest):
        y = bottom - kmh / highest * _CHART
        yield f'<path d="M{left} {y:.1f}h{wide}" stroke="{_FAINT}" stroke-width=".5"/>'
        yield f'<text x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{kmh:g}</text>'
    x = left + (known.time_us - first) / max(last - first, 1) * wide
    yield _lines(x, bottom - known.speed_dkmh / 10 / highest * _CHART, known.time_us)
    for time_us, anchor in ((first, "start"), (last, "end")):
        place = left if anchor == "start" else left + wide
        yield f'<text x="{place}" y="{bottom + 18}" text-anchor="{anchor}">{_clock(time_us)}</text>'
    if at_us is not None and first <= at_us <= last:
        place_x = left + (at_us - first) / max(last - first, 1) * wide
        yield f'<path d="M{place_x:.1f} {top}V{bottom}" stroke="{_MARK}" stroke-width="2"/>'
        where = f'x="{place_x:.1f}" y="{bottom + 18}" text-anchor="middle"'
        yield f'<text {where} fill="{_MARK}">{_clock(at_us)}</text>'


def _lines(x: Floats, y: Floats, time_us: NDArray[np.int64]) -> str:
    """Return lines through points, broken where nobody knows the way between two of them."""
    breaks = np.r_[True, np.diff(time_us) > _GAP_US]
    moved = np.r_[True, np.hypot(np.diff(x), np.diff(y)) > _FINE_PX]
    keep = breaks | moved | np.r_[breaks[1:], True]
    steps = zip(x[keep].tolist(), y[keep].tolist(), breaks[keep].tolist(), strict=True)
    path = "".join(f"{'M' if begins else 'L'}{px:.1f} {py:.1f}" for px, py, begins in steps)
    return f'<path d="{path}" fill="none" stroke="{_TRACK}" stroke-width="2" stroke-linejoin="round"/>'


def _nice(value: float, *, up: bool = False) -> float:
    """Return 1, 2 or 5 times a power of ten, at most the value; or at least."""
    power = 10 ** np.floor(np.log10(max(value, 1e-9)))
    steps = [float(power * step) for step in (1, 2, 5, 10)]
    if up:
        return next(step for step in steps if step >= value * 0.999)
    return next(step for step in reversed(steps) if step <= value * 1.001)


def _clock(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us / MICROSECONDS, UTC).astimezone(CIVIL_ZONE):%H:%M:%S}"

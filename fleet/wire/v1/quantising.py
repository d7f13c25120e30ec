"""Payload structs to columns in stored units.

Values are rounded to the stored unit, half to even: micro-degrees (0.11 m), 0.1 km/h, whole degrees of
course (360 is 0), metres, 0.1 km, tenths of HDOP, whole km/h of limit. Times keep microseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.columns import (
    UNKNOWN,
    UNKNOWN_ALTITUDE_M,
    CameraEvents,
    CameraState,
    Fixes,
    FixFlag,
    HealthReports,
    Phase,
    Side,
    Target,
)
from fleet.datum import to_wgs84

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fleet.wire.v1.payloads import CameraIn, FixIn, HealthIn

    Floats = NDArray[np.float64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UDEG = 1e6
FULL_TURN_DEG = 360


#: Numbers from here to there are seconds, of 1973 and later: as milliseconds they would lie in 1970 to 1973.
SECONDS_FROM, SECONDS_BELOW = 10**8, 10**11


def time_us(moment: datetime | float) -> int:
    """Return microseconds since 1970 of an aware datetime, or of epoch milliseconds or seconds."""
    if isinstance(moment, datetime):
        return (moment - _EPOCH) // _MICROSECOND
    return round(moment * (1_000_000 if SECONDS_FROM <= moment < SECONDS_BELOW else 1000))


def times_us(rows: Sequence[Any]) -> NDArray[np.int64]:
    """Return the times of payload structs, microseconds since 1970."""
    times = [row.time for row in rows]
    if set(map(type, times)) == {datetime}:  # the usual case, without a call for each
        return np.fromiter([(t - _EPOCH) // _MICROSECOND for t in times], np.int64, len(times))
    return np.fromiter(map(time_us, times), np.int64, len(times))


def fixes(rows: Sequence[FixIn], vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64]) -> Fixes:
    """Return fixes as columns; `at_us` are their times."""
    lat, lon, speed, course, altitude, odometer, satellites, hdop, limit = _numbers(rows)
    lat, lon, converted = _in_wgs84(rows, lat, lon)
    lat_udeg, lon_udeg = _rounded(lat, _UDEG, "i4"), _rounded(lon, _UDEG, "i4")
    course_deg = _rounded(course, 1, "i2")
    no_position = ((lat_udeg == 0) & (lon_udeg == 0)) | (satellites == 0)
    return Fixes(
        vehicle_id=vehicle_id,
        time_us=at_us,
        lat_udeg=lat_udeg,
        lon_udeg=lon_udeg,
        speed_dkmh=_rounded(speed, 10, "i2"),
        course_deg=np.where(course_deg == FULL_TURN_DEG, np.int16(0), course_deg),
        altitude_m=_rounded(altitude, 1, "i2", UNKNOWN_ALTITUDE_M),
        odometer_hm=_rounded(odometer, 10, "i4"),
        satellites=_rounded(satellites, 1, "i2"),
        hdop_tenths=_rounded(hdop, 10, "i2"),
        limit_kmh=_rounded(limit, 1, "i2"),
        flags=_flags(rows)
        | _where(no_position, FixFlag.NO_POSITION)
        | _where(converted, FixFlag.DATUM_CONVERTED),
    )


def camera(rows: Sequence[CameraIn], vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64]) -> CameraEvents:
    """Return camera events as columns."""
    table = np.array([(r.lat or 0, r.lon or 0, r.speed_kmh) for r in rows], float).reshape(-1, 3)
    lat, lon, _ = _in_wgs84(rows, table[:, 0], table[:, 1])
    return CameraEvents(
        vehicle_id=vehicle_id,
        time_us=at_us,
        event_id=_texts([r.id for r in rows]),
        side=np.array([SIDES[r.side] for r in rows], "i2"),
        target=np.array([TARGETS[r.target] for r in rows], "i2"),
        phase=np.array([PHASES[r.phase] for r in rows], "i2"),
        lat_udeg=_rounded(lat, _UDEG, "i4"),
        lon_udeg=_rounded(lon, _UDEG, "i4"),
        speed_dkmh=_rounded(table[:, 2], 10, "i2"),
        evidence=_texts([r.evidence or "" for r in rows]),
    )


def health(
    rows: Sequence[HealthIn], vehicle_id: NDArray[np.int32], at_us: NDArray[np.int64]
) -> HealthReports:
    """Return health reports as columns."""
    return HealthReports(
        vehicle_id=vehicle_id,
        time_us=at_us,
        camera=np.array([CAMERA_STATES[r.camera] for r in rows], "i2"),
        power=np.array([POWER[r.power] for r in rows], "i2"),
        gnss=np.array([GNSS[r.gnss] for r in rows], "i2"),
        firmware=_texts([r.firmware or "" for r in rows]),
    )


SIDES = {side.name.lower(): side for side in Side}
TARGETS: dict[str | None, Target] = {None: Target.UNKNOWN} | {t.name.lower(): t for t in Target}
PHASES = {phase.name.lower(): phase for phase in Phase}
CAMERA_STATES = {state.name.lower(): state for state in CameraState}
POWER: dict[str | None, int] = {None: UNKNOWN, "ok": 1, "cut": 0}
GNSS: dict[str | None, int] = {None: UNKNOWN, "ok": 1, "fault": 0}

_NUMBERS: list[Callable[[FixIn], float | None]] = [
    attrgetter("lat"),
    attrgetter("lon"),
    attrgetter("speed_kmh"),
    attrgetter("course_deg"),
    attrgetter("altitude_m"),
    attrgetter("odometer_km"),
    attrgetter("satellites"),
    attrgetter("hdop"),
    attrgetter("limit_kmh"),
]


def _numbers(rows: Sequence[FixIn]) -> Floats:
    """Return the numeric fields, a row a field; NaN where absent (NumPy makes NaN of None)."""
    return np.array([list(map(get, rows)) for get in _NUMBERS], float)


def _rounded(values: Floats, scale: float, dtype: str, unknown: int = UNKNOWN) -> NDArray[Any]:
    """Return `values * scale` as integers, half to even; NaN becomes `unknown`."""
    scaled = np.rint(values * scale)
    return np.where(np.isnan(scaled), unknown, scaled).astype(dtype)


def _texts(values: list[str]) -> NDArray[np.object_]:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _in_wgs84(
    rows: Sequence[FixIn | CameraIn], lat: Floats, lon: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Convert the positions that came in another datum, and mark them."""
    datums = [row.datum or "wgs84" for row in rows]
    converted = np.zeros(len(rows), bool)
    for datum in set(datums) - {"wgs84"}:
        there = np.array([d == datum for d in datums])
        lat[there], lon[there] = to_wgs84(lat[there], lon[there], datum)
        converted |= there
    return lat, lon, converted


# ---------------------------------------------------------------- yes, no or unknown

_SIGNALS = attrgetter("right_indicator", "left_indicator", "brake")


def _switch(known: FixFlag, on: FixFlag) -> dict[bool | None, int]:
    return {None: 0, False: int(known), True: int(known | on)}


IGNITION = _switch(FixFlag.IGNITION_KNOWN, FixFlag.IGNITION_ON)
LOAD: dict[str | None, int] = {
    None: 0,
    "empty": int(FixFlag.LOAD_KNOWN),
    "loaded": int(FixFlag.LOAD_KNOWN | FixFlag.LOADED),
}
SIGNALS = {
    (right, left, brake): right_bits | left_bits | brake_bits
    for right, right_bits in _switch(FixFlag.RIGHT_INDICATOR_KNOWN, FixFlag.RIGHT_INDICATOR_ON).items()
    for left, left_bits in _switch(FixFlag.LEFT_INDICATOR_KNOWN, FixFlag.LEFT_INDICATOR_ON).items()
    for brake, brake_bits in _switch(FixFlag.BRAKE_KNOWN, FixFlag.BRAKE_ON).items()
}


def _where(mask: NDArray[np.bool_], flag: FixFlag) -> NDArray[np.int16]:
    return np.where(mask, np.int16(flag), np.int16(0))


def _flags(rows: Sequence[FixIn]) -> NDArray[np.int16]:
    flags = [IGNITION[row.ignition] | LOAD[row.load] for row in rows]
    for i, signals in enumerate([row.signals for row in rows]):
        if signals is not None:
            flags[i] |= SIGNALS[_SIGNALS(signals)]
    return np.array(flags, np.int16)

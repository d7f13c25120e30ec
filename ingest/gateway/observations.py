"""Location reports of JT/T 808 to the columns of Kerbsafe. Pure.

Nothing is made up: what a terminal does not tell, or tells outside of what can be, is unknown. A load of 00
says nothing, for most terminals know nothing of the load; so do alarms and items of an edition or vendor that
no table knows.
"""

from __future__ import annotations

from datetime import datetime
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
)
from fleet.units import to_us
from fleet.wire.jt808.columns import NO_TIME
from fleet.wire.jt808.items import read_item
from fleet.wire.jt808.position import MAX_LAT_UDEG, MAX_LON_UDEG
from fleet.wire.jt808.safety import BLIND_AREA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fleet.wire.jt808.columns import Reports
    from fleet.wire.jt808.models import Model

    Ints = NDArray[np.int64]

_ACC = 1 << 0
_LOAD_SHIFT, _LOAD_MASK, _HALF, _FULL = 8, 0b11, 0b01, 0b11
_RIGHT, _LEFT, _BRAKE = 1 << 2, 1 << 3, 1 << 4
_MAX_SPEED_DKMH, _FULL_TURN_DEG = 4000, 360
_MIN_ALTITUDE_M, _MAX_ALTITUDE_M = -500, 9000
_MAX_ODOMETER_HM = 200_000_000

_POWER_CUT, _CAMERA_FAULT = 1 << 8, 1 << 11
_GNSS_FAULTS = 1 << 4 | 1 << 5 | 1 << 6
_SIGNAL_LOST, _OCCLUDED, _STORAGE = 1 << 0, 1 << 1, 1 << 2

#: What becomes of alarm flags here; the others have no place in wire v1.
CARRIED_ALARMS = _POWER_CUT | _CAMERA_FAULT | _GNSS_FAULTS

_SIDES = {"right": Side.RIGHT, "left": Side.LEFT, "rear": Side.REAR}
_PHASES = {0: Phase.SINGLE, 1: Phase.START, 2: Phase.END}


def fixes(reports: Reports, offset_us: Ints, *, is_2011: NDArray[np.bool_]) -> Fixes:
    """Return the reports as fixes of no vehicle yet, a row each.

    Parameters
    ----------
    offset_us
        What to add to the time of each.
    is_2011
        Of terminals of that edition, which reserves the bits of the load.
    """
    possible = (np.abs(reports.lat_udeg) <= MAX_LAT_UDEG) & (np.abs(reports.lon_udeg) <= MAX_LON_UDEG)
    course = np.where(reports.course_deg == _FULL_TURN_DEG, 0, reports.course_deg.astype(np.int64))
    altitude = reports.altitude_m.astype(np.int64)
    # Some say that they are located, and count no satellites: they do not count them at all.
    uncounted = reports.valid & (reports.satellites == 0)
    return Fixes.build(
        time_us=np.where(reports.time_us == NO_TIME, 0, reports.time_us + offset_us),
        lat_udeg=np.where(possible, reports.lat_udeg, 0),
        lon_udeg=np.where(possible, reports.lon_udeg, 0),
        speed_dkmh=_up_to(_MAX_SPEED_DKMH, reports.speed_dkmh.astype(np.int64)),
        course_deg=_up_to(_FULL_TURN_DEG - 1, course),
        altitude_m=np.where(
            (altitude >= _MIN_ALTITUDE_M) & (altitude <= _MAX_ALTITUDE_M), altitude, UNKNOWN_ALTITUDE_M
        ),
        odometer_hm=_up_to(_MAX_ODOMETER_HM, reports.odometer_100m),
        satellites=np.where(uncounted, UNKNOWN, reports.satellites),
        flags=_flags(reports, is_2011),
    )


def _up_to(most: int, values: Ints) -> Ints:
    return np.where(values <= most, values, UNKNOWN)


def _flags(reports: Reports, is_2011: NDArray[np.bool_]) -> Ints:
    status, signals = reports.status.astype(np.int64), reports.signals
    load = (status >> _LOAD_SHIFT) & _LOAD_MASK
    lamps = signals != UNKNOWN
    flags = np.full(len(reports), int(FixFlag.IGNITION_KNOWN), np.int64)
    for holds, bits in (
        ((status & _ACC) != 0, FixFlag.IGNITION_ON),
        (
            lamps,
            FixFlag.RIGHT_INDICATOR_KNOWN | FixFlag.LEFT_INDICATOR_KNOWN | FixFlag.BRAKE_KNOWN,
        ),
        (lamps & ((signals & _RIGHT) != 0), FixFlag.RIGHT_INDICATOR_ON),
        (lamps & ((signals & _LEFT) != 0), FixFlag.LEFT_INDICATOR_ON),
        (lamps & ((signals & _BRAKE) != 0), FixFlag.BRAKE_ON),
        (~is_2011 & ((load == _HALF) | (load == _FULL)), FixFlag.LOAD_KNOWN | FixFlag.LOADED),
        (~reports.valid, FixFlag.NO_POSITION),
    ):
        flags |= np.where(holds, int(bits), 0)
    return flags


def health(reports: Reports, offset_us: Ints) -> HealthReports:
    """Return what the reports say of the units themselves, a row each.

    A camera is well only if a terminal says so: all its video alarms (0x14), or the channels without signal
    and those that are occluded (0x15, 0x16), are told and none is on.
    """
    video, lost, occluded = reports.video_alarms, reports.channels_without_signal, reports.channels_occluded
    told = (video != UNKNOWN) | ((lost != UNKNOWN) & (occluded != UNKNOWN))
    alarm = reports.alarm.astype(np.int64)
    camera = np.select(
        [
            _on(video, _SIGNAL_LOST) | (lost > 0) | ((alarm & _CAMERA_FAULT) != 0),
            _on(video, _OCCLUDED) | (occluded > 0),
            _on(video, _STORAGE) | (reports.storage_faults > 0),
            told,
        ],
        [CameraState.NO_SIGNAL, CameraState.COVERED, CameraState.STORAGE, CameraState.OK],
        CameraState.UNKNOWN,
    )
    return HealthReports.build(
        time_us=np.where(reports.time_us == NO_TIME, 0, reports.time_us + offset_us),
        camera=camera,
        power=(alarm & _POWER_CUT) == 0,
        gnss=(alarm & _GNSS_FAULTS) == 0,
        firmware=np.full(len(reports), "", object),
    )


def _on(values: Ints, bits: int) -> NDArray[np.bool_]:
    return np.asarray((values != UNKNOWN) & ((values & bits) != 0))


def sightings(
    reports: Reports, offset_us: Ints, models: Sequence[Model]
) -> tuple[NDArray[np.intp], CameraEvents]:
    """Return the blind-area alarms (0x67): the report of each, and what it says.

    It says from where somebody approaches; a type code that no table of the terminal's model explains has no
    side, and is not guessed. `models` has one a report.
    """
    rows, found = [], []
    for at in np.flatnonzero(reports.items.id == BLIND_AREA).tolist():
        row = int(reports.items.row[at])
        values, _ = read_item(BLIND_AREA, reports.value(at), models[row])
        said = values.get("active_safety")
        side = None if said is None else _SIDES.get(said["type_name"].partition("_")[0])
        if said is None or side is None:
            continue
        rows.append(row)
        found.append(tuple(_event(said, side, int(reports.time_us[row]), int(offset_us[row]))))
    if not rows:
        return np.zeros(0, np.intp), CameraEvents.empty()
    columns: dict[str, Any] = dict(zip(_EVENT, zip(*found, strict=True), strict=True))
    for name in ("event_id", "evidence"):
        columns[name] = np.array(columns[name], object)
    return np.array(rows, np.intp), CameraEvents.build(**columns)


_EVENT = ("time_us", "event_id", "side", "phase", "lat_udeg", "lon_udeg", "speed_dkmh", "evidence")


def _event(said: dict[str, Any], side: Side, report_us: int, offset_us: int) -> Iterator[Any]:
    yield (report_us if said["time"] is None else to_us(datetime.fromisoformat(said["time"]))) + offset_us
    # The counter is the same for the begin and the end; some devices never count.
    yield f"{said['alarm_id']}-{said['type']:02x}"
    yield side
    yield _PHASES.get(said["flag"], Phase.SINGLE)
    lat_udeg, lon_udeg = round(said["lat"] * 1e6), round(said["lon"] * 1e6)
    there = lat_udeg <= MAX_LAT_UDEG and lon_udeg <= MAX_LON_UDEG
    yield lat_udeg if there else 0
    yield lon_udeg if there else 0
    yield said["speed_kmh"] * 10
    yield _evidence(said["ident"])


def _evidence(ident: dict[str, Any]) -> str:
    """Return what ties an alarm to its pictures, where it has some: they are asked for by it (0x9208)."""
    if not ident["attachments"]:
        return ""
    parts = (ident["terminal_id"], ident["time"], ident["sequence"])
    return "jt808:" + "/".join("" if part is None else str(part) for part in parts)

"""Which speed zone gave an alert its limit, by the fences and the hour of the time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from console.zones import zones_at
from fleet.columns import Fixes, FixFlag
from fleet.entities import Fence
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind
from fleet.schedule import parse_schedule
from fleet.units import MICROSECONDS, to_us

#: 08:00 in Shanghai, a Monday.
MORNING_US = to_us(datetime(2026, 11, 23, 0, 0, tzinfo=UTC))


def zone(
    number: int, west: float, east: float, limit_kmh: int = 30, hours: str | None = None
) -> FenceVersion:
    ring = [[west, 30.7], [east, 30.7], [east, 30.8], [west, 30.8], [west, 30.7]]
    schedule = None if hours is None else parse_schedule(hours)
    fence = Fence(
        code=f"z{number}",
        kind=FenceKind.SPEED_ZONE,
        geometry={"type": "Polygon", "coordinates": [ring]},
        limit_kmh=limit_kmh,
        schedule=schedule,
    )
    return FenceVersion(number, 0, fence)


def drive(*lon: float, kmh: tuple[float, ...] = (), flags: int = 0) -> Fixes:
    return Fixes.build(
        vehicle_id=1,
        time_us=MORNING_US + np.arange(len(lon)) * MICROSECONDS,
        lat_udeg=30_750_000,
        lon_udeg=np.rint(np.array(lon) * 1e6).astype(np.int32),
        speed_dkmh=np.rint(np.array(kmh or (50.0,) * len(lon)) * 10),
        flags=flags,
    )


def codes(zones: list[FenceVersion], fixes: Fixes, peak_kmh: float = 50.0) -> list[str]:
    made = Fences(zones)
    return [made.codes[row] for row in zones_at(made, fixes, 30, peak_kmh)]


SCHOOL, BRIDGE = zone(1, 120.70, 120.75), zone(2, 120.75, 120.80)


def test_the_zone_that_it_is_in() -> None:
    assert codes([SCHOOL, BRIDGE], drive(120.72)) == ["z1"]


def test_of_two_on_the_way_the_one_of_the_peak() -> None:
    assert codes([SCHOOL, BRIDGE], drive(120.72, 120.77, kmh=(44, 50))) == ["z2"]


def test_both_where_the_peak_was_in_none() -> None:
    assert codes([SCHOOL, BRIDGE], drive(120.72, 120.77, kmh=(44, 45))) == ["z1", "z2"]


def test_a_zone_of_another_limit_did_not_rule() -> None:
    assert codes([SCHOOL, zone(3, 120.70, 120.75, limit_kmh=40)], drive(120.72)) == ["z1"]


def test_nor_one_of_another_hour() -> None:
    night, morning = (
        zone(4, 120.70, 120.75, hours="daily 22:00-06:00"),
        zone(5, 120.7, 120.75, hours="mon 07:30-08:30"),
    )
    assert codes([night, morning], drive(120.72)) == ["z5"]


def test_nothing_is_said_of_fixes_without_a_position() -> None:
    assert codes([SCHOOL], drive(120.72, flags=FixFlag.NO_POSITION)) == []
    assert codes([SCHOOL], Fixes.empty()) == []
    assert codes([], drive(120.72)) == []

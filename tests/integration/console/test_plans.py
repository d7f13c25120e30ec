"""The map asks once a second: its query must touch one row a vehicle, however many are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from console.queries import QUERIES

if TYPE_CHECKING:
    from tests.integration.console.conftest import Store

VEHICLES, FIXES = 200, 300


async def test_the_newest_position_is_one_probe_of_the_key(store: Store) -> None:
    """Also before the planner knows anything of the day's table, as after each midnight."""
    now = datetime.now(UTC)
    await store.connection.execute(
        "insert into fix (vehicle_id, time, batch_id, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, "
        "course_deg, altitude_m, satellites, hdop_tenths, limit_kmh, flags) "
        "select vehicle, $1::timestamptz - second * interval '1 s', 1, 30000000, 120000000, "
        "-1, 300, 90, 0, 9, 9, -1, 0 "
        "from generate_series(1, $3::int) as second, generate_series(1, $2::int) as vehicle "
        "order by second desc",
        now, VEHICLES, FIXES,
    )  # fmt: skip
    explained = await store.connection.fetch(
        f"explain {QUERIES['newest_positions']}",
        list(range(1, VEHICLES + 1)), now - timedelta(minutes=10), now,
    )  # fmt: skip
    plan = [row[0] for row in explained]
    assert not [line for line in plan if "Sort" in line], plan
    assert [line for line in plan if "Index Scan Backward" in line], plan

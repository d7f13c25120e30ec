"""What `kerbsafe score --from-store` reads: episodes and right turns as the store has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.units import MICROSECONDS
from kerbsafe.replay.detected import stored_rows
from simulators.score import Event, detected_events
from tests.integration.bench import NOW_US, Bench, arriving
from tests.unit.alerts.turn_tracks import START_US, driven, way

if TYPE_CHECKING:
    import pytest


async def test_a_turn_and_its_danger_are_read(
    bench: Bench, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn at 30 km/h, entered 18 s into the drive; what was judged long before is another truth's."""
    monkeypatch.setenv("KERBSAFE_DSN", database)
    fixes = driven(way(150, 90, 150), 30, reports=True)
    began_us = NOW_US - 200 * MICROSECONDS
    rows = zip(fixes.time_us.tolist(), fixes.lat_udeg.tolist(), fixes.lon_udeg.tolist(), strict=True)
    drive = [
        {"time": (us - START_US + began_us) // 1000, "lat": lat / 1e6 + 30, "lon": lon / 1e6, "speed_kmh": 30}
        for us, lat, lon in rows
    ]
    await bench.push(*arriving(drive))
    began_s = began_us / MICROSECONDS
    wanted = [Event("right_turn", "T1", began_s + 18, began_s + 21)]
    found = detected_events(await stored_rows(wanted, 0.0))
    assert {(event.kind, event.vehicle) for event in found} >= {("right_turn", "T1"), ("turn_too_fast", "T1")}
    assert all(abs(event.from_s - began_s - 18) < 1 for event in found if event.kind != "rollover_margin")
    assert await stored_rows([Event("right_turn", "T1", began_s - 9999, began_s - 9000)], 0.0) == []
    assert await stored_rows([], 0.0) == []

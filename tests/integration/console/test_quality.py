"""Data quality over the API and the command, from fixes, turns and alerts in a database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.columns import Fixes
from fleet.installation import make_days_ahead
from fleet.units import to_us
from kerbsafe.cli import main

if TYPE_CHECKING:
    import pytest

    from tests.integration.console.conftest import Client, Store

#: Noon of yesterday in Shanghai.
AT = (datetime.now(UTC) - timedelta(days=1)).replace(hour=4, minute=0, second=0, microsecond=0)
DAY = f"{AT:%Y-%m-%d}"


async def drive(store: Store) -> None:
    """Store a hundred fixes of one truck: ten without a position, and three jumps away and back."""
    count = 100
    lat = 30_750_000 + np.arange(count) * 100
    for row in (40, 60, 80):
        lat[row:] += 90_000
    await make_days_ahead(store.connection, to_us(AT))
    await store.fixes(
        Fixes.build(
            vehicle_id=[await store.vehicle_id("mx00001")] * count,
            time_us=to_us(AT) + np.arange(count) * 1_000_000,
            lat_udeg=lat,
            lon_udeg=[120_760_000] * count,
            speed_dkmh=[400] * count,
            flags=np.where(np.arange(count) < 10, 1024, 0),
        )
    )


def figures(unit: dict[str, Any]) -> dict[str, tuple[Any, Any, Any]]:
    return {one["figure"]: (one["numerator"], one["denominator"], one["unknown"]) for one in unit["figures"]}


async def test_each_figure_with_what_it_is_made_of(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await drive(store)
    await store.alert(started_at=AT, state="resolved")
    await store.alert(started_at=AT)
    await store.alert(started_at=AT, state="withdrawn")
    told = await client.get(f"/quality?from={DAY}&to={DAY}&by=company")
    yi = next(unit for unit in told["units"] if unit["unit"] == "yi")
    assert figures(yi) == {
        "connected_rate": (1, 3, 0),
        "online_rate": (1, 1, 2),
        "complete_rate": (None, None, 0),
        "qualified_rate": (87, 100, 0),
        "drift_rate": (1, 1, 0),
        "handled_rate": (1, 2, 0),
        "alerts_per_100_km": (2, None, 3),
        "speedings_per_vehicle": (0, 1, 3),
        "fatigue_h_per_vehicle": (0, 1, 3),
        "evaluable_turn_rate": (0, 0, 0),
    }
    vehicles = (await client.get(f"/quality?from={DAY}&to={DAY}&by=vehicle"))["units"]
    assert [unit["unit"] for unit in vehicles] == ["bc00003", "mx00002", "mx00004", "mx00001"]
    assert [one["fault"] for one in vehicles[0]["faults"]] == ["never_heard"]
    assert [(one["fault"], one["part"]) for one in vehicles[3]["faults"]] == [("drift", 3), ("unfit", 13)]

    monkeypatch.setenv("KERBSAFE_DSN", store.dsn)
    command = ["quality", "--from", DAY, "--to", DAY, "--by", "vehicle"]
    assert await asyncio.to_thread(main, [*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["units"] == vehicles
    assert await asyncio.to_thread(main, command) == 0
    assert "not recorded" in capsys.readouterr().out
    assert await asyncio.to_thread(main, [*command, "--csv"]) == 0
    assert "mx00001,qualified_rate,0.87,87,100,0" in capsys.readouterr().out


async def test_more_days_than_can_be_read_at_once_are_refused(client: Client) -> None:
    async with client.call("GET", "/api/v1/quality?from=2026-01-01&to=2026-03-01") as response:
        assert response.status == 400
        assert "7 days" in (await response.json(content_type=None))["detail"]

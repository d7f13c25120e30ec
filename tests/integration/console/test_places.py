"""Turning places over the API and the command: the same figures, and names that stay."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kerbsafe.cli import main

if TYPE_CHECKING:
    import pytest

    from tests.integration.console.conftest import Client, Store

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
LAT, LON = 30_750_000, 120_760_000


async def turn_often(store: Store, count: int, conflicts: int, *, north_udeg: int = 0, **more: Any) -> None:
    """Store turns of one place, a second apart."""
    said = {"course": 90, "status": "settled", "armed": True, "kind": "turn"} | more
    vehicle_id = await store.vehicle_id("mx00001")
    await store.connection.executemany(
        """insert into right_turn (turn_id, vehicle_id, rulebook, entered_at, exited_at, lat_udeg, lon_udeg,
               entry_course_deg, course_change_deg, entry_kmh, min_kmh, max_kmh, path_m, radius_m, lateral_g,
               approach_kmh, approach_stood_s, interval_s, longest_s, confidence, armed, conflicts, status,
               kind, decided_at)
           values ($1, $2, 'default-1', $3, $3, $4, $5, $6, 90, 20, 15, 20, 18, 12, 0.1, 20, 0, 1, 1, 1, $7,
                   $8, $9, $10, $3)""",
        [
            (
                uuid.uuid4(),
                vehicle_id,
                YESTERDAY + timedelta(seconds=index),
                LAT + north_udeg,
                LON,
                said["course"],
                said["armed"],
                int(index < conflicts),
                said["status"],
                said["kind"],
            )
            for index in range(count)
        ],
    )


async def test_places_are_told_and_keep_their_names(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await client.get("/places"))["places"] == []
    await turn_often(store, 60, 12)
    await turn_often(store, 60, 0, north_udeg=20_000)
    await turn_often(store, 6, 6, north_udeg=40_000)
    await turn_often(store, 2, 0, course=None)
    await turn_often(store, 3, 0, status="provisional")
    await turn_often(store, 9, 0, kind="bend")
    told = await client.get("/places")
    assert [(one["turns"], one["base"], one["conflicts"], one["band"]) for one in told["places"]] == [
        (60, 60, 12, "above"),
        (60, 60, 0, "below"),
        (6, 6, 6, "too_few"),
    ]
    assert told["places"][0]["p_worst"] > 0.95
    assert (told["all"]["turns"], told["undirected"], told["elsewhere"], told["unsettled"]) == (128, 2, 0, 3)
    assert await store.connection.fetchval("select count(*) from turn_place") == 0

    monkeypatch.setenv("KERBSAFE_DSN", store.dsn)
    assert await asyncio.to_thread(main, ["places", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["places"] == told["places"]
    kept = await store.connection.fetch("select code from turn_place")
    assert {row["code"] for row in kept} == {one["place"] for one in told["places"]}
    # 15 m on, many more turn now: the place is the same.
    await turn_often(store, 500, 10, north_udeg=140)
    assert (await client.get("/places"))["places"][0]["place"] in {one["place"] for one in told["places"]}
    assert await asyncio.to_thread(main, ["places"]) == 0
    assert "too few turns to say" in capsys.readouterr().out
    assert await store.connection.fetchval("select count(*) from turn_place") == 3


async def test_days_that_are_no_span_are_refused(client: Client) -> None:
    for query, why in (
        ("from=2026-03-02&to=2026-03-01", "no time"),
        ("from=2020-01-01&to=2026-01-01", "92 days"),
    ):
        async with client.call("GET", f"/api/v1/places?{query}") as response:
            assert response.status == 400
            assert why in (await response.json(content_type=None))["detail"]

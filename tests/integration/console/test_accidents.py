"""Accidents over the API: entered, corrected, and seen as they were known at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from console import accounts
from fleet.columns import Fixes
from fleet.installation import make_days_ahead
from fleet.units import to_us

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

#: 08:30 in Beijing, two days ago.
AT = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=30, second=0, microsecond=0)


def facts(**more: Any) -> dict[str, Any]:
    said = {
        "occurred_at": AT.isoformat(),
        "reporter": "police",
        "county": "南湖区",
        "place": "中环南路",
        "position": {"lat": 30.75, "lon": 120.76},
        "weather": "晴",
        "casualties_known": True,
        "casualties": [{"injury": "serious", "role": "ebike"}],
        "vehicles": [{"vehicle": "mx00001", "manoeuvre": "06", "responsibility": "pending"}],
    }
    return said | more


async def enter(client: Client, code: str = "JX-1", status: int = 200, **more: Any) -> Any:
    body = {"code": code, "facts": facts(**more)}
    async with client.call("POST", "/api/v1/accidents", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json(content_type=None)


async def correct(client: Client, version: int, code: str = "JX-1", status: int = 200, **more: Any) -> Any:
    body = {"version": version, "why": "医院通知", "facts": facts(**more)}
    async with client.call("POST", f"/api/v1/accidents/{code}/versions", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json(content_type=None)


async def test_an_accident_is_entered_with_what_follows_from_it(client: Client, store: Store) -> None:
    made = await enter(client)
    assert made == await client.get("/accidents/JX-1") | {"as_of": made["as_of"]}
    assert (made["occurred"], made["companies"]) == (f"{AT:%Y-%m-%dT%H:%M:%SZ}", ["yi"])
    assert made["scopes"] == {"A1": True, "A2": None, "A3": False}
    assert made["weather"] == {"code": "1", "known": True, "en": "clear", "zh": "晴"}
    assert made["position"] == {"lat": 30.75, "lon": 120.76}
    assert (made["deaths_7d"], made["serious"], made["light"]) == ([0, 0], [1, 1], [0, 0])
    assert [(each["version"], each["who"]) for each in made["versions"]] == [(1, "demo")]
    acts = await store.connection.fetch("select act, actor, subject from audit order by audit_id")
    assert [tuple(row) for row in acts] == [("accident_recorded", "demo", "JX-1")]


async def test_a_correction_is_a_version_and_the_old_answer_stays(client: Client, store: Store) -> None:
    first = await enter(client)
    died = (AT + timedelta(days=1)).isoformat()
    dead = [{"injury": "dead", "role": "ebike", "died_at": died}]
    now = await correct(client, 1, casualties=dead)
    assert now["scopes"]["A3"] is True
    newest = now["versions"][-1]
    assert (newest["reason"], newest["changes"], newest["why"]) == (
        "deaths_within_7_days",
        ["casualties"],
        "医院通知",
    )
    then = await client.get(f"/accidents/JX-1?as_of={first['versions'][0]['recorded_at']}")
    assert then["scopes"]["A3"] is False
    assert len(then["versions"]) == 1
    # The same once more says nothing new; and on top of what nobody has seen nothing is recorded.
    assert len((await correct(client, 2, casualties=dead))["versions"]) == 2
    assert (await correct(client, 1, status=412))["type"].endswith(":changed")
    acts = await store.connection.fetch("select act from audit order by audit_id")
    assert [row["act"] for row in acts] == ["accident_recorded", "accident_corrected"]


@pytest.mark.parametrize(
    ("more", "english", "chinese"),
    [
        (
            {"casualties": [{"injury": "dead", "died_on": f"{AT - timedelta(days=2):%Y-%m-%d}"}]},
            "before the accident",
            "早于事故发生时间",
        ),
        ({"vehicles": [{"vehicle": "mx99999"}]}, "no vehicle mx99999", "没有 mx99999"),
        ({"vehicles": [{"is_fleet": False}]}, "no vehicle of the fleet", "没有本行业车辆"),
        (
            {"vehicles": [{"vehicle": "mx00001"}, {"plate": "浙F00001"}]},
            "is in it twice",
            "同一辆车登记了两次",
        ),
        ({"vehicles": [{"plate": "乱写"}]}, "plate", "车牌"),
        ({"occurred_at": None}, "say when it happened", "请填写事故发生时间"),
        ({"occurred_on": "2026-01-01"}, "not both", "只能填写其一"),
        (
            {"occurred_at": (datetime.now(UTC) + timedelta(days=3)).isoformat()},
            "in the future",
            "晚于当前时间",
        ),
    ],
)
async def test_what_is_wrong_is_named_in_both_languages(
    client: Client, more: dict[str, Any], english: str, chinese: str
) -> None:
    problem = await enter(client, status=400, **more)
    assert english in problem["detail"]
    assert chinese in problem["words"]["zh"]
    assert (await client.get("/accidents"))["recorded"] == 0


async def test_a_number_is_taken_once(client: Client) -> None:
    await enter(client)
    problem = await enter(client, status=400)
    assert "has an accident JX-1 already" in problem["detail"]
    assert (await correct(client, 1, "JX-9", 404))["status"] == 404


async def test_the_list_is_filtered_and_comes_in_pages(client: Client) -> None:
    day = {name: f"{AT - timedelta(days=ago):%Y-%m-%d}" for name, ago in (("two", 2), ("nine", 9))}
    await enter(client, "A")
    await enter(client, "B", occurred_at=None, occurred_on=day["two"], county="海盐县", casualties=[])
    await enter(client, "C", occurred_at=None, occurred_on=day["nine"], vehicles=[{"vehicle": "mx00004"}])

    async def codes(query: str) -> list[str]:
        return [one["code"] for one in (await client.get(f"/accidents?{query}"))["items"]]

    assert await codes("") == ["A", "B", "C"]
    assert await codes("county=%E6%B5%B7%E7%9B%90%E5%8E%BF") == ["B"]
    assert await codes("company=er") == ["C"]
    assert await codes("vehicle=mx00001") == ["A", "B"]
    assert await codes("scope=A1") == ["A", "C"]
    assert await codes(f"from={day['two']}&to={day['two']}") == ["B"]
    page = await client.get("/accidents?limit=2")
    assert (page["total"], page["recorded"], page["next"]) == (3, 3, "B")
    assert await codes(f"limit=2&after=B&as_of={page['as_of']}") == ["C"]
    assert await codes("as_of=2020-01-01T00:00:00Z") == []
    status, _, detail = await client.problem("GET", "/accidents?as_of=2999-01-01T00:00:00Z")
    assert (status, "lies in the future" in detail) == (400, True)


async def test_who_may_only_look_may_not_enter(closed: Client, store: Store) -> None:
    now_us = to_us(datetime.now(UTC))
    looks = await accounts.add_token(store.connection, "board", now_us, 1, "read")
    acts = await accounts.add_token(store.connection, "import", now_us, 1, "act")
    bearer = [{"Authorization": f"Bearer {token}"} for token in (looks, acts)]
    body = {"code": "JX-1", "facts": facts(vehicles=[{"plate": "浙F88888", "kind": "mixer"}])}
    assert (await closed.problem("POST", "/accidents", json=body, headers=bearer[0]))[:2] == (403, "refused")
    async with closed.call("POST", "/api/v1/accidents", json=body, headers=bearer[1]) as response:
        assert response.status == 200
        made = await response.json()
    assert made["vehicles"][0]["plate"] == "浙F88888"
    seen = await closed.get("/accidents/JX-1", headers=bearer[0])
    assert seen["vehicles"][0]["plate"] == "浙F·8**88"


async def test_what_the_vehicle_recorded_is_kept_as_it_was(client: Client, store: Store) -> None:
    await make_days_ahead(store.connection, to_us(AT))
    vehicle_id = await store.vehicle_id("mx00001")
    time_us = to_us(AT) + np.arange(-600, 300, 10) * 1_000_000
    speed = np.where(time_us <= to_us(AT), 420, 0)
    lat = 30_750_000 + np.arange(len(time_us)) * 900
    await store.fixes(
        Fixes.build(
            vehicle_id=vehicle_id, time_us=time_us, lat_udeg=lat, lon_udeg=120_760_000, speed_dkmh=speed
        )
    )
    await store.alert("mx00001", started_at=AT - timedelta(minutes=10), severity=3)
    made = await enter(client)
    (kept,) = made["evidence"]
    summary = kept["summary"]
    assert (kept["vehicle"], kept["has_drawing"], len(kept["sha256"])) == ("mx00001", True, 64)
    assert (summary["speed_kmh"], summary["top_kmh_60s"], summary["turn"]) == (42.0, 42.0, "none")
    assert [(one["rule"], one["before_s"]) for one in summary["alarms"]] == [("speeding", 600)]
    assert (summary["camera"], summary["driver"], summary["fix_interval_s"]) == (None, None, 10.0)
    path = f"/api/v1/accidents/JX-1/evidence/{kept['evidence_id']}/drawing"
    async with client.call("GET", path) as response:
        assert (response.status, response.content_type) == (200, "image/svg+xml")
        assert (await response.text()).startswith("<svg ")
    assert (await client.problem("GET", "/accidents/JX-1/evidence/999/drawing"))[0] == 404
    # Of a vehicle without positions nothing is said.
    assert (await enter(client, "JX-2", vehicles=[{"vehicle": "mx00004"}]))["evidence"] == []


async def test_codes_for_a_form(client: Client) -> None:
    await enter(client)
    found = await client.get("/accident-codes")
    assert {"code": "06", "en": "right turn", "zh": "右转弯"} in found["tables"]["manoeuvre"]
    assert found["counties"] == ["南湖区"]

"""What the API answers: lists, pages, filters, tracks; and problems for whatever it cannot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import numpy as np
import pytest
import structlog

from console.api import alerts
from console.models.alerts import Alert
from console.models.ground import Fences
from console.models.vehicles import Track
from fleet.columns import Fixes, FixFlag
from fleet.units import to_us

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.integration.console.conftest import Client, Store

START = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
STEP = timedelta(minutes=15)
HOUR_US = 3_600_000_000


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


async def pages(client: Client, query: str) -> list[dict[str, Any]]:
    """Return all items of a list, page by page."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = await client.get(f"/alerts?{query}{after}")
        items += page["items"]
        if page["next"] is None:
            return items
        assert page["items"]
        after = f"&after={page['next']}"


async def seed(store: Store) -> None:
    """Store forty alerts, many of them at one moment, so that ties are broken by id."""
    for number in range(40):
        await store.alert(
            ["mx00001", "mx00002", "bc00003", "mx00004"][number % 4],
            started_at=minute(number // 3 * 3),
            ended=number % 5 != 0,
            severity=1 + number % 4,
            rule=["speeding", "fatigue"][number % 2],
            state=["open", "acknowledged", "resolved", "withdrawn"][number // 4 % 4],
            late=number % 7 == 0,
        )


@pytest.fixture
async def seeded(both_stores: Store, serve: Any) -> AsyncIterator[Client]:
    await seed(both_stores)
    async with serve(both_stores.dsn) as client:
        yield client


def newest_first(alert: dict[str, Any]) -> tuple[Any, ...]:
    return (datetime.fromisoformat(alert["started_at"]), alert["alert_id"])


def worst_first(alert: dict[str, Any]) -> tuple[Any, ...]:
    return (datetime.fromisoformat(alert["started_at"]) + alert["severity"] * STEP, alert["alert_id"])


@pytest.mark.parametrize(("sort", "key"), [("newest", newest_first), ("priority", worst_first)])
async def test_pages_hold_everything_once_and_in_order(seeded: Client, sort: str, key: Any) -> None:
    everything = await pages(seeded, f"sort={sort}&limit=500")
    assert len(everything) == 40
    assert everything == sorted(everything, key=key, reverse=True)
    for limit in (1, 7, 39, 40):
        assert await pages(seeded, f"sort={sort}&limit={limit}") == everything
    for alert in everything:
        msgspec.convert(alert, Alert)


UNFINISHED = {"open", "acknowledged"}


def queued(alert: dict[str, Any]) -> tuple[Any, ...]:
    return (alert["ended_at"] is None, *worst_first(alert))


@pytest.mark.parametrize("few", [10_000, 0], ids=["sorted", "walked"])
async def test_the_queue_holds_what_goes_on_first(
    seeded: Client, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whichever way the store is read: how many are unfinished decides that."""
    monkeypatch.setattr(alerts, "_FEW", few)
    everything = await pages(seeded, "limit=500")
    expected = sorted((a for a in everything if a["state"] in UNFINISHED), key=queued, reverse=True)
    assert len(expected) == 24
    assert [a["ended_at"] for a in expected[:4]] == [None] * 4
    for limit in (1, 3, 4, 7, 24, 500):
        assert await pages(seeded, f"sort=queue&limit={limit}") == expected, limit
    for query, wanted in (
        ("ongoing=true", lambda a: a["ended_at"] is None),
        ("ongoing=false&min_severity=2", lambda a: a["ended_at"] and a["severity"] >= 2),
        ("state=acknowledged&company=er", lambda a: a["state"] == "acknowledged" and a["company"] == "er"),
    ):
        filtered = [alert for alert in expected if wanted(alert)]
        assert await pages(seeded, f"sort=queue&limit=2&{query}") == filtered, query


async def test_the_queue_is_of_what_nobody_has_dealt_with(client: Client) -> None:
    found = await client.problem("GET", "/alerts?sort=queue&state=open&state=resolved")
    assert found[:2] == (400, "bad-request")
    assert "newest" in found[2]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 40),
        ("state=open", 12),
        ("sort=queue", 24),
        ("sort=queue&min_severity=3", 12),
        ("sort=queue&company=er", 6),
        ("sort=priority&vehicle=nobody", 0),
        ("ongoing=true", 8),
        ("rule=fatigue&state=resolved", 4),
    ],
)
async def test_the_total_is_of_all_pages(seeded: Client, query: str, count: int) -> None:
    first = await seeded.get(f"/alerts?{query}&total=true&limit=1")
    assert first["total"] == {"count": count, "is_exact": True}
    assert len(await pages(seeded, f"{query}&limit=7")) == count
    if first["next"] is not None:
        later = await seeded.get(f"/alerts?{query}&total=true&limit=1&after={first['next']}")
        assert later["total"] == first["total"]
    assert (await seeded.get(f"/alerts?{query}"))["total"] is None


async def test_nothing_is_counted_for_ever(seeded: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MAX_COUNTED", 39)
    page = await seeded.get("/alerts?total=true")
    assert page["total"] == {"count": 39, "is_exact": False}


FILTERS: list[tuple[str, Any]] = [
    ("state=open", lambda a: a["state"] == "open"),
    ("state=open&state=acknowledged", lambda a: a["state"] in {"open", "acknowledged"}),
    ("rule=fatigue", lambda a: a["rule"] == "fatigue"),
    ("rule=fatigue&rule=speeding", lambda _: True),
    ("rule=unheard_of", lambda _: False),
    ("min_severity=3", lambda a: a["severity"] >= 3),
    ("vehicle=bc00003", lambda a: a["vehicle"] == "bc00003"),
    ("vehicle=nobody", lambda _: False),
    ("company=er", lambda a: a["company"] == "er"),
    ("company=er&vehicle=mx00001", lambda _: False),
    ("ongoing=true", lambda a: a["ended_at"] is None),
    ("ongoing=false", lambda a: a["ended_at"] is not None),
    ("late=true", lambda a: a["late"]),
    ("from=2026-11-22T00:09:00Z", lambda a: a["started_at"] >= "2026-11-22T00:09:00"),
    ("until=2026-11-22T00:09:00Z", lambda a: a["started_at"] < "2026-11-22T00:09:00"),
    (
        "state=open&min_severity=2&company=yi&ongoing=false&until=2026-11-22T08:30:00%2B08:00",
        lambda a: (
            a["state"] == "open"
            and a["severity"] >= 2
            and a["company"] == "yi"
            and a["ended_at"] is not None
            and a["started_at"] < "2026-11-22T00:30:00"
        ),
    ),
]


@pytest.mark.parametrize("sort", ["newest", "priority"])
async def test_filters(seeded: Client, sort: str) -> None:
    everything = await pages(seeded, f"sort={sort}&limit=500")
    for query, wanted in FILTERS:
        expected = [alert for alert in everything if wanted(alert)]
        assert await pages(seeded, f"sort={sort}&limit=4&{query}") == expected, query


async def test_a_page_neither_repeats_nor_skips_when_alerts_come_meanwhile(
    client: Client, store: Store
) -> None:
    old = [await store.alert(started_at=minute(number)) for number in range(6)]
    first = await client.get("/alerts?limit=3")
    await store.alert(started_at=minute(60))
    second = await client.get(f"/alerts?limit=3&after={first['next']}")
    assert [a["alert_id"] for a in [*first["items"], *second["items"]]] == old[::-1]


async def test_a_cursor_of_another_sort_is_refused(client: Client, store: Store) -> None:
    for number in range(3):
        await store.alert(started_at=minute(number))
    page = await client.get("/alerts?limit=1")
    status, kind, detail = await client.problem("GET", f"/alerts?sort=priority&after={page['next']}")
    assert (status, kind) == (400, "bad-request")
    assert "another list" in detail


async def test_one_alert_says_which_limit_of_which_rulebook_ruled(client: Client, store: Store) -> None:
    alert_id = await store.alert("bc00003")
    alert = await client.get(f"/alerts/{alert_id}")
    assert (alert["vehicle"], alert["company"], alert["peak"], alert["limit"]) == ("bc00003", "yi", 83.5, 60)
    assert (alert["limit_source"], alert["rulebook"]) == ("class", "default-1")
    assert alert["measures"] == {"mean_excess_kmh": 12.5}


async def test_a_vehicle_whose_fixes_are_rejected_is_heard(client: Client, store: Store) -> None:
    await store.connection.execute(
        """with received as (
            insert into batch (received_at, source) values (now(), 'live') returning batch_id
        )
        insert into reject (batch_id, received_at, reason, topic, vehicle_id)
        select batch_id, now(), 'too_old', '', vehicle_id from received, vehicle where code = 'mx00004'"""
    )
    described = await client.get("/vehicles/mx00004")
    assert (described["state"], described["rejected"]) == ("rejected", "too_old")
    (found,) = (await client.get("/vehicles?state=rejected"))["items"]
    assert found["code"] == "mx00004"


async def test_a_stay_that_goes_on_says_how_long_it_has_lasted(client: Client, store: Store) -> None:
    began = datetime.now(UTC) - timedelta(minutes=20)
    alert_id = await store.alert("bc00003", rule="forbidden", started_at=began, ended=False)
    (listed,) = (await client.get("/alerts?vehicle=bc00003"))["items"]
    for alert in (await client.get(f"/alerts/{alert_id}"), listed):
        assert 1200 <= alert["peak"] < 1500


async def test_a_rulebook_is_shown_as_it_judged(client: Client, store: Store) -> None:
    document = 'version = "默认 1"\n# <script>alert(1)</script>\n'
    await store.connection.execute("insert into rulebook values ($1, '1970-01-01Z', $2)", "默认 1", document)
    book = await client.get(f"/rulebooks/{quote('默认 1')}")
    assert book["document"] == document


# ---------------------------------------------------------------- vehicles


async def at(store: Store, vehicle: str, seconds_ago: float, **columns: Any) -> Fixes:
    now_us = to_us(datetime.now(UTC))
    known = {"lat_udeg": 30_750_000, "lon_udeg": 120_760_000, "speed_dkmh": 425, "course_deg": 90}
    return Fixes.build(
        vehicle_id=await store.vehicle_id(vehicle),
        time_us=[now_us - round(seconds_ago * 1e6)],
        **(known | columns),
    )


async def test_vehicles_say_how_far_they_are_watched(both_stores: Store, serve: Any) -> None:
    store = both_stores
    await store.fixes(await at(store, "mx00001", 2))
    await store.fixes(await at(store, "mx00002", 130, speed_dkmh=-1, course_deg=-1))
    await store.fixes(await at(store, "mx00002", 4000))
    await store.fixes(await at(store, "bc00003", 1))
    await store.alert("bc00003", rule="not_watched_live", ended=False)
    async with serve(store.dsn) as client:
        found = {vehicle["code"]: vehicle for vehicle in (await client.get("/vehicles"))["items"]}
        assert {code: vehicle["state"] for code, vehicle in found.items()} == {
            "bc00003": "not_watched",
            "mx00001": "watched",
            "mx00002": "silent",
            "mx00004": "never_heard",
        }
        position = found["mx00001"]["position"]
        assert (position["lat"], position["lon"], position["speed_kmh"], position["course_deg"]) == (
            30.75,
            120.76,
            42.5,
            90,
        )
        assert found["mx00002"]["position"]["speed_kmh"] is None
        assert found["mx00004"]["position"] is None
        assert found["mx00001"]["plate"] == "浙F00001"
        assert found["mx00001"]["company_name"] == "一建"
        assert await client.get("/vehicles/bc00003") == found["bc00003"]


async def test_a_fix_without_position_or_from_tomorrow_moves_nothing(both_stores: Store, serve: Any) -> None:
    store = both_stores
    await store.fixes(await at(store, "mx00001", 30))
    await store.fixes(await at(store, "mx00001", 5, lat_udeg=0, lon_udeg=0, flags=int(FixFlag.NO_POSITION)))
    await store.fixes(await at(store, "mx00001", -3600, lat_udeg=31_000_000))
    async with serve(store.dsn) as client:
        vehicle = await client.get("/vehicles/mx00001")
        assert vehicle["position"]["lat"] == 30.75


async def test_a_long_silent_vehicle_is_found_where_it_was(both_stores: Store, serve: Any) -> None:
    await both_stores.fixes(await at(both_stores, "mx00001", 20 * 86_400))
    async with serve(both_stores.dsn) as client:
        vehicle = await client.get("/vehicles/mx00001")
        assert (vehicle["state"], vehicle["position"]["lat"]) == ("silent", 30.75)


async def test_vehicles_in_pages_and_by_filters(client: Client) -> None:
    codes = []
    after = ""
    while True:
        page = await client.get(f"/vehicles?limit=2{after}")
        codes += [vehicle["code"] for vehicle in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert codes == ["bc00003", "mx00001", "mx00002", "mx00004"]

    async def found(query: str) -> list[str]:
        return [
            vehicle["code"] for vehicle in (await client.get(f"/vehicles?{quote(query, safe='=&')}"))["items"]
        ]

    assert await found("company=er") == ["mx00004"]
    assert await found("q=MX") == ["mx00001", "mx00002", "mx00004"]
    assert await found("q=浙F00003") == ["bc00003"]
    assert await found("q=';--") == []
    assert await found("state=never_heard&limit=1") == ["bc00003"]
    assert await found("state=watched") == []


async def test_a_vehicle_that_is_registered_later_is_there(client: Client, store: Store) -> None:
    assert (await client.problem("GET", "/vehicles/mx00009"))[:2] == (404, "not-found")
    await store.connection.execute("insert into vehicle (code) values ('mx00009')")
    await store.connection.execute(
        "insert into vehicle_version (vehicle_id, valid_from, company_id, kind) "
        "select max(vehicle_id), '2000-01-01', 1, 'pump' from vehicle"
    )
    client.console.desk.live_positions._due_s = 0
    assert (await client.get("/vehicles/mx00009"))["kind"] == "pump"


# ---------------------------------------------------------------- tracks


async def test_a_track_is_the_civil_day_of_shanghai(both_stores: Store, serve: Any) -> None:
    east = timedelta(hours=8)
    day = (datetime.now(UTC) + east).date() - timedelta(days=2)
    midnight_us = to_us(datetime(day.year, day.month, day.day, tzinfo=UTC) - east)
    vehicle_id = await both_stores.vehicle_id("mx00001")
    times = midnight_us + np.array([-1_000_000, 0, HOUR_US, 24 * HOUR_US - 1_000_000, 24 * HOUR_US])
    await both_stores.fixes(Fixes.build(vehicle_id=vehicle_id, time_us=times, speed_dkmh=[1, 2, 3, 4, 5]))
    await both_stores.fixes(Fixes.build(vehicle_id=vehicle_id + 1, time_us=times, speed_dkmh=9))
    async with serve(both_stores.dsn) as client:
        track = await client.get(f"/vehicles/mx00001/track?day={day}")
        assert track["speed_kmh"] == [0.2, 0.3, 0.4]
        assert track["time_ms"][0] == midnight_us // 1000
        msgspec.convert(track, Track)
        span = f"from={iso(midnight_us - 1_000_000)}&until={iso(midnight_us + HOUR_US)}"
        assert (await client.get(f"/vehicles/mx00001/track?{span}"))["speed_kmh"] == [0.1, 0.2]
        today = await client.get("/vehicles/mx00001/track")
        assert today["speed_kmh"] == []


def iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_day_of_86400_fixes_comes_in_pages_or_thinned(both_stores: Store, serve: Any) -> None:
    midnight_us = to_us(datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0)) - 48 * HOUR_US
    vehicle_id = await both_stores.vehicle_id("mx00001")
    await both_stores.connection.execute(
        """insert into fix
           select $1, $2::timestamptz + s * interval '1 second', 1, 30750000 + s, 120760000, -1,
               (s % 900)::smallint, (s % 360)::smallint, 0, 9, 9, -1, 0
           from generate_series(0, 86399) s""",
        vehicle_id,
        datetime.fromtimestamp(midnight_us / 1e6, UTC),
    )
    day = (datetime.fromtimestamp(midnight_us / 1e6, UTC) + timedelta(hours=8)).date()
    async with serve(both_stores.dsn) as client:
        path = f"/vehicles/mx00001/track?day={day}"
        pages = [await client.get(path)]
        while pages[-1]["next"] is not None:
            pages.append(await client.get(f"{path}&after={pages[-1]['next']}"))
        shown = await client.get(f"{path}&thin=true")
    assert [len(page["time_ms"]) for page in pages] == [40_000, 40_000, 6_400]
    assert [page["stored"] for page in pages] == [None] * 3
    assert np.all(np.diff([ms for page in pages for ms in page["time_ms"]]) == 1000)
    assert pages[0]["speed_kmh"][:3] == [0.0, 0.1, 0.2]
    assert (shown["stored"], shown["thinned"], shown["next"]) == (86_400, True, None)
    assert 30_000 < len(shown["time_ms"]) <= 40_000
    assert max(shown["speed_kmh"]) == 89.9
    assert [shown["time_ms"][0], shown["time_ms"][-1]] == [pages[0]["time_ms"][0], pages[2]["time_ms"][-1]]


async def test_a_short_track_is_whole_in_either_way(client: Client, store: Store) -> None:
    vehicle_id, now_us = await store.vehicle_id("mx00001"), to_us(datetime.now(UTC))
    await store.fixes(Fixes.build(vehicle_id=vehicle_id, time_us=[now_us - s * 1_000_000 for s in (5, 4, 3)]))
    span = f"from={iso(now_us - 60_000_000)}&until={iso(now_us)}"
    whole = await client.get(f"/vehicles/mx00001/track?{span}&thin=true")
    assert (len(whole["time_ms"]), whole["stored"], whole["thinned"]) == (3, 3, False)
    page = await client.get(f"/vehicles/mx00001/track?{span}&limit=2")
    rest = await client.get(f"/vehicles/mx00001/track?{span}&limit=2&after={page['next']}")
    assert (page["time_ms"] + rest["time_ms"], rest["next"]) == (whole["time_ms"], None)


SENSELESS_SPANS = (
    "from=2026-11-22T00:00:00Z",
    "until=2026-11-22T00:00:00Z",
    "day=2026-11-22&from=2026-11-22T00:00:00Z&until=2026-11-22T01:00:00Z",
    "from=2026-11-22T01:00:00Z&until=2026-11-22T01:00:00Z",
    "from=2026-11-22T02:00:00Z&until=2026-11-22T01:00:00Z",
    "from=2026-11-20T00:00:00Z&until=2026-11-22T00:00:00Z",
    "day=0001-01-01",
    "day=tomorrow",
    "thin=true&after=1",
    "thin=true&limit=10",
    "limit=0",
    "limit=40001",
    "after=-1",
)


async def test_spans_that_make_no_sense(client: Client) -> None:
    for query in SENSELESS_SPANS:
        status, _kind, _detail = await client.problem("GET", f"/vehicles/mx00001/track?{query}")
        assert status == 400, query


# ---------------------------------------------------------------- map


async def test_fences_in_force_as_geojson(both_stores: Store, serve: Any) -> None:
    ring = [[[120.7, 30.7], [120.8, 30.7], [120.8, 30.8], [120.7, 30.7]]]
    add = """with made as (insert into fence (code) values ($1) on conflict (code) do update set code = $1
             returning fence_id)
             insert into fence_version (fence_id, valid_from, kind, name, geometry, retired)
             select fence_id, $2, $3, $4, $5, $6 from made"""
    geometry = {"type": "Polygon", "coordinates": ring}
    now = datetime.now(UTC)
    for code, since, kind, name, retired in (
        ("old-town", now - timedelta(days=9), "forbidden", "老城", False),
        ("old-town", now - timedelta(days=1), "forbidden", "<b>新名</b>", False),
        ("old-town", now + timedelta(days=1), "permitted", "明天", False),
        ("gone", now - timedelta(days=9), "site", "", False),
        ("gone", now - timedelta(days=1), "site", "", True),
    ):
        await both_stores.connection.execute(add, code, since, kind, name, geometry, retired)
    async with serve(both_stores.dsn) as client:
        fences = await client.get("/fences")
        assert [f["properties"]["name"] for f in fences["features"]] == ["<b>新名</b>"]
        assert fences["features"][0]["geometry"] == geometry
        msgspec.convert(fences, Fences)
        async with client.call("GET", "/api/v1/fences") as response:
            tag = response.headers["ETag"]
        async with client.call("GET", "/api/v1/fences", headers={"If-None-Match": tag}) as again:
            assert again.status == 304


async def test_streets_and_tiles_as_configured(store: Store, serve: Any, tmp_path: Any) -> None:
    streets = {"type": "FeatureCollection", "features": []}
    (tmp_path / "streets.json").write_text(json.dumps(streets))
    tiles = {
        "tile_url": "https://{s}.tile.example/{z}/{x}/{y}.png",
        "tile_datum": "gcj02",
        "tile_attribution": "© <i>",
    }
    async with serve(store.dsn, streets=tmp_path / "streets.json", **tiles) as client:
        assert await client.get("/streets") == streets
        about = await client.get("/about")
        assert about["tiles"] == {"url": tiles["tile_url"], "datum": "gcj02", "attribution": "© <i>"}
        async with client.call("GET", "/") as page:
            assert "img-src 'self' data: https://*.tile.example;" in page.headers["Content-Security-Policy"]


# ---------------------------------------------------------------- bad input


JSON = {"Content-Type": "application/json"}
BAD_REQUESTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/alerts/1", {}, 400),
    ("GET", "/alerts/00000000-0000-0000-0000-000000000000", {}, 404),
    ("GET", "/alerts/'%20or%201=1--", {}, 400),
    ("GET", "/vehicles/<script>", {}, 400),
    ("GET", "/vehicles/%2e%2e%2f%2e%2e%2fetc%2fpasswd", {}, 400),
    ("GET", "/rulebooks/nothing", {}, 404),
    ("GET", "/rulebooks/%00", {}, 400),
    ("GET", "/nothing", {}, 404),
    ("GET", "/alerts?limit=1%00", {}, 400),
    ("GET", "/alerts?vehicle=%ff%fe", {}, 400),
    ("GET", "/alerts?unknown=1", {}, 400),
    ("POST", "/alerts", {}, 405),
    ("DELETE", "/vehicles/mx00001", {}, 405),
    ("POST", "/session", {"data": b"{"}, 415),
    ("POST", "/session", {"data": b"{", "headers": JSON}, 400),
    ("POST", "/session", {"data": b"\xff", "headers": JSON}, 400),
    ("POST", "/session", {"data": b"[" * 9000, "headers": JSON}, 400),
    ("POST", "/session", {"json": {"name": "a"}}, 400),
    ("POST", "/session", {"json": {"name": "a", "password": "b", "role": "administrator"}}, 400),
    ("POST", "/session", {"json": {"name": ["a"], "password": {"$ne": ""}}}, 400),
    ("POST", "/session", {"json": {"name": "a" * 65, "password": "b"}}, 400),
    ("POST", "/session", {"json": {"name": "a", "password": "b" * 40_000}}, 413),
    ("GET", "/live", {}, 426),
    ("GET", "/live?after=x", {"headers": {"Upgrade": "websocket"}}, 400),
]


async def test_what_cannot_be_answered_is_a_problem(client: Client) -> None:
    for method, path, options, status in BAD_REQUESTS:
        found, _kind, detail = await client.problem(method, path, **options)
        assert found == status, (method, path, options)
        assert detail
        assert "Traceback" not in detail


NASTY = (
    "<script>alert(1)</script>",
    "'; drop table alert; --",
    "' or '1'='1",
    "{{7*7}}${7*7}%s%n",
    "../../../../etc/passwd",
    "\u202e\U0001f69a",
)


async def test_script_and_sql_in_every_text(client: Client, store: Store) -> None:
    """In each parameter of each operation, and in each field of each body: understood as text, or refused."""
    alert_id = await store.alert()
    api = await client.get("/openapi.json")
    tried = 0
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            for options in requests_of(api, path, operation, alert_id):
                tried += 1
                async with client.call(method.upper(), **options) as response:
                    assert response.status < 500, (method, options)
                    assert response.content_type in {"application/json", "application/problem+json"}
    assert tried > 150
    assert (await client.get(f"/alerts/{alert_id}"))["alert_id"] == alert_id


def requests_of(
    api: dict[str, Any], path: str, operation: dict[str, Any], alert_id: str
) -> Iterator[dict[str, Any]]:
    """Yield the path, and the body if any, of requests with one thing wrong each."""
    real = path.replace("{alert_id}", alert_id).replace("{vehicle}", "mx00001")
    for text in NASTY:
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] == "path":
                yield {"path": path.replace(f"{{{name}}}", quote(text, safe=""))}
            else:
                yield {"path": f"{real}?{name}={quote(text, safe='')}"}
        if "requestBody" in operation:
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            fields = api["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
            usual = {name: 1 if field.get("type") == "integer" else "text" for name, field in fields.items()}
            for name in fields:
                yield {"path": real, "json": usual | {name: text}}
            yield {"path": real, "json": usual | {text: text}}


async def test_what_fails_here_tells_nobody_what_it_was(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the answer nor the log holds what an error's message may: plates, names, passwords."""

    async def fail() -> None:
        raise RuntimeError("Key (plate)=(浙F00001) already exists")

    monkeypatch.setattr(client.console.desk.live_positions, "refresh", fail)
    with structlog.testing.capture_logs() as logs:
        status, kind, detail = await client.problem("GET", "/vehicles/mx00001")
    assert (status, kind) == (500, "failed")
    (entry,) = logs
    assert (entry["operation"], entry["error"]) == ("getVehicle", "RuntimeError")
    assert entry["where"].startswith("test_api.py:")
    assert "find_vehicle" in entry["where"]
    assert "浙F" not in detail + str(logs)


async def test_a_method_that_is_not_allowed_says_which_are(client: Client) -> None:
    async with client.call("PATCH", "/api/v1/session") as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) >= {"GET", "POST", "DELETE"}


async def test_what_is_stored_comes_out_as_it_is(client: Client, store: Store) -> None:
    """Script and SQL in texts are data: stored, answered as JSON, never run."""
    nasty = "<img src=x onerror=alert(1)>'; drop table alert; --"
    await store.connection.execute("update company set name = $1", nasty)
    client.console.desk.live_positions._due_s = 0
    assert (await client.get("/vehicles/mx00001"))["company_name"] == nasty
    async with client.call("GET", "/api/v1/vehicles") as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.content_type == "application/json"


async def test_every_answer_carries_the_headers_of_the_door(client: Client) -> None:
    for path in ("/", "/api/v1/about", "/api/v1/nothing", "/assets/none.js", "/alerts/x"):
        async with client.call("GET", path) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Frame-Options"] == "DENY"
            assert "Server" not in response.headers


async def test_a_browser_at_an_unknown_address_gets_the_page(client: Client) -> None:
    """Which says so; programs get a problem document, and so does whoever asks for data."""
    browser = {"headers": {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}}
    for path in ("/nowhere", "/alerts", "/vehicles/a/b", "/..%2fetc"):
        async with client.call("GET", path, **browser) as response:
            assert (response.status, response.content_type) == (404, "text/html"), path
            assert "/assets/app.js" in await response.text()
    for path, options in (("/nowhere", {}), ("/api/v1/nowhere", browser), ("/assets/none.js", browser)):
        async with client.call("GET", path, **options) as response:
            assert (response.status, response.content_type) == (404, "application/problem+json"), path


async def test_paths_lead_to_no_file(client: Client) -> None:
    for path in (
        "/assets/..%2f..%2fpyproject.toml",
        "/assets/%2e%2e/index.html",
        "/..%2f..%2fetc/passwd",
        "/.git/config",
    ):
        async with client.call("GET", path) as response:
            assert response.status == 404

"""The page in a real browser: what it shows, in both languages, light and dark, on desks and phones."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.async_api import expect

from alerts.store.store import FeedEntry, append_feed
from console.pages import read_pages
from fleet.clock import WALL, Clock
from fleet.columns import Fixes
from fleet.datum import wgs84_to_gcj02
from fleet.schedule import CIVIL_ZONE
from fleet.units import to_datetime, to_us
from kerbsafe.parts import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.console.conftest import Client, Store

NASTY = "<img src=x onerror=document.title='taken'>'; drop table alert; --"

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")


def at_noon(client: Client) -> datetime:
    """Set the console's clock to noon in Shanghai, so that what was just driven is of one day; return it."""
    wall_us = WALL.now_us()
    noon = to_datetime(wall_us).astimezone(CIVIL_ZONE).replace(hour=12, minute=0, second=0, microsecond=0)
    client.console.desk.clock.clock = Clock(wall_us, to_us(noon))
    return noon


async def drive(
    store: Store, vehicle: str, *, seconds: int = 300, ago_s: float = 0.0, now: datetime | None = None
) -> None:
    """Store a straight drive eastwards that ended some time ago."""
    end_us = to_us(now or datetime.now(UTC)) - round(ago_s * 1e6)
    times = end_us - np.arange(seconds, -1, -1, dtype=np.int64) * 1_000_000
    await store.fixes(
        Fixes.build(
            vehicle_id=await store.vehicle_id(vehicle),
            time_us=times,
            lat_udeg=30_750_000,
            lon_udeg=120_760_000 + np.arange(len(times)) * 130,
            speed_dkmh=np.where(np.arange(len(times)) > seconds - 60, 830, 450),
            course_deg=90,
            limit_kmh=60,
        )
    )


async def test_what_is_not_watched_is_grey(client: Client, store: Store, browse: Any) -> None:
    await drive(store, "mx00001")
    await drive(store, "mx00002", ago_s=121)
    await drive(store, "bc00003")
    await store.alert("bc00003", rule="not_watched_live", ended=False)
    page = (await browse(client.address)).page
    await expect(page.locator(".count-moving b")).to_have_text("1")
    # Silent, not judged live, and never heard of.
    await expect(page.locator(".count-grey b")).to_have_text("3")


async def test_an_empty_installation_says_what_to_do(plain_database: str, serve: Any, browse: Any) -> None:
    async with serve(plain_database) as client:
        opened = await browse(client.address, language="en")
        await expect(opened.page.locator(".queue-empty")).to_contain_text("Ask the administrator")
        for path, said in (
            ("/vehicles/nobody", "There is no such vehicle"),
            ("/alerts/00000000-0000-0000-0000-000000000000", "There is no such alert"),
        ):
            await opened.page.goto(client.address + path)
            await expect(opened.page.locator("main .notice")).to_have_text(said)


async def test_an_alert_arrives_by_itself_and_opens(client: Client, store: Store, browse: Any) -> None:
    await store.connection.execute("insert into rulebook values ('default-1', '1970-01-01Z', 'version = 1')")
    await drive(store, "mx00001")
    opened = await browse(client.address)
    page = opened.page
    await expect(page.locator(".queue-empty")).to_contain_text("暂无待处置报警")
    await expect(page.locator(".top-live")).to_have_text("实时")
    started = datetime.now(UTC) - timedelta(seconds=50)
    alert_id = await store.alert("mx00001", started_at=started, ended=False, severity=3)
    await store.tell(alert_id)
    row = page.locator(f"[data-alert='{alert_id}']")
    await expect(row).to_contain_text("超速浙F00001 mx00001")
    await expect(row).to_contain_text("83.5 / 60 km/h")
    await expect(row).to_contain_text("进行中")
    await expect(page.locator("[aria-live=polite]")).to_have_text("严重报警：超速，车辆 mx00001")
    await expect(page.locator(".count-alerting b")).to_have_text("1")
    await row.locator("a").click()
    await expect(page).to_have_url(f"{client.address}/alerts/{alert_id}")
    panel = page.locator("main")
    for text in (
        "超速",
        "浙F00001",
        "一建",
        "83.5 km/h",
        "60 km/h",
        "+39 %",
        "车辆限速（登记值或车型默认值）",
        "default-1",
        "实时判定",
        "待处置",
    ):
        await expect(panel).to_contain_text(text)
    await expect(panel.locator(".chart-place canvas")).to_be_visible()
    await panel.get_by_role("button", name="default-1").click()
    await expect(page.locator("dialog pre")).to_have_text("version = 1")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{client.address}/")
    await store.connection.execute("update alert set state = 'withdrawn'")
    await store.tell(alert_id, "withdrawn")
    await expect(row).to_have_count(0)
    assert opened.complaints == []


async def test_a_vehicle_shows_its_day(client: Client, store: Store, browse: Any) -> None:
    now = at_noon(client)
    await drive(store, "mx00001", seconds=200, now=now)
    await store.alert("mx00001", started_at=now - timedelta(seconds=50))
    page = (await browse(client.address, language="en")).page
    await expect(page.locator(".count-moving b")).to_have_text("1")
    await page.keyboard.press("/")
    await page.keyboard.type("f00001")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{client.address}/vehicles/mx00001")
    panel = page.locator("main")
    for text in (
        "mx00001",
        "浙F00001",
        "Concrete mixer",
        "Watched live",
        "Driven",
        "83 km/h",
        "Alerts of the day",
        "Speeding",
    ):
        await expect(panel).to_contain_text(text)
    await panel.get_by_label("The day before").click()
    await expect(panel).to_contain_text("No fixes on this day")


async def test_nothing_that_somebody_sent_is_run(client: Client, store: Store, browse: Any) -> None:
    """Markup in names, plates, fences and rulebooks is shown as the text that it is."""
    await store.connection.execute("update company set name = $1", NASTY)
    await store.connection.execute("update vehicle set plate = $1", NASTY)
    geometry = {
        "type": "Polygon",
        "coordinates": [[[120.7, 30.7], [120.8, 30.7], [120.8, 30.8], [120.7, 30.7]]],
    }
    await store.connection.execute("insert into fence (code) values ('f')")
    await store.connection.execute(
        "insert into fence_version (fence_id, valid_from, kind, name, geometry) "
        "values (1, '2000-01-01', 'site', $1, $2)",
        NASTY,
        geometry,
    )
    await drive(store, "mx00001")
    alert_id = await store.alert("mx00001", rule="a_rule_of_tomorrow")
    await store.connection.execute(
        "update episode set rulebook = $1, limit_source = $1, measures = $2",
        NASTY,
        {"fence": NASTY, NASTY: NASTY},
    )
    opened = await browse(client.address)
    for path in ("/", f"/alerts/{alert_id}", "/vehicles/mx00001"):
        await opened.page.goto(client.address + path)
        await expect(opened.page.locator("main")).to_contain_text("drop table alert")
        await asyncio.sleep(0.3)
        assert await opened.page.title() == "Kerbsafe 监控台"
    assert await opened.page.locator("main img").count() == 0
    assert opened.complaints == []


async def test_logging_in_with_the_printed_password(closed: Client, browse: Any) -> None:
    page = (await browse(closed.address, language="en")).page
    await page.get_by_label("Password").fill("not-the-password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    await page.get_by_label("Password").fill(closed.printed[0])
    await page.keyboard.press("Enter")
    await page.get_by_label("New password", exact=True).fill("mixers-turn-right")
    await page.get_by_label("New password again").fill("mixers-turn-left")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("The two are not the same.")
    await page.get_by_label("New password again").fill("mixers-turn-right")
    await page.keyboard.press("Enter")
    await expect(page.locator(".top-live")).to_have_text("Live")
    await page.get_by_label("Log out").click()
    await expect(page.get_by_label("Password")).to_be_visible()


async def test_the_page_goes_on_after_the_console_was_away(store: Store, serve: Any, browse: Any) -> None:
    """What was raised meanwhile is there, once, without a reload."""
    port = free_port()
    await drive(store, "mx00001")
    async with serve(store.dsn, port=port) as first:
        page = (await browse(first.address)).page
        await expect(page.locator(".top-live")).to_have_text("实时")
        before = await store.alert("mx00001")
        await store.tell(before)
        await expect(page.locator(".queue-list .row")).to_have_count(1)
    await expect(page.locator(".top-live")).to_have_text("连接中断，正在重试")
    meanwhile = await store.alert("mx00002")
    await store.tell(meanwhile)
    async with serve(store.dsn, port=port):
        await expect(page.locator(f"[data-alert='{meanwhile}']")).to_be_visible()
        await expect(page.locator(".queue-list .row")).to_have_count(2)
        await expect(page.locator(".top-live")).to_have_text("实时")


async def test_a_page_that_missed_too_much_reads_again(store: Store, serve: Any, browse: Any) -> None:
    """The feed has forgotten what happened meanwhile: queue and open page show it all the same."""
    port = free_port()
    mine = await store.alert("mx00001", ended=False)
    async with serve(store.dsn, port=port) as first:
        await store.tell(mine)
        page = (await browse(f"{first.address}/alerts/{mine}", language="en")).page
        await expect(page.locator(".tag-ongoing")).to_be_visible()
        await expect(page.locator(".top-live")).to_have_text("Live")
    await store.connection.execute("update episode set ended_at = now(), ended_as = 'closed', revision = 2")
    other = await store.alert("mx00002")
    for alert_id in (mine, other, other):
        newest = await store.tell(alert_id, "updated")
    await store.connection.execute("delete from alert_feed where feed_id < $1", newest)
    async with serve(store.dsn, port=port):
        await expect(page.locator(".tag-ongoing")).to_have_count(0)
        await page.keyboard.press("Escape")
        await expect(page.locator(f"[data-alert='{other}']")).to_be_visible()


async def test_the_keyboard_goes_through_the_queue(client: Client, store: Store, browse: Any) -> None:
    ids = [await store.alert(started_at=datetime.now(UTC) - timedelta(minutes=n)) for n in range(3)]
    page = (await browse(client.address)).page
    await expect(page.locator(".queue-list .row")).to_have_count(3)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.locator(".queue-list a").first.focus()
    for key, place in (("j", 1), ("ArrowDown", 2), ("k", 1)):
        await page.keyboard.press(key)
        await expect(page.locator(f"[data-alert='{ids[place]}'] a")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{client.address}/alerts/{ids[1]}")


async def test_filters_of_the_queue(client: Client, store: Store, browse: Any) -> None:
    for severity in (1, 2, 3, 4):
        rule = "speeding" if severity < 4 else "forbidden"
        await store.alert(severity=severity, ended=severity != 2, rule=rule)
    page = (await browse(client.address)).page
    rows = page.locator(".queue-list .row")
    await expect(rows).to_have_count(4)
    await page.locator("[data-severity='3']").click()
    await expect(rows).to_have_count(2)
    await page.get_by_role("button", name="进行中").click()
    await expect(rows).to_have_count(0)
    await expect(page.locator(".queue-empty")).to_contain_text("没有符合条件的报警")
    await page.locator("[data-severity='1']").click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="进行中").click()
    await page.get_by_role("button", name="筛选").click()
    await page.get_by_label("报警类型", exact=True).select_option("forbidden")
    await expect(rows).to_have_count(1)


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize(("language", "theme"), [("zh-CN", "light"), ("en", "dark")])
async def test_every_page_fits_and_reads(
    client: Client, store: Store, browse: Any, tmp_path: Path, width: int, language: str, theme: str
) -> None:
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    alert_id = await store.alert("mx00001", started_at=now - timedelta(seconds=50), severity=3)
    vehicle = f"/vehicles/mx00001?day={now:%Y-%m-%d}"
    opened = await browse(client.address, width=width, language=language, theme=theme)
    page = opened.page
    for name, path in (("queue", "/"), ("alert", f"/alerts/{alert_id}"), ("vehicle", vehicle)):
        await page.goto(client.address + path)
        await expect(page.locator("main")).to_contain_text({"zh-CN": "超速", "en": "Speeding"}[language])
        await expect(page.locator(".count-moving b")).to_have_text("1")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate("document.documentElement.lang") == language
        assert await page.evaluate("document.documentElement.dataset.theme") == theme
        await page.screenshot(path=tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 15_000
    assert opened.complaints == []


async def test_language_and_theme_are_chosen_and_kept(client: Client, browse: Any) -> None:
    page = (await browse(client.address)).page
    await page.get_by_label("Switch to English").click()
    await expect(page.locator("h1")).to_have_text(re.compile("^Alerts"))
    await page.get_by_label("Switch to the dark theme").click()
    await page.reload()
    await expect(page.locator("h1")).to_have_text(re.compile("^Alerts"))
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


#: Where a truck is drawn: zoom, x and y of a tile, and how far right and down of its corner, in tiles.
_ON_A_TILE = """() => {
    const canvas = document.querySelector("canvas.sheet-trucks");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0, x = 0, y = 0;
    for (let i = 0; i < data.length; i += 4)
        if (data[i] === 0x0f && data[i + 1] === 0x66 && data[i + 2] === 0x74 && data[i + 3] === 255) {
            count++;
            x += (i / 4) % canvas.width;
            y += Math.floor(i / 4 / canvas.width);
        }
    if (count < 8) return null;
    const tile = document.querySelector(".leaflet-tile-loaded");
    if (tile === null) return null;
    const at = tile.getBoundingClientRect();
    const map = canvas.getBoundingClientRect();
    const [z, tileX, tileY] = tile.src.match(/\\d+/g).slice(-3).map(Number);
    const size = at.width;
    return [z, tileX, tileY, (map.x + x / count - at.x) / size, (map.y + y / count - at.y) / size];
}"""


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
async def test_tiles_come_from_where_they_are_configured(
    store: Store, serve: Any, browse: Any, datum: str
) -> None:
    """The policy lets in this one host; the attribution is text; trucks lie where the tiles have them."""
    await drive(store, "mx00001")
    tiles = {
        "tile_url": "http://tiles.example/{z}/{x}/{y}.png",
        "tile_datum": datum,
        "tile_attribution": "© <b>map</b>",
    }
    async with serve(store.dsn, **tiles) as client:
        page = (await browse("about:blank")).page

        async def tile(route: Any) -> None:
            await route.fulfill(
                status=200, content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>"
            )

        await page.route("http://tiles.example/**", tile)
        await page.goto(client.address)
        await expect(page.locator(".leaflet-control-attribution")).to_have_text("© <b>map</b>")
        await expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()
        await expect(page.locator(".grid-size")).to_have_count(0)
        there = await newest_position(store)
        wanted = there if datum == "wgs84" else tuple(float(v) for v in wgs84_to_gcj02(*there))
        away_m = float("inf")
        for _ in range(120):  # while the map is moved, tiles and trucks are of two views
            if (found := await page.evaluate(_ON_A_TILE)) is not None:
                lat, lon = on_earth(*found)
                east_m = (lon - wanted[1]) * 111_320 * np.cos(np.deg2rad(lat))
                away_m = float(np.hypot((lat - wanted[0]) * 111_320, east_m))
            if away_m < 25:
                break
            await asyncio.sleep(0.25)
        assert away_m < 25


def on_earth(zoom: int, tile_x: int, tile_y: int, right: float, down: float) -> tuple[float, float]:
    """Return latitude and longitude, degrees, of a place on a tile of the Web Mercator grid."""
    x, y = (tile_x + right) / 2**zoom, (tile_y + down) / 2**zoom
    return float(np.rad2deg(np.arctan(np.sinh(np.pi * (1 - 2 * y))))), x * 360 - 180


async def newest_position(store: Store) -> tuple[float, float]:
    row = await store.connection.fetchrow("select lat_udeg, lon_udeg from fix order by time desc limit 1")
    return row["lat_udeg"] / 1e6, row["lon_udeg"] / 1e6


async def test_the_page_stays_light(client: Client, store: Store, browse: Any) -> None:
    """A thousand alerts that come leave no more behind than a few rows, and the others are still found."""
    page = (await browse(client.address)).page
    await expect(page.locator(".top-live")).to_have_text("实时")
    ids = await store.alerts(1000)
    async with store.connection.transaction():
        now_us = to_us(datetime.now(UTC))
        entries = [FeedEntry(uuid.UUID(one), "opened") for one in ids]
        await append_feed(store.connection, entries, now_us)
    rows = page.locator(".queue-list .row")
    await expect(rows).to_have_count(100)
    await expect(page.locator(".queue-count")).to_have_text("100 / 共 1,000")
    for shown in (200, 300, 400, 500, 600):
        await page.locator(".queue-scroll").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        await expect(rows).to_have_count(shown)
    shown_ids = await rows.evaluate_all("rows => rows.map((row) => row.dataset.alert)")
    assert shown_ids == ids[:600]

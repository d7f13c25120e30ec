"""What the page shows of an alert: its chart, its figures, where it was on the map."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console.pages import read_pages
from tests.integration.console.test_page import at_noon, drive

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")


@pytest.mark.parametrize("page_of", ["alert", "vehicle"])
async def test_the_chart_comes_where_the_pointer_rests(
    client: Client, store: Store, browse: Any, page_of: str
) -> None:
    """Somebody clicks a row of the queue and leaves the pointer where the chart will be."""
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    alert_id = await store.alert("mx00001", started_at=now - timedelta(seconds=50))
    path = {"alert": f"/alerts/{alert_id}", "vehicle": f"/vehicles/mx00001?day={now:%Y-%m-%d}"}[page_of]
    page = (await browse("about:blank")).page
    await page.goto(client.address + path)
    slot = await page.locator(".chart-slot").bounding_box()
    await page.goto("about:blank")
    await page.mouse.move(slot["x"] + slot["width"] / 2, slot["y"] + slot["height"] / 2)

    async def after_a_while(route: Any) -> None:
        await page.mouse.move(slot["x"] + slot["width"] / 2 + 1, slot["y"] + slot["height"] / 2)
        await asyncio.sleep(0.5)
        await route.continue_()

    await page.route("**/track?*", after_a_while)
    await page.goto(client.address + path)
    await expect(page.locator(".chart-place canvas")).to_be_visible(timeout=8_000)


async def test_the_chart_goes_on_under_the_pointer(client: Client, store: Store, browse: Any) -> None:
    """While somebody points at it, it takes what came since."""
    now = at_noon(client)
    await drive(store, "mx00001", now=now - timedelta(seconds=60), seconds=100)
    alert_id = await store.alert("mx00001", started_at=now - timedelta(seconds=90), ended=False)
    page = (await browse(f"{client.address}/alerts/{alert_id}", language="en")).page
    canvas = page.locator(".chart-place canvas")
    await expect(canvas).to_be_visible()
    box = await canvas.bounding_box()
    edge = box["x"] + box["width"] - 30, box["y"] + 60
    await page.mouse.move(*edge)
    await expect(page.locator(".chart-reading")).to_have_text(re.compile(r"^11:58:5\d  83 km/h$"))
    await drive(store, "mx00001", now=now, seconds=40)
    await page.mouse.move(edge[0] - 1, edge[1])
    await expect(page.locator(".chart-reading")).to_have_text(re.compile(r"^11:59:[45]\d  83 km/h$"))


async def judged(store: Store, rule: str, started: datetime, lasted_s: float, **more: Any) -> str:
    """Store an alert of a rule with its figures."""
    alert_id = await store.alert("mx00001", rule=rule, started_at=started, severity=more.pop("severity", 3))
    await store.connection.execute(
        """update episode set ended_at = $2, peak = $3, limit_value = $4, limit_source = $5, measures = $6
           where episode_id = $1""",
        uuid.UUID(alert_id),
        started + timedelta(seconds=lasted_s),
        more.pop("peak"),
        more.pop("limit"),
        more.pop("source", "rulebook"),
        more,
    )
    return alert_id


async def one_turn(store: Store, entered: datetime) -> dict[str, str]:
    """Somebody in the blind zone 1.8 s before a turn that is too fast, and without the stop."""
    seen = entered - timedelta(seconds=1.8)
    return {
        "conflict": await judged(
            *(store, "conflict", seen, 0),
            severity=4,
            peak=11.6,
            limit=20.0,
            target="pedestrian",
            after_entry_s=-1.8,
        ),
        "fast": await judged(store, "right_turn_fast", entered, 4, peak=26.4, limit=20.0, severity=2),
        "no stop": await judged(store, "right_turn_no_stop", entered, 4, peak=18.2, limit=10.0),
    }


#: How many pixels of the ground are of a colour.
_PIXELS = """([r, g, b]) => {
    const canvas = document.querySelector("canvas.sheet-ground");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) count++;
    return count;
}"""
SEVERITY_4, SEVERITY_3 = [0xB0, 0x0B, 0x3A], [0xD3, 0x43, 0x0F]


async def test_a_conflict_is_somebody_seen(client: Client, store: Store, browse: Any) -> None:
    """Not a speed below a limit: who, when, how fast; and its place on chart and map."""
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    ids = await one_turn(store, now - timedelta(seconds=100))
    opened = await browse(f"{client.address}/alerts/{ids['conflict']}")
    page = opened.page
    await expect(page.locator(".figures")).to_have_text("右侧盲区内行人出现时刻右转前 1.8 秒当时车速45 km/h")
    await expect(page.locator(".details")).to_contain_text("摄像头不再检出")
    await expect(page.locator(".details")).not_to_contain_text("依据")
    await expect(page.locator(".chart-keys")).to_contain_text("盲区有人")
    await expect(page.locator("h1")).to_have_text("紧急 右转盲区碰撞风险")
    async with asyncio.timeout(20):
        while await page.evaluate(_PIXELS, SEVERITY_4) < 150:  # noqa: ASYNC110 - a picture tells nobody
            await asyncio.sleep(0.2)
    assert opened.complaints == []


async def test_a_day_shows_each_alert_in_its_colour(client: Client, store: Store, browse: Any) -> None:
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    await one_turn(store, now - timedelta(seconds=100))
    await judged(store, "speeding", now - timedelta(seconds=60), 40, peak=83.0, limit=60.0)
    page = (await browse(f"{client.address}/vehicles/mx00001?day={now:%Y-%m-%d}")).page
    await expect(page.locator(".day-alerts .row")).to_have_count(4)
    async with asyncio.timeout(20):
        while await page.evaluate(_PIXELS, SEVERITY_3) < 150:  # noqa: ASYNC110 - a picture tells nobody
            await asyncio.sleep(0.2)
    # The spot of the conflict, and no more.
    assert 150 < await page.evaluate(_PIXELS, SEVERITY_4) < 600


async def test_alerts_of_one_turn_are_one_group(client: Client, store: Store, browse: Any) -> None:
    now = at_noon(client)
    ids = await one_turn(store, now - timedelta(seconds=100))
    other = await judged(store, "speeding", now - timedelta(seconds=99), 20, peak=83.0, limit=60.0)
    page = (await browse(client.address)).page
    rows = page.locator(".queue-list .row")
    await expect(rows).to_have_count(4)
    assert await rows.evaluate_all("rows => rows.map((row) => row.dataset.alert)") == [
        *(ids["conflict"], ids["no stop"], ids["fast"]),
        other,
    ]
    assert await rows.evaluate_all("rows => rows.map((row) => row.dataset.group ?? '')") == [
        *("同一次右转，共 3 条", "", ""),
        "",
    ]
    await expect(rows.nth(0)).to_contain_text("紧急 · 行人 · 右转前 1.8 秒 · 右转最高 11.6 km/h")
    # Each is opened, and dealt with, by itself.
    await page.locator(f"[data-alert='{ids['fast']}'] a").click()
    await expect(page.locator("h1")).to_have_text("一般 右转过快")


async def test_the_speed_zone_that_ruled_is_named(client: Client, store: Store, browse: Any) -> None:
    """As it was called and lay then, not as it is now."""
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    for code, limit_kmh, name, since in (
        ("school", 40, "实验小学路段", "2000-01-01"),
        ("school", 40, "改名的路段", (now - timedelta(seconds=12)).isoformat()),
        ("school", 30, "再改名的路段", "2100-01-01"),
        ("far", 40, "别处", "2000-01-01"),
    ):
        west = 120.7 if code == "school" else 121.7
        ring = [[west, 30.7], [west + 0.2, 30.7], [west + 0.2, 30.8], [west, 30.8], [west, 30.7]]
        await store.connection.execute("insert into fence (code) values ($1) on conflict do nothing", code)
        await store.connection.execute(
            """insert into fence_version (fence_id, valid_from, kind, name, geometry, limit_kmh)
               select fence_id, $2::text::timestamptz, 'speed_zone', $3, $4, $5 from fence where code = $1""",
            *(code, since, name, {"type": "Polygon", "coordinates": [ring]}, limit_kmh),
        )
    alert_id = await judged(
        store, "speeding", now - timedelta(seconds=50), 40, peak=83.0, limit=40.0, source="zone"
    )
    other = await judged(
        store, "speeding", now - timedelta(seconds=50), 40, peak=83.0, limit=60.0, source="class"
    )
    assert await client.get(f"/alerts/{alert_id}/zones") == {
        "items": [{"code": "school", "name": "实验小学路段"}]
    }
    assert await client.get(f"/alerts/{other}/zones") == {"items": []}
    assert (await client.problem("GET", f"/alerts/{uuid.uuid4()}/zones"))[0] == 404
    page = (await browse(f"{client.address}/alerts/{alert_id}")).page
    await expect(page.locator(".details")).to_contain_text("限速依据限速区 实验小学路段（该时段）")


async def test_an_alert_is_printed_on_one_page(client: Client, store: Store, browse: Any) -> None:
    """Dark on the screen, black on white on paper; no control; who printed it when."""
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    alert_id = await store.alert("mx00001", started_at=now - timedelta(seconds=50), severity=3)
    await client.session.post(
        f"{client.address}/api/v1/alerts/{alert_id}/comment", json={"version": 0, "reason": "司机已接电话"}
    )
    opened = await browse(f"{client.address}/alerts/{alert_id}", theme="dark")
    page = opened.page
    await expect(page.locator(".chart-place canvas")).to_be_visible()
    await expect(page.locator(".step")).to_contain_text("司机已接电话")
    await page.evaluate(
        """() => addEventListener("beforeprint", () => {
            const seen = (selector) =>
                [...document.querySelectorAll(selector)].some((one) => one.checkVisibility());
            const canvas = document.querySelector("canvas.sheet-ground");
            window.printed = {
                controls: seen("button:not(.link), input, select, .top, .back, .legend"),
                evidence: [".figures", ".people", ".chart canvas", ".details", ".step", ".print-foot"]
                    .every(seen),
                theme: document.documentElement.dataset.theme,
                ground: getComputedStyle(document.querySelector(".map")).backgroundColor,
                foot: document.querySelector(".print-foot").textContent,
                widths: [canvas.clientWidth, document.querySelector(".chart canvas").clientWidth],
            };
        })"""
    )
    pdf = await page.pdf(prefer_css_page_size=True)
    printed = await page.evaluate("printed")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf or b"/MediaBox [0 0 595" in pdf
    assert not printed["controls"]
    assert printed["evidence"]
    assert (printed["theme"], printed["ground"]) == ("light", "rgb(255, 255, 255)")
    assert re.fullmatch(
        rf"demo 打印于 {now.year}年{now.month}月{now.day}日 12:0\d:\d\d（北京时间）http://\S+/alerts/{alert_id}",
        printed["foot"],
    )
    assert min(printed["widths"]) > 650
    # And then it is as it was.
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await expect(page.locator(".top")).to_be_visible()
    await expect(page.locator(".print-foot")).to_be_hidden()
    assert opened.complaints == []


async def test_the_legend_has_words(client: Client, browse: Any) -> None:
    page = (await browse(client.address)).page
    await page.get_by_role("button", name="图例").click()
    for words in ("报警级别紧急严重一般提示", "轨迹行驶轨迹报警路段（颜色为级别）报警位置起点 / 终点"):
        await expect(page.locator(".legend-more")).to_contain_text(words)
    await expect(page.locator(".leaflet-control-scale")).to_have_text(re.compile(r"^\d+ 公?[里米]$"))

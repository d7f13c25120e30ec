"""What the page says while something is read, cannot be read, or is not there: never that all is well."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console import live
from console.feed import Feed
from console.pages import read_pages
from kerbsafe.parts import free_port
from tests.integration.console.test_page import at_noon, drive

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.console.conftest import Client, Store

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")

PROBLEM = json.dumps(
    {
        "type": "urn:kerbsafe:problem:failed",
        "title": "x",
        "status": 500,
        "detail": "It was logged; try again.",
    }
)
#: What comes instead of an answer, and what the page says of it, in both languages.
FAILURES: dict[str, tuple[str, str]] = {
    "500": ("服务器出错，已记入日志。", "Something failed on the server; it was logged."),
    "502": ("服务器应答 502。", "The server answered 502."),
    "gone": ("无法连接监控台。", "The console cannot be reached."),
    "html": ("无法识别服务器的应答。", "The answer cannot be understood."),
}
AWAITED = {"zh-CN": "正在读取", "en": "Being read"}
FAILED = {
    "zh-CN": re.compile(r"读取失败，\d\d:\d\d 起持续重试。"),
    "en": re.compile(r"Could not be read, trying again since \d\d:\d\d\."),
}
#: Text of an exception, or a value that is none: for nobody's eyes.
RAW = re.compile(r"TypeError|Failed to fetch|SyntaxError|undefined|\[object|null|NaN|urn:kerbsafe")


async def answer_with(route: Any, how: str) -> None:
    if how == "500":
        await route.fulfill(status=500, content_type="application/problem+json", body=PROBLEM)
    elif how == "502":
        await route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")
    elif how == "html":
        await route.fulfill(status=200, content_type="text/html", body="<h1>Log in to the guest network</h1>")
    elif how == "gone":
        await route.abort()
    elif how == "reading":
        await asyncio.sleep(3600)
    else:
        await route.continue_()


class Faulty:
    """A page whose requests to some path come to nothing until `mend` is called."""

    def __init__(self, page: Any, path: str, how: str) -> None:
        self.page = page
        self.path = re.compile(rf"/api/v1{path}")
        self.how = how

    async def begin(self) -> None:
        await self.page.route(self.path, lambda route: answer_with(route, self.how))

    async def mend(self) -> None:
        self.how = "well"


async def without_the_stream(page: Any) -> None:
    """Load the page again without what tells who the vehicles are: it has to ask."""
    await page.route_web_socket(re.compile("/live"), lambda _: None)
    await page.reload()


async def nothing_raw(page: Any) -> None:
    text = await page.locator("body").inner_text()
    assert not RAW.search(text), text


@pytest.fixture
def faulty(browse: Any) -> Callable[..., Awaitable[Faulty]]:
    """Open an address on a page whose requests to a path fail in a way."""

    async def open_it(address: str, path: str, how: str, language: str = "zh-CN") -> Faulty:
        opened = await browse("about:blank", language=language)
        found = Faulty(opened.page, path, how)
        await found.begin()
        await opened.page.goto(address)
        return found

    return open_it


def views(alert_id: str) -> list[tuple[str, str, str, str]]:
    """Page, the request that fails, where the page says so, what it must not say."""
    nothing_open, no_vehicle, no_alert = "No alert is open", "There is no such", "There is no such"
    return [
        ("/", r"/alerts\?.*sort=queue", ".queue", nothing_open),
        ("/", r"/alerts\?ongoing", ".queue", nothing_open),
        (f"/alerts/{alert_id}", r"/alerts/[0-9a-f-]{36}$", "main", no_alert),
        (f"/alerts/{alert_id}", r"/vehicles/mx00001/track", "main", "No speed"),
        (f"/alerts/{alert_id}", r"/alerts/.*/actions", "main", "\0"),
        ("/vehicles/mx00001", r"/vehicles/mx00001$", "main", no_vehicle),
        ("/vehicles/mx00001", r"/vehicles/mx00001/track", "main", "No fixes on this day"),
        ("/vehicles/mx00001", r"/alerts\?vehicle", "main", "None"),
    ]


@pytest.mark.timeout(300)  # 15 s on a machine that has nothing else to do
@pytest.mark.parametrize(
    ("how", "language"), [("500", "zh-CN"), ("502", "en"), ("gone", "zh-CN"), ("html", "en")]
)
async def test_what_cannot_be_read_is_said_and_asked_again(
    client: Client, store: Store, faulty: Any, how: str, language: str
) -> None:
    """Of each view and each way to fail: why, and since when; and it comes by itself when it can."""
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    alert_id = await store.alert("mx00001", started_at=now - timedelta(seconds=50), state="acknowledged")
    await store.connection.execute("update alert set actions = 1")
    await store.connection.execute(
        "insert into alert_action (alert_id, version, at, actor_kind, actor, action) "
        "values ($1, 1, now(), 'person', 'li.na', 'acknowledged')",
        alert_id,
    )
    for path, request, place, false in views(alert_id):
        found = await faulty(client.address + path, request, how, language)
        page = found.page
        if request.endswith("mx00001$"):
            await without_the_stream(page)
        if "ongoing" in request:
            wanted = {"zh-CN": "报警读取失败", "en": "Alerts not read"}[language]
            await expect(page.locator(".top-live")).to_have_text(wanted)
            await expect(page.locator(".map-veil")).to_be_visible()
            await expect(page.locator(".count-alerting b")).to_have_text("–")
        else:
            said = page.locator(f"{place} .notice.is-failed")
            await expect(said).to_contain_text(FAILED[language])
            await expect(said).to_contain_text(FAILURES[how][language == "en"])
        assert false not in await page.locator(place).inner_text()
        await nothing_raw(page)
        await found.mend()
        await expect(page.locator(".notice.is-failed")).to_have_count(0)
        if not request.endswith("mx00001$"):
            await expect(page.locator(".top-live")).to_have_text({"zh-CN": "实时", "en": "Live"}[language])
        await page.close()


async def test_what_is_being_read_is_not_empty(client: Client, store: Store, faulty: Any) -> None:
    now = at_noon(client)
    await drive(store, "mx00001", now=now)
    alert_id = await store.alert("mx00001", started_at=now - timedelta(seconds=50))
    for path, request, place, false in views(alert_id)[:-4:2] + views(alert_id)[-3:]:
        found = await faulty(client.address + path, request, "reading", "en")
        page = found.page
        if request.endswith("mx00001$"):
            await without_the_stream(page)
        said = page.locator(f"{place} .is-awaited, {place} .hint")
        await expect(said.first).to_have_text(re.compile("Being read|Reading the track"))
        if "sort=queue" in request:
            await expect(page.locator(".top-live")).not_to_have_text("Live")
        assert false not in await page.locator(place).inner_text()
        await page.close()


@pytest.mark.parametrize("how", ["502", "gone", "reading"])
async def test_nobody_is_asked_to_log_in_because_the_console_is_away(
    client: Client, faulty: Any, how: str
) -> None:
    for path in ("/session", "/about"):
        found = await faulty(client.address, path, how, "en")
        page = found.page
        if how == "reading":
            await asyncio.sleep(0.5)
        else:
            await expect(page.locator(".notice.is-failed")).to_contain_text(FAILURES[how][1])
        assert await page.get_by_label("Password").count() == 0
        await nothing_raw(page)
        await found.mend()
        if how != "reading":
            await expect(page.locator(".top-live")).to_have_text("Live")
        await page.close()


async def test_what_never_answers_is_given_up_and_asked_again(client: Client, browse: Any) -> None:
    opened = await browse("about:blank", language="en")
    page = opened.page
    # The page's patience, and nothing else, ends twenty times as soon.
    await page.add_init_script(
        "const wait = setTimeout; window.setTimeout = (f, ms) => wait(f, ms === 20000 ? 1000 : ms);"
    )
    found = Faulty(page, r"/alerts\?.*sort=queue", "reading")
    await found.begin()
    await page.goto(client.address)
    await expect(page.locator(".queue .notice.is-failed")).to_contain_text("No answer came within 20 s.")
    await found.mend()
    await expect(page.locator(".queue-empty")).to_contain_text("No alert is open")


async def test_an_empty_answer_is_said_as_such(client: Client, browse: Any) -> None:
    """Only what was read and is empty is called empty."""
    page = (await browse(client.address, language="en")).page
    await expect(page.locator(".queue-empty")).to_contain_text("No alert is open")
    await expect(page.locator(".top-live")).to_have_text("Live")
    await expect(page.locator(".map-veil")).to_be_hidden()
    await expect(page.locator(".strip-trouble")).to_be_hidden()
    await page.goto(f"{client.address}/vehicles/mx00001")
    await expect(page.locator("main")).to_contain_text("No fixes on this day")
    await expect(page.locator(".day-alerts")).to_contain_text("None")
    await expect(page.locator(".vehicle-state")).to_have_text("Never online")


#: How many pixels of the map have the colour of a vehicle that moves.
_MOVING = """() => {
    const canvas = document.querySelector("canvas.sheet-trucks");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
        if (data[i] === 0x0f && data[i + 1] === 0x66 && data[i + 2] === 0x74 && data[i + 3] === 255) count++;
    return count;
}"""


async def test_bar_map_and_counts_agree_while_the_console_is_away(
    store: Store, serve: Any, browse: Any
) -> None:
    port = free_port()
    await drive(store, "mx00001", ago_s=100)
    await store.alert("mx00002", ended=False, severity=3)
    async with serve(store.dsn, port=port) as first:
        page = (await browse(first.address)).page
        await expect(page.locator(".top-live")).to_have_text("实时")
        await expect(page.locator(".count-moving b")).to_have_text("1")
        await expect(page.locator(".count-alerting b")).to_have_text("1")
        await expect(page.locator(".map-veil")).to_be_hidden()
        assert await page.evaluate(_MOVING) > 8
    await expect(page.locator(".top-live")).to_have_text("连接中断，正在重试")
    await expect(page.locator(".map-veil")).to_contain_text(
        re.compile(r"\d\d:\d\d 起连接中断：车辆现在的位置未知")
    )
    await expect(page.locator(".strip-trouble")).to_contain_text(
        re.compile(r"\d\d:\d\d 起与监控台的连接中断")
    )
    for name in ("moving", "stopped", "grey", "alerting"):
        await expect(page.locator(f".count-{name} b")).to_have_text("–")
    # Nothing comes any more, and the vehicle is grey all the same two minutes after its last position.
    for _ in range(120):
        if await page.evaluate(_MOVING) == 0:
            break
        await asyncio.sleep(0.5)
    assert await page.evaluate(_MOVING) == 0
    async with serve(store.dsn, port=port):
        await expect(page.locator(".top-live")).to_have_text("实时")
        await expect(page.locator(".map-veil")).to_be_hidden()
        await expect(page.locator(".strip-trouble")).to_be_hidden()
        await expect(page.locator(".count-grey b")).to_have_text("4")


async def test_a_vehicle_is_not_called_watched_while_the_console_is_away(
    store: Store, serve: Any, browse: Any
) -> None:
    port = free_port()
    await drive(store, "mx00001")
    async with serve(store.dsn, port=port) as first:
        page = (await browse(f"{first.address}/vehicles/mx00001", language="en")).page
        await expect(page.locator(".vehicle-state")).to_contain_text("Watched live")
    await expect(page.locator(".vehicle-state")).to_have_text("No connection: how it is now is not known")


async def test_a_search_before_the_vehicles_are_known_finds_out_later(client: Client, browse: Any) -> None:
    opened = await browse("about:blank", language="en")
    await opened.page.route_web_socket(re.compile("/live"), lambda _: None)
    await opened.page.goto(client.address)
    await opened.page.get_by_label("Find a vehicle").fill("mx")
    await expect(opened.page.locator(".found")).to_have_text("Being read")


async def test_areas_that_cannot_be_read_are_missed(client: Client, faulty: Any) -> None:
    found = await faulty(client.address, "/fences", "500", "en")
    await expect(found.page.locator(".map-note")).to_contain_text("Areas and streets are missing here")
    await found.mend()
    await expect(found.page.locator(".map-note")).to_be_hidden()


async def test_who_cannot_be_logged_out_is_told(closed: Client, browse: Any) -> None:
    opened = await browse(closed.address, language="en")
    page = opened.page
    await page.get_by_label("Password").fill(closed.printed[0])
    await page.keyboard.press("Enter")
    await page.get_by_label("New password", exact=True).fill("mixers-turn-right")
    await page.get_by_label("New password again").fill("mixers-turn-right")
    await page.keyboard.press("Enter")
    await expect(page.locator(".top-who")).to_have_text("adminadministrator")
    await page.route(re.compile("/api/v1/session"), lambda route: answer_with(route, "502"))
    await page.get_by_label("Log out").click()
    await expect(page.locator(".strip-trouble")).to_have_text("That did not work: The server answered 502.")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/alerts", "/alerts/1234", "/vehicles/a/b", "/vehicles/mx00001?day=2026-02-30"]
)
async def test_an_unknown_address_is_called_one(client: Client, browse: Any, path: str) -> None:
    page = (await browse(client.address + path, language="en")).page
    await expect(page.locator("main h1")).to_have_text("This page does not exist")
    await page.get_by_role("link", name="To the alerts", exact=True).click()
    await expect(page).to_have_url(f"{client.address}/")
    await expect(page.locator("h1")).to_contain_text("Alerts")


async def test_alerts_are_shown_without_the_stream(client: Client, store: Store, browse: Any) -> None:
    """A proxy that lets no WebSocket through: what is stored is shown, and not as if it were live."""
    alert_id = await store.alert()
    opened = await browse("about:blank", language="en")
    await opened.page.route_web_socket(re.compile("/live"), lambda socket: socket.close())
    await opened.page.goto(client.address)
    await expect(opened.page.locator(f"[data-alert='{alert_id}']")).to_be_visible()
    await expect(opened.page.locator(".top-live")).to_have_text("Connection lost, trying again")


async def test_time_is_told_of_the_installation(client: Client, faulty: Any) -> None:
    """`since` is of the clock in the bar: a sandbox has its own."""
    at_noon(client)
    found = await faulty(client.address, r"/alerts\?.*sort=queue", "500", "en")
    await expect(found.page.locator(".queue .is-failed")).to_contain_text("since 12:0")


# ---------------------------------------------------------------- the console itself is blind


async def test_alerts_that_the_console_cannot_read_are_as_of_then(
    client: Client, store: Store, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream goes on: the page says since when it hears of nothing, and nothing lasts longer."""
    monkeypatch.setattr(live, "_AGE_EVERY_S", 0.1)
    monkeypatch.setattr(live, "_TURN_S", 0.1)
    began = datetime.now(UTC) - timedelta(minutes=10)
    await store.alert(rule="forbidden", started_at=began, ended=False, severity=3)
    page = (await browse(client.address, language="en")).page
    row = page.locator(".row-more").first
    await expect(page.locator(".top-live")).to_have_class(re.compile("is-live"))
    await expect(row).to_contain_text("10 min")
    monkeypatch.setattr(Feed, "age_s", 240.0)
    await expect(page.locator(".top-live")).to_have_text("Not up to date")
    await expect(page.locator(".strip-trouble")).to_contain_text(re.compile(r"As of \d\d:\d\d: "))
    await expect(page.locator(".map-veil")).to_contain_text(re.compile(r"As of \d\d:\d\d: "))
    await expect(page.locator(".count-alerting b")).to_have_text("–")
    await asyncio.sleep(1.5)  # rows are told anew every second
    before = await row.text_content()
    await asyncio.sleep(1.5)
    assert await row.text_content() == before
    monkeypatch.setattr(Feed, "age_s", 0.5)
    await expect(page.locator(".top-live")).to_have_text("Live")
    await expect(page.locator(".strip-trouble")).to_be_hidden()


async def test_a_fleet_of_which_nothing_is_received_is_not_watched(
    client: Client, store: Store, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_AGE_EVERY_S", 0.1)
    monkeypatch.setattr(live, "_TURN_S", 0.1)
    insert = "insert into batch (received_at, source, received, stored) values ($1, 'tick', 0, 0)"
    await store.connection.execute(insert, datetime.now(UTC) - timedelta(minutes=10))
    page = (await browse(client.address)).page
    await expect(page.locator(".top-live")).to_have_text("未收到车辆数据")
    await expect(page.locator(".strip-trouble")).to_contain_text("未收到任何车辆的数据")
    await expect(page.locator(".queue-empty")).to_have_text("目前无法得知有没有待处理的报警。")
    await store.connection.execute(insert, datetime.now(UTC))
    await expect(page.locator(".top-live")).to_have_text("实时")

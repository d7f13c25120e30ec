"""The desk at work: a long queue, its filters, the keyboard, and what is critical on whatever page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console.pages import read_pages
from tests.integration.console.test_handling_page import opened_by

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")

TO_THE_END = "list => list.scrollTo(0, list.scrollHeight)"


def ago(**how: float) -> datetime:
    return datetime.now(UTC) - timedelta(**how)


# ---------------------------------------------------------------- the queue


async def test_the_queue_does_not_end_before_the_alerts_do(client: Client, store: Store, browse: Any) -> None:
    ids = await store.alerts(250)
    page = (await browse(client.address, language="en")).page
    count, rows = page.locator(".queue-count"), page.locator(".row")
    for text, shown in (("100 of 250", 100), ("200 of 250", 200), ("250", 250)):
        await expect(count).to_have_text(text)
        await expect(rows).to_have_count(shown)
        await page.locator(".queue-scroll").evaluate(TO_THE_END)
    assert await rows.evaluate_all("rows => rows.map((row) => row.dataset.alert)") == ids
    await expect(page.locator(".queue-more")).to_be_hidden()


async def test_the_feed_keeps_the_count_right(client: Client, store: Store, browse: Any) -> None:
    """Of what is on the screen and of what lies behind it; the server counts the latter again."""
    ids = await store.alerts(150)
    page = (await browse(client.address, language="en")).page
    count = page.locator(".queue-count")
    await expect(count).to_have_text("100 of 150")
    fresh = await store.alert()
    await store.tell(fresh)
    await expect(count).to_have_text("100 of 151")
    for alert_id in (ids[0], ids[149]):
        await store.connection.execute(
            "update alert set state = 'resolved', disposition = 'confirmed' where alert_id = $1", alert_id
        )
        await store.tell(alert_id, "resolved")
    await expect(count).to_have_text("100 of 149")
    await store.alert(started_at=ago(days=2))
    behind = await store.alert(started_at=ago(days=2))
    await store.tell(behind)
    await expect(count).to_have_text("100 of 151")
    await page.locator(".queue-scroll").evaluate(TO_THE_END)
    await expect(count).to_have_text("151")


async def test_a_filter_finds_what_lies_behind(client: Client, store: Store, browse: Any) -> None:
    """The only alerts of a company, of a vehicle and of a severity are older than all that was shown."""
    await store.alerts(300)
    await store.connection.execute(
        "update alert set state = 'acknowledged' where raised_at < now() - interval '290 min'"
    )
    theirs = await store.alert("mx00004", severity=3, rule="forbidden", started_at=ago(days=1))
    await store.alert("mx00002", state="resolved", started_at=ago(days=1))
    page = (await browse(client.address, language="en")).page
    count, row = page.locator(".queue-count"), page.locator(f"[data-alert='{theirs}']")
    await expect(count).to_have_text("100 of 301")
    await page.locator("[data-severity='3']").click()
    await expect(row).to_be_visible()
    await expect(count).to_have_text("1")
    await page.locator("[data-severity='1']").click()
    await expect(count).to_have_text("100 of 301")
    await page.get_by_role("button", name="Filter").click()
    for label, choice, wanted in (
        ("Company", "er", "1"),
        ("Rule", "forbidden", "1"),
        ("State", "acknowledged", "11"),
        ("State", "resolved", "1"),
    ):
        await page.get_by_label(label, exact=True).select_option(choice)
        await expect(count).to_have_text(wanted)
        await page.get_by_role("button", name="Show all again").click()
        await expect(count).to_have_text("100 of 301")
    vehicle = page.get_by_label("Only of this vehicle")
    await vehicle.fill("浙F00004")
    await vehicle.press("Enter")
    await expect(count).to_have_text("1")
    await expect(row).to_be_visible()
    await vehicle.fill("")
    await expect(count).to_have_text("100 of 301")
    await page.get_by_label("Rule", exact=True).select_option("fatigue")
    await expect(page.locator(".queue-empty")).to_have_text("Nothing matches the filter")
    # Where there is nothing now, something may come.
    tired = await store.alert(rule="fatigue")
    await store.tell(tired)
    await expect(page.locator(f"[data-alert='{tired}']")).to_be_visible()


async def test_a_long_name_of_a_company_does_not_hide_the_rule(
    client: Client, store: Store, browse: Any
) -> None:
    name = "嘉兴市秀洲区新塍镇第一混凝土制品有限责任公司运输分公司"
    await store.connection.execute("update company set name = $1", name)
    await store.alert(rule="left_permitted")
    for width, language in ((1280, "en"), (375, "en"), (375, "zh-CN")):
        page = (await browse(client.address, width=width, language=language)).page
        rule = page.locator(".row strong")
        await expect(rule).to_be_visible()
        await expect(page.locator(".row-company")).to_have_text(name)
        assert await rule.evaluate("rule => rule.scrollWidth <= rule.clientWidth")
        right = await rule.evaluate("rule => rule.getBoundingClientRect().right")
        assert right <= await page.locator(".row-when").evaluate("when => when.getBoundingClientRect().left")
        assert await page.locator(".row").evaluate("row => row.scrollWidth <= row.clientWidth")


# ---------------------------------------------------------------- the keyboard


async def test_the_keyboard_works_from_the_start_and_comes_back_to_its_row(
    client: Client, store: Store, browse: Any
) -> None:
    ids = await store.alerts(40)
    page = (await browse(client.address)).page
    await expect(page.locator(".row")).to_have_count(40)

    async def is_at(place: int) -> None:
        await expect(page.locator(f"[data-alert='{ids[place]}'] a")).to_be_focused()

    await page.keyboard.press("j")
    await is_at(0)
    for _ in range(30):
        await page.keyboard.press("j")
    await page.keyboard.press("k")
    await is_at(29)
    scrolled = await page.locator(".queue-scroll").evaluate("list => list.scrollTop")
    assert scrolled > 500
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{client.address}/alerts/{ids[29]}")
    await expect(page.locator(".figures")).to_be_visible()
    await page.keyboard.press("Escape")
    await is_at(29)
    assert abs(await page.locator(".queue-scroll").evaluate("list => list.scrollTop") - scrolled) < 5
    await page.keyboard.press("Enter")
    await page.go_back()
    await is_at(29)
    # From a vehicle's page as well.
    await page.keyboard.press("/")
    await page.keyboard.type("mx00004")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{client.address}/vehicles/mx00004")
    await page.keyboard.press("Escape")
    await is_at(29)


async def test_after_resolving_the_keyboard_is_on_the_next(client: Client, store: Store, browse: Any) -> None:
    ids = await store.alerts(3)
    page = (await browse(client.address, language="en")).page
    await expect(page.locator(".row")).to_have_count(3)
    await page.keyboard.press("j")
    for place, following in ((0, 1), (1, 2)):
        await page.keyboard.press("Enter")
        await resolve(page)
        onward = page.get_by_role("link", name="Next alert: Speeding")
        await expect(onward).to_be_focused()
        await expect(onward).to_have_attribute("href", f"/alerts/{ids[following]}")
        # What was done stays on the screen until whoever did it goes on.
        await expect(page).to_have_url(f"{client.address}/alerts/{ids[place]}")
        await expect(page.locator(".handling-state")).to_contain_text("resolved")
    # Who goes back instead is in the row that took the place of the resolved one.
    await page.keyboard.press("Escape")
    await expect(page.locator(f"[data-alert='{ids[2]}'] a")).to_be_focused()
    await page.keyboard.press("Enter")
    await resolve(page)
    await expect(page.locator(".handling-onward a")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".queue-empty")).to_contain_text("No alert is open")


async def resolve(page: Any) -> None:
    await page.locator("[data-action=resolve]").click()
    await page.get_by_label("Confirmed").check()
    await page.get_by_label("Why").fill("warned the driver")
    await page.keyboard.press("Control+Enter")


# ---------------------------------------------------------------- critical alerts


@pytest.mark.parametrize("path", ["/", "/vehicles/mx00004", "/alerts/{other}", "/nowhere"])
async def test_a_critical_alert_is_told_on_every_page(
    client: Client, store: Store, browse: Any, path: str
) -> None:
    other = await store.alert("mx00004", started_at=ago(minutes=5))
    page = (await browse(client.address + path.format(other=other), language="en")).page
    await expect(page.locator(".top-live")).to_have_text("Live")
    strip = page.locator(".strip-critical")
    await expect(strip).to_be_hidden()
    assert await page.title() == "Kerbsafe console"
    first = await store.alert("mx00001", severity=4, rule="conflict", started_at=ago(seconds=40), ended=False)
    await store.tell(first)
    await expect(strip).to_contain_text("Collision risk, right blind spot · mx00001 浙F00001")
    await expect(strip).to_contain_text(re.compile(r"since \d\d:\d\d:\d\d, 4\d s ago"))
    await expect(page).to_have_title("(1) Kerbsafe console")
    second = await store.alert("mx00002", severity=4, started_at=ago(seconds=5))
    await store.tell(second)
    await expect(strip).to_contain_text("Speeding · mx00002")
    await expect(strip).to_contain_text("and 1 more")
    await expect(page).to_have_title("(2) Kerbsafe console")
    await strip.get_by_role("link", name="Open").click()
    await expect(page).to_have_url(f"{client.address}/alerts/{second}")
    await expect(page).to_have_title("(1) Kerbsafe console")
    # Somebody looks after the other one.
    await store.connection.execute("update alert set state = 'acknowledged' where alert_id = $1", first)
    await store.tell(first, "acknowledged")
    await expect(strip).to_be_hidden()
    await expect(page).to_have_title("Kerbsafe console")


async def test_what_grows_critical_is_told_and_what_is_old_is_not(
    client: Client, store: Store, browse: Any
) -> None:
    old = await store.alert("mx00004", severity=4, started_at=ago(days=1))
    growing = await store.alert("mx00001", severity=3, ended=False)
    page = (await browse(f"{client.address}/vehicles/mx00002", language="en")).page
    await expect(page.locator(".top-live")).to_have_text("Live")
    await store.tell(old, "commented")
    late = await store.alert("mx00004", severity=4, late=True)
    await store.tell(late)
    await store.connection.execute("update episode set severity = 4 where episode_id = $1", growing)
    await store.tell(growing, "updated")
    strip = page.locator(".strip-critical")
    await expect(strip).to_contain_text("mx00001")
    await expect(page.locator("[aria-live=assertive]")).to_have_text("Critical: Speeding, vehicle mx00001")
    await expect(page).to_have_title("(1) Kerbsafe console")
    await strip.get_by_role("button", name="Seen, put away").click()
    await expect(strip).to_be_hidden()
    await store.tell(growing, "updated")
    await page.reload()
    # It goes on, and this page does not know that somebody has seen it.
    await expect(strip).to_contain_text("mx00001")


async def test_what_was_seen_while_slight_is_told_when_it_grows_critical(
    client: Client, store: Store, browse: Any
) -> None:
    alert_id = await store.alert("mx00001", severity=3, ended=False)
    page = (await browse(f"{client.address}/alerts/{alert_id}", language="en")).page
    await expect(page.locator(".top-live")).to_have_text("Live")
    await page.keyboard.press("Escape")
    await expect(page.locator(".row")).to_have_count(1)
    await store.connection.execute("update episode set severity = 4")
    await store.tell(alert_id, "updated")
    await expect(page.locator(".strip-critical")).to_contain_text("mx00001")


_FAKES = """
    window.told = [];
    class Node { connect(to) { return to; } }
    class Gain extends Node { gain = { setValueAtTime() {}, exponentialRampToValueAtTime() {} }; }
    class Tone extends Node { frequency = {}; start() { told.push("tone"); } stop() {} }
    window.AudioContext = class {
        state = "running"; currentTime = 0; destination = new Node();
        createGain() { return new Gain(); }
        createOscillator() { return new Tone(); }
    };
    let permission = "default";
    window.Notification = class {
        static get permission() { return permission; }
        static async requestPermission() { told.push("asked"); permission = "granted"; return permission; }
        constructor(title, options) { told.push(`${title}: ${options.body}`); }
        close() {}
    };
    document.hasFocus = () => false;
"""


async def test_sound_and_notifications_are_chosen_and_kept(client: Client, store: Store, browse: Any) -> None:
    opened = await browse("about:blank", language="en")
    page = opened.page
    await page.add_init_script(_FAKES)
    await page.goto(f"{client.address}/vehicles/mx00004")
    await expect(page.locator(".top-live")).to_have_text("Live")

    async def raise_one() -> None:
        await store.tell(await store.alert("mx00001", severity=4, rule="conflict", started_at=ago(seconds=1)))

    await raise_one()
    await expect(page.locator(".strip-critical")).to_be_visible()
    assert await page.evaluate("told") == []
    await page.get_by_label("Sound and notifications: off").click()
    assert await page.evaluate("told") == []
    await page.get_by_label("Play a sound").check()
    assert await page.evaluate("told") == ["tone"] * 4  # what it sounds like
    await page.get_by_label("Notify").check()
    await expect(page.get_by_label("Sound and notifications: on")).to_be_visible()
    assert await page.evaluate("told") == ["tone"] * 4 + ["asked"]
    await page.evaluate("told.length = 0")
    await raise_one()
    await expect(page).to_have_title("(2) Kerbsafe console")
    notice = "Critical alert: Collision risk, right blind spot · mx00001"
    assert sorted(await page.evaluate("told")) == [notice, *["tone"] * 4]
    await page.reload()
    # Browsers let a page sound only after a click or a key, and the bell says so.
    held = page.get_by_label("Sound: heard once you have clicked somewhere")
    await expect(held).to_be_visible()
    await page.keyboard.press("Shift")
    await expect(held).to_have_count(0)
    await page.get_by_label("Sound and notifications: on").click()
    await page.get_by_label("Play a sound").uncheck()
    await page.reload()
    await expect(page.get_by_label("Sound and notifications: off")).to_be_visible()


# ---------------------------------------------------------------- who


async def test_who_is_logged_in_is_always_there(
    closed: Client, client: Client, store: Store, browse: Any
) -> None:
    for width in (1280, 375):
        for role, language, word in (
            ("operator", "zh-CN", "值班员"),
            ("viewer", "en", "viewer"),
            ("administrator", "en", "administrator"),
        ):
            name = f"li.na.{role[:3]}{width}"
            opened = await opened_by(closed, store, browse, name, "/", role, width=width, language=language)
            who = opened.page.locator(".top-who")
            await expect(who).to_be_visible()
            await expect(who.locator("b")).to_have_text(name)
            await expect(who.locator("span")).to_have_text(word)
            await opened.page.close()
    opened = await browse(client.address, language="en")
    await expect(opened.page.locator(".top-who")).to_have_text("nobody logs in here")

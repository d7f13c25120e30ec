"""Acknowledging and resolving by clicking, by keyboard, on a phone; and what others see of it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console import accounts
from console.pages import read_pages
from fleet.units import to_us

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.console.conftest import Client, Store

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")

NASTY = "<img src=x onerror=document.title='taken'>"
#: What the browser itself says of an answer that is an error.
CONFLICT = re.compile("status of 409")


async def session_of(client: Client, store: Store, name: str, role: str) -> list[Any]:
    """The cookie of somebody who has chosen a password."""
    await accounts.issue_password(store.connection, name, role)
    await store.connection.execute("update console_user set one_time = false")
    user_id = await store.connection.fetchval("select user_id from console_user where name = $1", name)
    user = accounts.User(user_id, name, role, must_change=False)
    token = await accounts.open_session(store.connection, user, to_us(datetime.now(UTC)))
    return [{"name": "kerbsafe", "value": token, "url": client.address}]


async def opened_by(
    client: Client, store: Store, browse: Any, name: str, path: str, role: str, **how: Any
) -> Any:
    opened = await browse("about:blank", **how)
    await opened.page.context.add_cookies(await session_of(client, store, name, role))
    await opened.page.goto(client.address + path)
    return opened


async def test_one_acts_and_another_sees_it(closed: Client, store: Store, browse: Any) -> None:
    alert_id = await store.alert(severity=3, started_at=datetime.now(UTC) - timedelta(seconds=50))
    path = f"/alerts/{alert_id}"
    wang = await opened_by(closed, store, browse, "wang", path, "operator")
    queue = await opened_by(closed, store, browse, "li", "/", "operator", language="en")
    li = await opened_by(closed, store, browse, "zhao", path, "viewer", language="en")
    page = wang.page
    await expect(queue.page.locator(f"[data-alert='{alert_id}']")).to_be_visible()
    await expect(li.page.locator(".handling-state")).to_have_text("open")
    await expect(li.page.locator(".top-live")).to_have_text("Live")

    await page.get_by_role("button", name="受理").click()
    await expect(page.locator(".handling-state")).to_have_text("处置中")
    await expect(page.locator(".handling-said")).to_have_text("已受理。")
    await expect(queue.page.locator(f"[data-alert='{alert_id}']")).to_contain_text("acknowledged")
    await expect(li.page.locator(".handling-state")).to_have_text("acknowledged")
    await expect(li.page.locator(".step")).to_contain_text(["wang acknowledged"])
    # Who may only look has nothing to press.
    assert await li.page.locator(".handling button").count() == 0

    began = datetime.now(UTC)
    await page.get_by_role("button", name="办结").click()
    await page.get_by_label("设备故障").check()
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator(".handling-form")).to_be_visible()  # the reason is missing
    await page.get_by_label("理由").fill(f"GPS 漂移 {NASTY}")
    await page.get_by_role("button", name="保存").click()
    await expect(page.locator(".handling-state")).to_have_text("已办结设备故障")
    await expect(li.page.locator(".handling-state")).to_have_text("resolvedDevice fault")
    last = li.page.locator(".step").last
    await expect(last).to_contain_text("wang resolved: Device fault")
    await expect(last.locator("p")).to_have_text(f"GPS 漂移 {NASTY}")
    hours = [(at + timedelta(hours=8)).strftime("%H:") for at in (began, datetime.now(UTC))]
    shown = await last.locator("time").text_content() or ""
    assert any(hour in shown for hour in hours)
    await expect(queue.page.locator(f"[data-alert='{alert_id}']")).to_have_count(0)

    await page.get_by_role("button", name="重新处置").click()
    await page.keyboard.type("定位正常")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".handling-state")).to_have_text("待处置")
    await expect(queue.page.locator(f"[data-alert='{alert_id}']")).to_be_visible()
    assert wang.complaints + li.complaints + queue.complaints == []


async def test_whoever_is_slower_is_told(client: Client, store: Store, browse: Any) -> None:
    """The same alert on a page that has not heard of it: offline for a moment."""
    alert_id = await store.alert()
    opened = await browse(f"{client.address}/alerts/{alert_id}", language="en")
    page = opened.page
    await page.get_by_role("button", name="Resolve").click()
    await page.get_by_label("Confirmed").check()
    await page.get_by_label("Why").fill("warned the driver")
    # Somebody acts, and the feed says nothing of it.
    await store.connection.execute("update alert set state = 'acknowledged', actions = 1")
    await store.connection.execute(
        "insert into alert_action (alert_id, version, at, actor_kind, actor, action) "
        "values ($1, 1, now(), 'person', 'li.na', 'acknowledged')",
        alert_id,
    )
    await page.get_by_role("button", name="Save").click()
    said = page.locator(".handling-said")
    await expect(said).to_have_text("Somebody else was faster. li.na: acknowledged")
    await expect(page.locator(".handling-state")).to_have_text("acknowledged")
    # What was typed is still there, and now it goes through.
    await expect(page.get_by_label("Why")).to_have_value("warned the driver")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".handling-state")).to_have_text("resolvedConfirmed")
    assert [one for one in opened.complaints if not CONFLICT.search(one)] == []


async def test_two_people_dismiss_a_critical_one(closed: Client, store: Store, browse: Any) -> None:
    path = f"/alerts/{await store.alert(severity=4)}"
    wang = await opened_by(closed, store, browse, "wang", path, "operator", language="en")
    li = await opened_by(closed, store, browse, "li", path, "operator", language="en")
    for opened, wanted in ((wang, ""), (li, "resolvedNothing to do")):
        page = opened.page
        await page.get_by_role("button", name="Resolve").click()
        await page.get_by_label("Nothing to do").check()
        await expect(page.locator(".handling-form .hint")).to_contain_text("takes two people")
        await page.get_by_label("Why").fill("yard of a plant")
        await page.get_by_role("button", name="Save").click()
        if opened is wang:
            proposal = "wang proposes: Nothing to do. Another person must agree."
            await expect(page.locator(".handling-state")).to_contain_text(proposal)
            await expect(li.page.locator(".handling-state")).to_contain_text(proposal)
        else:
            await expect(page.locator(".handling-state")).to_have_text(wanted)
    await expect(wang.page.locator(".handling-state")).to_have_text("resolvedNothing to do")


async def test_with_the_keyboard_alone(client: Client, store: Store, browse: Any) -> None:
    alert_id = await store.alert()
    page = (await browse(f"{client.address}/alerts/{alert_id}", language="en")).page
    acknowledge = page.get_by_role("button", name="Acknowledge")
    await expect(acknowledge).to_be_visible()
    for _ in range(20):
        if await acknowledge.evaluate("button => button === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".handling-state")).to_have_text("acknowledged")
    await expect(page.get_by_role("button", name="Resolve")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Escape")
    await expect(page.locator(".handling-form")).to_have_count(0)
    await expect(page.get_by_role("button", name="Resolve")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.type("warned\nby phone")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".handling-state")).to_have_text("resolvedConfirmed")
    await expect(page.locator(".step p")).to_have_text("warned by phone")


async def test_what_is_typed_stays_while_the_alert_goes_on(client: Client, store: Store, browse: Any) -> None:
    alert_id = await store.alert(ended=False)
    page = (await browse(f"{client.address}/alerts/{alert_id}", language="en")).page
    await expect(page.locator(".top-live")).to_have_text("Live")
    await page.get_by_role("button", name="Comment").click()
    await page.keyboard.type("half a sen")
    await store.connection.execute("update episode set peak = 99.5")
    await store.tell(alert_id, "updated")
    await expect(page.locator(".figures")).to_contain_text("99.5")
    await page.keyboard.type("tence")
    await expect(page.locator("textarea")).to_have_value("half a sentence")


@pytest.mark.parametrize(
    ("width", "language", "theme"), [(1280, "zh-CN", "light"), (1280, "en", "dark"), (375, "en", "light")]
)
async def test_it_fits(
    client: Client, store: Store, browse: Any, tmp_path: Path, width: int, language: str, theme: str
) -> None:
    alert_id = await store.alert(severity=4, started_at=datetime.now(UTC) - timedelta(seconds=50))
    rows = [
        ("person", "li.na", "acknowledged", None, ""),
        ("program", "dispatch-board", "commented", None, "司机已接电话，靠边停车检查 " + "x" * 120),
        ("person", "li.na", "proposed", "false_positive", "限速牌读错，应为 80"),
    ]
    for version, row in enumerate(rows, 1):
        await store.connection.execute(
            "insert into alert_action (alert_id, version, at, actor_kind, actor, action, disposition, "
            "reason) values ($1, $2, now(), $3, $4, $5, $6, $7)",
            alert_id,
            version,
            *row,
        )
    await store.connection.execute(
        "update alert set state = 'acknowledged', actions = 3, proposed = 'false_positive'"
    )
    opened = await browse(f"{client.address}/alerts/{alert_id}", width=width, language=language, theme=theme)
    page = opened.page
    await expect(page.locator(".step")).to_have_count(3)
    await page.locator("[data-action=resolve]").click()
    await page.locator("input[value=false_positive]").check()
    await expect(page.locator(".handling-form .hint")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    panel = page.locator("main")
    assert await panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    await asyncio.sleep(0.3)
    await page.screenshot(path=tmp_path / "form.png")
    await page.locator(".history").scroll_into_view_if_needed()
    await page.screenshot(path=tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 15_000
    assert opened.complaints == []

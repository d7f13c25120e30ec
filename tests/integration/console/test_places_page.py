"""Turning places in a browser: the list, the map, and what is said of one place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console.pages import read_pages
from tests.integration.console.test_places import turn_often
from tests.integration.console.test_quality import drive

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")


async def test_where_turns_are_dangerous_is_said_in_words(client: Client, store: Store, browse: Any) -> None:
    await turn_often(store, 60, 12)
    await turn_often(store, 60, 0, north_udeg=20_000)
    await turn_often(store, 6, 6, north_udeg=40_000)
    opened = await browse(f"{client.address}/places")
    page = opened.page
    rows = page.locator(".place-row")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(0)).to_contain_text("高于全市")
    await expect(rows.nth(2)).to_contain_text("右转太少，无法判断")
    await rows.nth(2).get_by_role("link").click()
    await expect(page.locator(".place-card")).to_contain_text("这不表示此处安全")
    await page.get_by_role("link", name="返回全部点位").click()
    await rows.nth(0).get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"place=N\d+E\d+-E$"))
    await expect(page.locator(".place-card")).to_contain_text("向东驶入右转")
    # The map looks at it, and a click on its mark opens it again.
    await page.get_by_role("link", name="返回全部点位").click()
    await expect(page.locator(".place-card")).to_have_count(0)
    await expect(rows).to_have_count(3)
    box = await page.locator(".map").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await expect(page.locator(".place-card")).to_contain_text("向东驶入右转")
    assert opened.complaints == []


async def test_nothing_is_not_safe(client: Client, browse: Any) -> None:
    opened = await browse(f"{client.address}/places", language="en")
    await expect(opened.page.locator(".places")).to_contain_text("That does not mean there is no danger")


async def test_what_each_terminal_needs(client: Client, store: Store, browse: Any) -> None:
    await drive(store)
    opened = await browse(f"{client.address}/places")
    page = opened.page
    await page.get_by_role("link", name="数据质量").click()
    await page.get_by_role("link", name="按车辆").click()
    await expect(page.locator(".quality-unit")).to_have_count(4)
    await expect(page.locator(".quality-unit").first).to_contain_text("核对终端是否已安装")
    await page.get_by_role("link", name="按企业").click()
    await expect(page.locator(".quality-unit").last).to_contain_text("轨迹完整率无法给出无记录 / 无记录")
    await page.get_by_role("link", name="按车辆").click()
    await expect(page.locator(".quality-unit").first).to_contain_text("核对终端")
    await expect(page.locator(".quality-unit").nth(1)).to_contain_text("该时段未收到数据")
    assert opened.complaints == []

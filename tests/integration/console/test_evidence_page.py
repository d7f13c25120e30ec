"""What the page shows of an alert: its chart, its figures, where it was on the map."""

from __future__ import annotations

import asyncio
from datetime import timedelta
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

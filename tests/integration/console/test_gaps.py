"""From when to when data may be missing: over the API, and under the bar of every page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console.pages import read_pages

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

INSERT = """
insert into transport_gap (source, session, from_at, until_at, messages, noted_at) values
    ('queue_full', '', now() - interval '3 h', now() - interval '2 h', 800, now()),
    ('session_forgotten', 'live', now() - interval '26 h', now() - interval '25 h', null, now()),
    ('queue_full', '', now() - interval '9 d', now() - interval '8 d', 7, now())
"""


async def test_gaps_of_the_last_days_newest_first(store: Store, client: Client) -> None:
    assert await client.get("/transport-gaps") == {"items": []}
    await store.connection.execute(INSERT)
    items = (await client.get("/transport-gaps"))["items"]
    assert [(item["source"], item["messages"]) for item in items] == [
        ("queue_full", 800),
        ("session_forgotten", None),
    ]


@pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")
async def test_the_page_says_so(store: Store, client: Client, browse: Any) -> None:
    opened = await browse(client.address, language="en")
    strip = opened.page.locator(".strip", has_text="Data may be missing")
    await expect(opened.page.locator(".strips")).to_be_attached()
    await expect(strip).to_have_count(0)
    await store.connection.execute(INSERT)
    await opened.page.reload()
    await expect(strip).to_have_text(
        re.compile(
            r"Data may be missing from .*\d\d:\d\d:\d\d to .*\d\d:\d\d:\d\d: "
            r"turns of that time are not judged as clear\. In the last 7 days: 1 more\."
        )
    )
    assert opened.complaints == []

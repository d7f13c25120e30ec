"""What the page weighs on its way to the browser."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from playwright.async_api import expect

from console.pages import read_pages

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")


async def test_the_script_is_under_a_hundred_kilobytes_on_the_wire(client: Client, browse: Any) -> None:
    page = (await browse("about:blank")).page
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Network.enable")
    address: dict[str, str] = {}
    bytes_of: dict[str, int] = {}
    devtools.on(
        "Network.responseReceived",
        lambda told: address.update({told["requestId"]: told["response"]["url"].rsplit("/", 1)[-1]}),
    )
    devtools.on(
        "Network.loadingFinished",
        lambda told: bytes_of.update({address.get(told["requestId"], ""): told["encodedDataLength"]}),
    )
    await page.goto(client.address)
    await expect(page.locator(".top-live")).to_have_text("实时")
    # With what it begins with; pages that are opened rarely are loaded when they are.
    scripts = {name: size for name, size in bytes_of.items() if name.endswith(".js")}
    assert 50_000 < sum(scripts.values()) < 100_000
    assert not any(name.startswith("pages-") for name in scripts)
    assert bytes_of["app.css"] < 12_000
    # A second visit asks, and is answered that nothing has changed.
    bytes_of.clear()
    await page.goto(client.address + "/vehicles/nobody")
    await expect(page.locator("main .notice")).to_be_visible()
    assert bytes_of["app.js"] < 2_000


@pytest.mark.parametrize(("coding", "most"), [("br", 100_000), ("gzip", 115_000), ("identity", 400_000)])
async def test_it_is_the_same_in_every_coding(client: Client, coding: str, most: int) -> None:
    address, headers = f"{client.address}/assets/app.js", {"Accept-Encoding": coding}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as wire,
        wire.get(address, headers=headers) as answer,
    ):
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers.get("Content-Encoding", "identity") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Cache-Control"] == "no-cache"
        body = await answer.read()
    assert len(body) < most
    whole = read_pages().assets["app.js"].body
    if coding != "br":  # which Python does not know; the browser does
        assert (gzip.decompress(body) if coding == "gzip" else body) == whole

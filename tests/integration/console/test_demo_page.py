"""The demo in a browser: trucks move, an alert arrives, and it opens."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from console.pages import read_pages

if TYPE_CHECKING:
    from pathlib import Path

#: Where the trucks are drawn, as a number that changes when one of them moves.
_PICTURE = """() => {
    const canvas = document.querySelector("canvas.sheet-trucks");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0, sum = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) { drawn++; sum = (sum * 31 + i) % 1000000007; }
    return [drawn, sum];
}"""


@pytest.mark.timeout(400)  # half a minute on a machine that has nothing else to do
@pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")
async def test_trucks_move_and_an_alert_arrives_and_opens(browse: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kerbsafe", "demo", "--no-browser", "--trucks", "12", "--minutes", "6"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"COLUMNS": "200"},
        cwd=tmp_path,
    )
    try:
        address = await asyncio.wait_for(_address(process), 180)
        opened = await browse(address)
        page = opened.page
        await expect(page.locator(".top .tag")).to_have_text("演示")
        await expect(page.locator(".count-moving b")).not_to_have_text(re.compile("^[–0]$"), timeout=60_000)
        drawn, before = await page.evaluate(_PICTURE)
        assert drawn > 100
        async with asyncio.timeout(60):
            while (await page.evaluate(_PICTURE))[1] == before:  # noqa: ASYNC110 - a picture tells nobody
                await asyncio.sleep(0.2)
        row = page.locator(".queue-list .row").first
        await expect(row).to_contain_text("超速", timeout=90_000)
        await row.locator("a").click()
        await expect(page.locator("main .chart-place canvas")).to_be_visible()
        await expect(page.locator("main")).to_contain_text("限速依据")
        assert opened.complaints == []
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0


async def _address(process: asyncio.subprocess.Process) -> str:
    """Read what the demo prints until it names the console's address."""
    assert process.stdout is not None
    seen = ""
    while True:
        line = (await process.stdout.readline()).decode()
        assert line, f"the demo ended: {seen}"
        seen += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]

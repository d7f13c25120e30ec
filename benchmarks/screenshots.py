"""The pictures of docs/console.md and the README: `.venv/bin/python benchmarks/screenshots.py`.

Half an hour of the simulator's `rush` passes nine times as fast, on real parts, in a sandbox; then the clock
goes on at the pace of the wall, trucks drive, and Chromium is shown each page. Wants Pillow, which smaller
pictures need.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from PIL import Image
from playwright.async_api import async_playwright

from fleet import db
from fleet.clock import Clock
from fleet.installation import make_days_ahead, set_clock
from fleet.migrate import migrate
from fleet.registry_import.entry import Choices
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS, to_datetime, to_us
from kerbsafe import parts
from simulators import publish, scenario
from simulators.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from simulators.scenario import Plan

DOCS = Path(__file__).resolve().parents[1] / "docs"
FOLDER = DOCS / "img" / "console"
START = datetime(2026, 3, 2, 6, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
START_US = to_us(START)
TRUCKS, MINUTES, SPEEDUP = 80, 30.0, 9.0
LEAD_S = 15.0
#: How long the trucks go on at the pace of the wall.
SHOWN_S = 400.0
#: Some units are off: not everything is watched.
DANGERS = replace(RECIPES["rush"].dangers, offline=0.2)
DESK, PHONE = (1280, 800), (375, 760)


class Shot(NamedTuple):
    """One picture."""

    name: str
    language: str
    theme: str
    size: tuple[int, int]


SHOTS = (
    Shot("desk-zh-light", "zh-CN", "light", DESK),
    Shot("desk-en-dark", "en-GB", "dark", DESK),
    Shot("phone-zh-dark", "zh-CN", "dark", PHONE),
    Shot("phone-en-light", "en-GB", "light", PHONE),
)


async def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    plan = scenario.build("rush", 3, TRUCKS, MINUTES * 60 + SHOWN_S, START_US, dangers=DANGERS)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kerbsafe-screenshots-")))
        server = stack.enter_context(parts.embedded_postgres())
        broker = stack.enter_context(parts.embedded_broker())
        connection = await db.connect(server.dsn, application="screenshots")
        clock = await prepare(connection, plan)
        addresses = start(stack, folder, plan, server.dsn, broker)
        messages = [message for batch in plan.messages() for message in batch]
        to = publish.Broker(broker.host, broker.port)
        slow_us = START_US + round(MINUTES * 60 * MICROSECONDS)
        before = [message for message in messages if message.at_us < slow_us]
        print(f"{len(before)} messages in {MINUTES / SPEEDUP:.0f} minutes", file=sys.stderr)
        await publish.publish([before], to, (truck.code for truck in plan.trucks), clock=clock)
        # Never back: who was heard at a moment is not heard before it.
        clock = clock.anchored(max(slow_us, clock.now_us()), 1.0)
        await set_clock(connection, clock)
        after = [message for message in messages if message.at_us >= slow_us]
        driving = asyncio.create_task(publish.publish([after], to, clock=clock))
        alert = await grave(connection, slow_us)
        await shoot(alert, *addresses)
        driving.cancel()
        await connection.close(timeout=5)


async def prepare(connection: asyncpg.Connection, plan: Plan) -> Clock:
    """Make a sandbox with the city's registry, its clock a moment before the first message."""
    await migrate(connection, sandbox=True)
    await make_days_ahead(connection, START_US)
    clock = Clock(
        time.time_ns() // 1000, START_US - round(LEAD_S * SPEEDUP * MICROSECONDS), SPEEDUP, sandbox=True
    )
    await set_clock(connection, clock)
    for document in (plan.fences, plan.registry):
        contents = read_registry(msgspec.json.encode(document))
        await import_registry(
            connection, contents, now_us=START_US, sandbox=True, choices=Choices(datum="wgs84")
        )
    return clock


def start(
    stack: contextlib.ExitStack, folder: Path, plan: Plan, dsn: str, broker: parts.Broker
) -> tuple[str, str, str]:
    """Run ingest, worker, and two consoles; return the open one's address, the closed one's, its password."""
    settings = {"KERBSAFE_DSN": dsn, "KERBSAFE_BROKER": broker.url}
    streets = folder / "streets.geojson"
    streets.write_bytes(msgspec.json.encode(plan.streets))

    def run(name: str, *arguments: str) -> parts.Process:
        process = parts.kerbsafe_process(*arguments, settings=settings, log_path=folder / f"{name}.log")
        return stack.enter_context(process)

    run("ingest", "ingest")
    run("worker", "worker")
    opened, closed = parts.free_port(), parts.free_port()
    run("open", "console", "--demo", "--port", str(opened), "--streets", str(streets))
    run("closed", "console", "--port", str(closed))
    found = re.search(r"^ {4}(\S+)$", (folder / "closed.log").read_text(), re.MULTILINE)
    assert found is not None
    return f"http://127.0.0.1:{opened}", f"http://127.0.0.1:{closed}", found[1]


async def shoot(alert: str, opened: str, closed: str, password: str) -> None:
    """Take every picture."""
    with parts.chromium() as chromium:
        async with async_playwright() as playwright:
            # Forms are in the language of the browser itself.
            browser = await playwright.chromium.launch(
                executable_path=chromium.executable,
                args=[*chromium.arguments, "--lang=zh-CN"],
                env=os.environ | {"LANGUAGE": "zh_CN"},
            )
            for shot in SHOTS:
                async with page_of(browser, shot) as page:
                    await shoot_pages(page, opened, shot, alert)
            async with page_of(browser, Shot("login", "zh-CN", "light", DESK)) as page:
                await page.goto(closed)
                await page.get_by_label("密码").fill(password)
                save(
                    await page.screenshot(clip={"x": 340, "y": 130, "width": 600, "height": 540}),
                    "login-zh-light",
                )
            await browser.close()


@contextlib.asynccontextmanager
async def page_of(browser: Any, shot: Shot) -> AsyncIterator[Any]:
    width, height = shot.size
    context = await browser.new_context(
        viewport={"width": width, "height": height}, locale=shot.language, color_scheme=shot.theme
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: print(f"{shot.name}: {error}", file=sys.stderr))
    yield page
    await context.close()


async def grave(connection: asyncpg.Connection, since_us: int) -> str:
    """Return a grave speeding that began and ended at the pace of the wall; wait for it."""
    async with asyncio.timeout(SHOWN_S):
        while True:
            found = await connection.fetchval(
                "select alert_id::text from alert join episode on episode_id = alert_id "
                "where rule = 'speeding' and severity = 3 and started_at > $1 "
                "and ended_at is not null limit 1",
                to_datetime(since_us),
            )
            if found is not None:
                await asyncio.sleep(10)
                return str(found)
            await asyncio.sleep(1)


async def shoot_pages(page: Any, address: str, shot: Shot, alert: str) -> None:
    await page.goto(address)
    await page.locator(".queue-list .row").first.wait_for()
    await asyncio.sleep(4)
    save(await page.screenshot(), f"queue-{shot.name}")
    await page.get_by_role("button", name="图例" if shot.language == "zh-CN" else "Legend").click()
    save(await page.screenshot(), f"legend-{shot.name}")
    await page.goto(f"{address}/alerts/{alert}")
    await page.locator(".chart-place canvas").wait_for()
    await asyncio.sleep(2)
    save(await page.screenshot(), f"alert-{shot.name}")
    await page.locator(".page-sub a").first.click()
    await page.locator(".day-alerts").wait_for()
    await asyncio.sleep(2)
    save(await page.screenshot(), f"vehicle-{shot.name}")
    if shot is SHOTS[0]:
        await page.goto(f"{address}/alerts/{alert}")
        await act(page)
        save(await page.screenshot(), f"handling-{shot.name}")


async def act(page: Any) -> None:
    """Acknowledge the alert that is shown, say something of it, and begin to resolve it."""
    await page.get_by_role("button", name="受理").click()
    await page.locator(".handling", has_text="已受理").wait_for()
    await asyncio.sleep(2)
    await page.get_by_role("button", name="备注").click()
    await page.locator("textarea").fill("已电话联系驾驶员，靠边减速")
    await page.get_by_role("button", name="保存").click()
    await page.locator(".step").nth(1).wait_for()
    await page.get_by_role("button", name="处置").click()
    await page.get_by_label("属实").check()
    await page.locator("textarea").fill("驾驶员确认超速，已口头警告")
    await asyncio.sleep(2)


def save(png: bytes, name: str) -> None:
    """Keep a picture that docs/console.md shows, in few colours: a third of the size, and looks the same."""
    path = FOLDER / f"{name}.png"
    if f"img/console/{path.name}" not in (DOCS / "console.md").read_text("utf-8"):
        return
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(256, kmeans=4, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name} {path.stat().st_size // 1024} kB", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())

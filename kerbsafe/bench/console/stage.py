"""The bench itself: parts, what is stored before, what drives, and what is measured."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import numpy as np

from fleet import db
from fleet.installation import make_days_ahead
from fleet.migrate import migrate
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe import parts
from kerbsafe.bench.console import traffic
from kerbsafe.bench.console.browser import require_playwright, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    import asyncpg

    from kerbsafe.bench.console.browser import Watched

_SQL = db.Queries(Path(__file__).with_name("queries.sql"))

#: Longest times of warming up, of pulling the map about, and of each measurement without a browser.
WARM_S, DRAG_S, BASE_S = 20.0, 10.0, 15.0
LEAD_S = 5.0
_REPEATS = 25
_DAY_OF = "b00000"
_COMMIT = re.compile(r'^kerbsafe_ingest_stage_seconds_(sum|count)\{stage="commit"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it."""

    vehicles: int
    seconds: int
    alerts: int

    def at_most(self, seconds: float) -> float:
        """Return a time that is no longer than the watching itself."""
        return min(seconds, float(self.seconds))


async def measure(size: Size, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the bench; return its figures."""
    require_playwright()
    with contextlib.ExitStack() as stack:
        chromium = stack.enter_context(parts.chromium())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kerbsafe-bench-")))
        say("starting PostgreSQL and a broker")
        server = stack.enter_context(parts.embedded_postgres())
        broker = stack.enter_context(_broker())
        connection = await db.connect(server.dsn, application="bench")
        try:
            await _store(connection, size, say)
            settings = {
                "KERBSAFE_DSN": server.dsn,
                "KERBSAFE_BROKER": broker.url,
                "KERBSAFE_LOG_LEVEL": "warning",
            }
            port = parts.free_port()
            start = parts.kerbsafe_process
            ingest = stack.enter_context(start("ingest", settings=settings, log_path=folder / "ingest.log"))
            arguments = ("console", "--demo", "--port", str(port))
            stack.enter_context(start(*arguments, settings=settings, log_path=folder / "console.log"))
            address = f"http://127.0.0.1:{port}"
            figures = await _measure_store(address, size, say)
            scene = _Scene(connection, address, broker, ingest.port, size)
            return figures | await scene.measure(chromium, say)
        finally:
            await connection.close(timeout=5)


@contextlib.contextmanager
def _broker() -> Iterator[parts.Broker]:
    """Run Mosquitto where there is one, else the broker of the demo."""
    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(parts.mosquitto())
        except parts.PartUnavailableError:
            broker = stack.enter_context(parts.embedded_broker())
        yield broker


# ---------------------------------------------------------------- the store


async def _store(connection: asyncpg.Connection, size: Size, say: Callable[[str], None]) -> None:
    """Make the database, and what it would hold after months."""
    await migrate(connection, plain=True)
    now = to_datetime(time.time_ns() // 1000)
    await make_days_ahead(connection, time.time_ns() // 1000)
    await connection.execute(_SQL["register"], traffic.COMPANY, traffic.codes(size.vehicles))
    say(f"storing {size.alerts:,} alerts, and a day of 86,400 fixes of one vehicle")
    await connection.execute(_SQL["store_episodes"], size.alerts, size.vehicles, now)
    await connection.execute(_SQL["store_alerts"], now)
    await connection.execute(_SQL["store_day"], _DAY_OF, _day_begin())
    await connection.execute(_SQL["analyze"])


def _day_begin() -> Any:
    """Return the first moment of yesterday, Asia/Shanghai."""
    now = to_datetime(time.time_ns() // 1000) + timedelta(hours=8)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=8, days=1)


async def _measure_store(address: str, size: Size, say: Callable[[str], None]) -> dict[str, Any]:
    say("asking for lists of alerts and for the day")
    async with aiohttp.ClientSession(address) as session:
        lists_ms = [await _timed_ms(session, f"/api/v1/alerts?{query}") for query in _lists() * _REPEATS]
        pages_ms = [ms for _ in range(4) async for ms in _pages(session)]
        day = (_day_begin() + timedelta(hours=8)).date()
        track = f"/api/v1/vehicles/{_DAY_OF}/track?day={day}&thin=true"
        track_ms = [await _timed_ms(session, track) for _ in range(15)]
    return {
        "alerts_query_p95_ms": _p95(lists_ms + pages_ms),
        "alerts_stored": size.alerts,
        "track_ms": _p95(track_ms),
    }


def _lists() -> list[str]:
    """Return what the console and programs ask: each kind of list, each filter."""
    unfinished = ("state", "open"), ("state", "acknowledged")
    asked: list[Sequence[tuple[str, Any]]] = [
        (("sort", "newest"),),
        (("sort", "priority"), *unfinished),
        (("sort", "queue"), *unfinished, ("limit", 100), ("total", "true")),
        (("sort", "newest"), *unfinished, ("min_severity", 3)),
        (("ongoing", "true"),),
        (("vehicle", "b00123"),),
        (("sort", "priority"), ("company", traffic.COMPANY), *unfinished),
        (("rule", "camera"),),
        (("rule", "forbidden"), ("min_severity", 4)),
        (("late", "true"), ("sort", "newest")),
    ]
    return [urlencode(one) for one in asked]


async def _pages(session: aiohttp.ClientSession) -> AsyncIterator[float]:
    """Yield how long each of the first pages takes, of what is open."""
    after = ""
    for _ in range(10):
        path = f"/api/v1/alerts?state=open&sort=priority&limit=100{after}"
        started_s = time.perf_counter()
        async with session.get(path) as response:
            page = await response.json()
        yield (time.perf_counter() - started_s) * 1000
        if page["next"] is None:
            return
        after = f"&after={page['next']}"


async def _timed_ms(session: aiohttp.ClientSession, path: str) -> float:
    started_s = time.perf_counter()
    async with session.get(path) as response:
        response.raise_for_status()
        await response.read()
    return (time.perf_counter() - started_s) * 1000


# ---------------------------------------------------------------- the city


@dataclass(frozen=True, slots=True)
class _Scene:
    """Vehicles that drive, and who watches them."""

    connection: asyncpg.Connection
    address: str
    broker: parts.Broker
    ingest_port: int
    size: Size

    async def measure(self, chromium: parts.Chromium, say: Callable[[str], None]) -> dict[str, Any]:
        """Let them drive, first unwatched, then watched."""
        seconds = round(2 * BASE_S + WARM_S + self.size.seconds + DRAG_S + LEAD_S + 30)
        async with self._traffic(seconds):
            base_s = self.size.at_most(BASE_S)
            say(f"{self.size.vehicles} vehicles drive; nobody watches for {base_s:.0f} s")
            await asyncio.sleep(LEAD_S)
            unwatched_ms = await self._commit_ms(base_s)
            say(f"a program listens for {base_s:.0f} s: what the console costs the hot path, no browser")
            async with self._listening():
                listened_ms = await self._commit_ms(base_s)
            say(f"watching for {self.size.seconds} s")
            async with watching(chromium, self.address) as watched:
                await asyncio.sleep(self.size.at_most(WARM_S))
                figures = await self._watch(watched, say)
        return figures | {
            "ingest_commit_unwatched_ms": round(unwatched_ms, 2),
            "ingest_commit_listened_ms": round(listened_ms, 2),
        }

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Take live positions and alerts as a program does, without a browser's work."""
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"{self.address}/api/v1/live", max_msg_size=0)

            async def read() -> None:
                async for _ in socket:
                    pass

            reading = asyncio.create_task(read())
            try:
                yield
            finally:
                reading.cancel()
                await socket.close()

    async def _watch(self, watched: Watched, say: Callable[[str], None]) -> dict[str, Any]:
        before, began = await watched.memory(), to_datetime(time.time_ns() // 1000)
        await watched.forget()
        watched_ms = await self._commit_ms(self.size.seconds)
        frames, drawn = await watched.frames_ms()
        painted = await watched.alerts_ms()
        after = await watched.memory()
        say("dragging the map about")
        await watched.forget()
        await watched.drag(self.size.at_most(DRAG_S))
        _, dragged = await watched.frames_ms()
        rows = await self.connection.fetch(_SQL["opened_at"], began)
        elapsed_s = time.time() - began.timestamp()
        delays = [painted[id_] - float(at_ms) for id_, at_ms in rows if id_ in painted]
        stored, judged = await self.connection.fetchrow(_SQL["judged"])
        return {
            "frame_p95_ms": _p95(drawn),
            "frame_all_p95_ms": _p95(frames),
            "frame_dragged_p95_ms": _p95(dragged),
            "frames_drawn": len(drawn),
            "alert_to_screen_p95_ms": _p95(delays),
            "alerts_shown": len(delays),
            "alerts_per_s": round(len(rows) / elapsed_s, 2),
            "memory_growth_mib": round(after.heap_mib - before.heap_mib, 2),
            "heap_mib": round(after.heap_mib, 1),
            "process_growth_mib": _growth(before.process_mib, after.process_mib),
            "vehicles": self.size.vehicles,
            "seconds": self.size.seconds,
            "ingest_commit_ms": round(watched_ms, 2),
            "judged_live_share": round(judged / stored, 4) if stored else None,
            "page_errors": len(watched.complaints),
        }

    @contextlib.asynccontextmanager
    async def _traffic(self, seconds: int) -> AsyncIterator[None]:
        """Run the traffic as a process of its own until the end of the block."""
        start_us = time.time_ns() // 1000 + 2 * MICROSECONDS
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            traffic.__name__,
            self.broker.host,
            str(self.broker.port),
            str(self.size.vehicles),
            str(seconds),
            str(start_us),
        )
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def _commit_ms(self, seconds: float) -> float:
        """Wait; return how long the hot path's commits took meanwhile, on average."""
        before = await asyncio.to_thread(self._commits)
        await asyncio.sleep(seconds)
        after = await asyncio.to_thread(self._commits)
        count = after["count"] - before["count"]
        return 1000 * (after["sum"] - before["sum"]) / count if count else float("nan")

    def _commits(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ingest_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {name: float(value) for name, value in _COMMIT.findall(text)}


def _growth(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 1)


def _p95(values: Sequence[float]) -> float | None:
    return round(float(np.quantile(values, 0.95)), 1) if len(values) else None

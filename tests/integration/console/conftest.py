"""A console that answers, on a database of the test's own."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg
import pytest
from playwright.async_api import async_playwright, expect
from prometheus_client import CollectorRegistry
from yarl import URL

from alerts.store.store import FeedEntry, append_feed
from console import live_positions, passwords, process
from console.process import Opened, Options, opened
from fleet.db import connect
from fleet.settings import Settings
from fleet.units import to_us

#: What a page does in a moment takes long on a machine that is busy with other tests.
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from fleet.columns import Fixes

#: Vehicles of the registry that every test of the console has, by company.
FLEET = {"yi": ("mx00001", "mx00002", "bc00003"), "er": ("mx00004",)}


@dataclass(frozen=True)
class Store:
    """The database, written to as ingest and worker do."""

    connection: asyncpg.Connection
    dsn: str

    async def vehicle_id(self, code: str) -> int:
        return int(await self.connection.fetchval("select vehicle_id from vehicle where code = $1", code))

    async def alert(
        self,
        vehicle: str = "mx00001",
        *,
        started_at: datetime | None = None,
        ended: bool = True,
        severity: int = 2,
        rule: str = "speeding",
        state: str = "open",
        late: bool = False,
    ) -> str:
        """Store an alert; return its id. The feed is not told."""
        identity = uuid.uuid4()
        started = started_at or datetime.now(UTC)
        await self.connection.execute(
            """insert into episode (episode_id, vehicle_id, company_id, rule, mode, rulebook, started_at,
                   ended_at, ended_as, severity, peak, limit_value, limit_source, measures, status,
                   decided_at)
               select $1, vehicle_id, company_id, $3, 'live', 'default-1', $4::timestamptz,
                      case when $5 then $4::timestamptz + interval '20 s' end, case when $5 then 'closed' end,
                      $6, 83.5, 60, 'class', $7, 'provisional', $4::timestamptz + interval '10 s'
               from vehicle join vehicle_version using (vehicle_id) where code = $2""",
            identity,
            vehicle,
            rule,
            started,
            ended,
            severity,
            {"mean_excess_kmh": 12.5},
        )
        await self.connection.execute(
            "insert into alert (alert_id, state, late, raised_at) values ($1, $2, $3, $4)",
            identity,
            state,
            late,
            started + timedelta(seconds=10),
        )
        return str(identity)

    async def alerts(self, count: int, *, severity: int = 1, company: str = "yi") -> list[str]:
        """Store many open alerts of a company's vehicles, a minute apart; return their ids, newest first."""
        rows = await self.connection.fetch(
            """with made as (
                   insert into episode (episode_id, vehicle_id, company_id, rule, mode, rulebook, started_at,
                       ended_at, ended_as, severity, peak, limit_value, limit_source, measures, status,
                       decided_at)
                   select gen_random_uuid(), vehicle_id, company_id, 'speeding', 'live', 'default-1',
                          now() - g * interval '1 min', now() - g * interval '1 min' + interval '20 s',
                          'closed', $2, 83.5, 60, 'class', '{}', 'provisional', now()
                   from generate_series(1, $1) as g, (
                       select vehicle_id, company_id from vehicle_version join company using (company_id)
                       where company.code = $3 limit 1) as one
                   returning episode_id, started_at)
               insert into alert (alert_id, state, late, raised_at)
               select episode_id, 'open', false, started_at from made returning alert_id, raised_at""",
            count,
            severity,
            company,
        )
        return [str(row["alert_id"]) for row in sorted(rows, key=lambda row: row["raised_at"], reverse=True)]

    async def tell(self, alert_id: str, change: str = "opened") -> int:
        """Tell the feed; return the entry's id."""
        async with self.connection.transaction():
            await append_feed(
                self.connection, [FeedEntry(uuid.UUID(alert_id), change)], to_us(datetime.now(UTC))
            )
        return int(await self.connection.fetchval("select max(feed_id) from alert_feed"))

    async def fixes(self, fixes: Fixes) -> None:
        """Store fixes as one batch."""
        batch_id = await self.connection.fetchval(
            "insert into batch (received_at, source, received, stored) values (now(), 'live', $1, $1)"
            " returning batch_id",
            len(fixes),
        )
        names = [name for name in fixes.dtypes() if name not in {"vehicle_id", "time_us"}]
        rows = zip(*(getattr(fixes, name).tolist() for name in names), strict=True)
        times = [datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us) for us in fixes.time_us.tolist()]
        await self.connection.copy_records_to_table(
            "fix",
            columns=["vehicle_id", "time", "batch_id", *names],
            records=[
                (vehicle, time, batch_id, *row)
                for vehicle, time, row in zip(fixes.vehicle_id.tolist(), times, rows, strict=True)
            ],
        )


async def _register(connection: asyncpg.Connection) -> None:
    for company, codes in FLEET.items():
        await connection.execute(
            "insert into company (code, name) values ($1, $2)", company, {"yi": "一建", "er": "二建"}[company]
        )
        for code in codes:
            await connection.execute(
                """with made as (
                       insert into vehicle (code, plate) values ($2, '浙F' || right($2, 5))
                       returning vehicle_id)
                   insert into vehicle_version (vehicle_id, valid_from, company_id, kind, limit_kmh)
                   select made.vehicle_id, '2000-01-01', company.company_id,
                          case when $2 like 'bc%' then 'bulk_cement' else 'mixer' end, 60
                   from made, company where company.code = $1""",
                company,
                code,
            )


@asynccontextmanager
async def _store(dsn: str) -> AsyncIterator[Store]:
    connection = await connect(dsn, application="test")
    await _register(connection)
    yield Store(connection, dsn)
    await connection.close()


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep passwords at a thousandth of their price, and look for positions more often than once a second."""
    monkeypatch.setattr(passwords, "_LOG2_N", 5)
    monkeypatch.setattr(process, "_TICK_S", 0.2)
    monkeypatch.setattr(live_positions, "_EVERY_S", 0.2)


@pytest.fixture
async def both_stores(database: str) -> AsyncIterator[Store]:
    """The store on TimescaleDB and on plain PostgreSQL: for what the database computes."""
    async with _store(database) as store:
        yield store


@pytest.fixture
def plain_database(plain_templates: Any) -> Iterator[str]:
    """DSN of a plain database of the test's own."""
    name = f"kerbsafe_console_{uuid.uuid4().hex[:12]}"
    template = plain_templates.name(sandbox=False)
    asyncio.run(_execute(plain_templates.server.dsn, f"create database {name} template {template}"))
    yield plain_templates.server.database(name)
    asyncio.run(_execute(plain_templates.server.dsn, f"drop database {name} with (force)"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def store(plain_database: str) -> AsyncIterator[Store]:
    """The store on plain PostgreSQL: for what the console does itself."""
    async with _store(plain_database) as made:
        yield made


class Client:
    """Somebody who talks to a console."""

    def __init__(self, session: aiohttp.ClientSession, console: Opened, printed: list[str]) -> None:
        self.session = session
        self.console = console
        self.address = console.address.rstrip("/")
        #: One-time passwords that were printed at the start.
        self.printed = printed

    def call(self, method: str, path: str, **options: Any) -> Any:
        if "json" in options:
            options["data"] = json.dumps(options.pop("json"))
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        # Sent as it is written here: nothing is encoded or made clean on the way.
        return self.session.request(method, URL(self.address + path, encoded=True), **options)

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        async with self.call("GET", f"/api/v1{path}", **options) as response:
            assert response.status == status, await response.text()
            return await response.json(content_type=None)

    async def problem(self, method: str, path: str, **options: Any) -> tuple[int, str, str]:
        """Return status, kind and detail of the problem that a request is answered with."""
        async with self.call(method, f"/api/v1{path}", **options) as response:
            assert response.content_type == "application/problem+json", await response.text()
            body = await response.json(content_type=None)
            assert body["status"] == response.status
            return response.status, body["type"].removeprefix("urn:kerbsafe:problem:"), body["detail"]

    def live(self, query: str = "", **options: Any) -> Any:
        return self.session.ws_connect(f"{self.address}/api/v1/live{query}", max_msg_size=0, **options)


@asynccontextmanager
async def serving(dsn: str, *, demo: bool = True, port: int = 0, **settings: Any) -> AsyncIterator[Client]:
    """Run a console until the end of the block."""
    chosen = replace(Settings(), dsn=dsn, **settings)
    printed: list[str] = []
    options = Options(host="127.0.0.1", port=port, demo=demo)
    async with opened(chosen, options, printed=printed.append, registry=CollectorRegistry()) as console:
        stopping = asyncio.Event()
        tasks = [asyncio.create_task(task(stopping)) for task in console.tasks.values()]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            yield Client(session, console, printed)
        stopping.set()
        await asyncio.gather(*tasks)


@dataclass
class Page:
    """A page of the console in Chromium, and what went wrong in it."""

    page: Any
    complaints: list[str]

    def text(self, selector: str) -> Any:
        return self.page.locator(selector).first.text_content()


@pytest.fixture
async def browse(chromium: Any) -> AsyncIterator[Any]:
    """Open addresses in Chromium: `page = await browse(address, width=375, language="en")`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.executable, args=chromium.arguments
        )

        async def open_page(
            address: str, *, width: int = 1280, language: str = "zh-CN", theme: str = "light"
        ) -> Page:
            context = await browser.new_context(
                viewport={"width": width, "height": 800 if width > 800 else 760},
                locale=language,
                color_scheme=theme,
                # Times are of Shanghai whatever the zone of the machine.
                timezone_id="America/New_York",
            )
            page = Page(await context.new_page(), [])
            page.page.set_default_timeout(_PATIENCE_MS)
            page.page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
            await page.page.goto(address)
            return page

        yield open_page
        await browser.close()


@pytest.fixture
def serve() -> Any:
    """The function that runs a console on a DSN: `async with serve(dsn, demo=True) as client`."""
    return serving


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """A console that asks nobody for a password."""
    async with serving(store.dsn) as made:
        yield made


@pytest.fixture
async def closed(store: Store) -> AsyncIterator[Client]:
    """A console with a door, at its first start."""
    async with serving(store.dsn, demo=False) as made:
        yield made

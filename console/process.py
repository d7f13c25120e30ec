"""The console process: connections, tasks and probes around the application."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiohttp import web
from prometheus_client import REGISTRY

from console import accounts, patience
from console.bell import Bell
from console.feed import Feed
from console.identity import LOOPBACK, Authentication
from console.installation_clock import InstallationClock
from console.live_positions import LivePositions
from console.metrics import Metrics
from console.models.session import Tiles
from console.pages import read_pages
from console.server import make_app
from console.services import Services
from fleet import audit, db, service
from fleet.audit import Act, Actor, ActorKind, Entry
from fleet.errors import KerbsafeError
from fleet.installation import read_clock
from fleet.migrate import require_schema
from fleet.stopping import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    import asyncpg
    from prometheus_client import CollectorRegistry

    from fleet.settings import Settings

DEFAULT_WATCH_PORT = 9413
_LARGEST_STREETS_BYTES = 64 * 2**20
_NO_STREETS = b'{"type":"FeatureCollection","features":[]}'
#: A list is planned for the filters it is asked with: a generic plan reads a million alerts for a rare rule.
#: And the cores are the hot path's: no list takes more than one.
_SERVER_SETTINGS = {"plan_cache_mode": "force_custom_plan", "max_parallel_workers_per_gather": "0"}
_CONNECTIONS = 8
_TICK_S = 1.0
#: The feed is read every second; not answered for so long, browsers are not told of alerts.
_SILENT_S = 5.0
_log = structlog.get_logger("console")


class ConsoleError(KerbsafeError):
    """The console cannot be started as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve."""

    host: str
    port: int
    #: Asks nobody for a password; on loopback only.
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A console that answers, and the tasks that keep it up to date."""

    address: str
    desk: Services
    tasks: Mapping[str, service.Task]


async def run(
    settings: Settings,
    options: Options,
    *,
    listening: Callable[[str], None],
    printed: Callable[[str], None],
) -> None:
    """Serve until told to stop; `listening` is called with the address once it answers."""
    async with opened(settings, options, printed=printed) as console:
        port = DEFAULT_WATCH_PORT if settings.http_port is None else settings.http_port
        not_ready = _ready(console.desk)
        async with service.watched(settings.http_host, port, not_ready=not_ready):
            # Not before signals are minded: whoever waits for the address may end us the moment it is told.
            asyncio.get_running_loop().call_soon(listening, console.address)
            await service.run(console.tasks)


@contextlib.asynccontextmanager
async def opened(
    settings: Settings,
    options: Options,
    *,
    printed: Callable[[str], None],
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[Opened]:
    """Answer browsers until the end of the block.

    `printed` is called with the one-time password where there is no user yet, the only time that it can be
    read.

    Raises
    ------
    KerbsafeError
        If the database, the address or a setting is not as it must be.
    """
    async with contextlib.AsyncExitStack() as stack:
        pool = await db.open_pool(
            settings.dsn, application="console", max_size=_CONNECTIONS, server_settings=_SERVER_SETTINGS
        )
        stack.push_async_callback(_close, pool)
        async with pool.acquire() as connection:
            await require_schema(connection)
            if not options.demo:
                await _first_user(connection, settings, options, printed)
            await _check_address(connection, settings, options)
        desk = await _make_desk(settings, options, pool, Metrics(registry))
        address, server = await stack.enter_async_context(_served(desk, options))
        tasks: dict[str, service.Task] = {
            "feed": lambda stopping: desk.feed.follow(
                lambda: db.connect(settings.dsn, application="console feed"), stopping
            ),
            "positions": lambda stopping: _tick(desk, stopping),
            "clock": lambda stopping: desk.clock.keep_fresh(pool, stopping),
            "connections": lambda stopping: patience.Unsent().watch(server, stopping),
        }
        yield Opened(address, desk, tasks)


async def _first_user(
    connection: asyncpg.Connection, settings: Settings, options: Options, printed: Callable[[str], None]
) -> None:
    """Make the administrator where there is no user: with the password of a file, or a printed one."""
    if await accounts.count_users(connection):
        return
    if (password := settings.console_admin_password()) is not None:
        await accounts.give_password(connection, accounts.ADMINISTRATOR, password.decode("utf-8", "replace"))
        how = "the password of a file"
    elif _is_loopback(options.host):
        printed(await accounts.issue_password(connection))
        how = "a printed password"
    else:
        return
    console = Actor(ActorKind.SYSTEM, "console")
    await audit.record(connection, Entry(Act.USER_ADMITTED, console, accounts.ADMINISTRATOR, how))


async def _check_address(connection: asyncpg.Connection, settings: Settings, options: Options) -> None:
    """Raise `ConsoleError` rather than show a fleet to a network without a door."""
    if _is_loopback(options.host):
        return
    if options.demo:
        raise ConsoleError(
            f"the demo asks nobody for a password and so listens on loopback only, not on {options.host}"
        )
    missing = []
    if not await accounts.count_users(connection):
        missing.append(
            "nobody can log in: run `kerbsafe console admin`, or set KERBSAFE_CONSOLE_ADMIN_PASSWORD_FILE"
        )
    if settings.console_origin is None:
        missing.append(
            "it does not know its own address: set KERBSAFE_CONSOLE_ORIGIN, e.g. https://desk.example.cn"
        )
    if missing:
        raise ConsoleError(f"the console does not listen on {options.host}: {'; '.join(missing)}")


def _is_loopback(host: str) -> bool:
    if host.strip("[]").lower() in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def _make_desk(settings: Settings, options: Options, pool: asyncpg.Pool, metrics: Metrics) -> Services:
    async with pool.acquire() as connection:
        clock = InstallationClock(await read_clock(connection))
    bell = Bell()
    tiles = None
    if settings.tile_url is not None:
        datum: Any = settings.tile_datum
        tiles = Tiles(url=settings.tile_url, datum=datum, attribution=settings.tile_attribution)
    pages = read_pages()
    if not pages.built:
        _log.warning("the web page is not built; run `make setup`")
    return Services(
        pool=pool,
        authentication=Authentication(pool, settings.console_origin, options.demo, settings.console_proxies),
        clock=clock,
        live_positions=LivePositions(pool, clock),
        feed=await Feed.open(pool, bell),
        bell=bell,
        metrics=metrics,
        pages=pages,
        tiles=tiles,
        streets=_read_streets(settings),
    )


def _read_streets(settings: Settings) -> bytes:
    """Return the GeoJSON of the streets.

    Raises
    ------
    ConsoleError
        If the file is not a GeoJSON FeatureCollection, or larger than a browser should be given.
    """
    path = settings.streets
    if path is None:
        return _NO_STREETS
    body = path.read_bytes()
    if len(body) > _LARGEST_STREETS_BYTES:
        raise ConsoleError(
            f"{path} has more than {_LARGEST_STREETS_BYTES // 2**20} MiB: leave out lesser streets"
        )
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ConsoleError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        raise ConsoleError(f"{path} is not a GeoJSON FeatureCollection of street lines")
    return body


@contextlib.asynccontextmanager
async def _served(desk: Services, options: Options) -> AsyncIterator[tuple[str, web.Server]]:
    """Answer browsers until the end of the block; yields the address, and what answers there."""
    # What is not HTTP is answered with 400 and not logged: anybody can send it, as often as they like.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    runner = web.AppRunner(
        make_app(desk),
        access_log=None,
        shutdown_timeout=2.0,
        handler_cancellation=True,
        keepalive_timeout=patience.HEADERS_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port).start()
        except (OSError, socket.gaierror) as error:
            raise ConsoleError(
                f"cannot listen on {options.host}:{options.port}: {error.strerror or error}. "
                "Set KERBSAFE_CONSOLE_HOST and KERBSAFE_CONSOLE_PORT, or --host and --port (0: any free port)"
            ) from error
        port = runner.addresses[0][1]
        own = f"http://{_shown(options.host)}:{port}/"
        assert runner.server is not None  # noqa: S101 - it was set up
        yield own if desk.authentication.origin is None else f"{desk.authentication.origin}/", runner.server
    finally:
        await runner.cleanup()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _tick(desk: Services, stopping: asyncio.Event) -> None:
    """Read the positions once a second while somebody looks, and wake those who do."""
    while not stopping.is_set():
        started_s = asyncio.get_running_loop().time()
        if desk.listeners:
            # Late, it is not known where the vehicles are, and those who look are told for how long.
            with contextlib.suppress(*patience.LATE):
                await patience.within(patience.LOOK_S, desk.live_positions.refresh())
            desk.metrics.position_seconds.set(desk.live_positions.seconds)
            desk.bell.ring()
        spent_s = asyncio.get_running_loop().time() - started_s
        await rest(stopping, max(_TICK_S - spent_s, _TICK_S / 10))


def _ready(desk: Services) -> Callable[[], Any]:
    async def not_ready() -> Sequence[str]:
        await desk.pool.fetchval("select 1")
        silent_s = desk.feed.age_s
        return [f"the feed of alerts has not answered for {silent_s:.0f} s"] if silent_s > _SILENT_S else []

    return not_ready


async def _close(pool: asyncpg.Pool) -> None:
    """Close the pool; what still runs after a while is cut off."""
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()

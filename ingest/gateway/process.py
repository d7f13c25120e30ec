"""The gateway process: its listener, its broker, its registry, its probes."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from typing import TYPE_CHECKING

import structlog

from fleet import db, open_files, service
from fleet.errors import KerbsafeError
from fleet.migrate import require_schema
from fleet.stopping import rest
from fleet.wire.jt808 import Policy
from ingest.gateway.commands import HEARS
from ingest.gateway.connection import Connection
from ingest.gateway.desk import MAX_CONNECTIONS, GatewayDesk
from ingest.gateway.metrics import Metrics
from ingest.gateway.publications import PublisherOptions
from ingest.gateway.publisher import Publisher
from ingest.gateway.terminals import STALE_S, Terminals
from ingest.mqtt.mqtt_link import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fleet.settings import Settings
    from ingest.gateway.connection import Desk

DEFAULT_PORT = 9414
_TICK_S = 1.0
#: Connections that the system may hold while we are busy: a city's terminals come back at once.
_BACKLOG = 4096
#: Open besides the terminals' connections.
_OTHER_FILES = 100
_log = structlog.get_logger("gateway")


class GatewayError(KerbsafeError):
    """The gateway cannot run."""


async def run(settings: Settings) -> None:
    """Run the gateway until it is told to stop, or until a part of it fails."""
    secret = settings.gateway_secret()
    if secret is None:
        raise GatewayError(
            "the gateway needs KERBSAFE_GATEWAY_SECRET_FILE: a file whose first line is a secret, as "
            "`openssl rand -hex 32` gives"
        )
    _have_files()
    async with contextlib.AsyncExitStack() as stack:
        terminals = Terminals()
        await _read_first(terminals, settings.dsn)
        metrics = Metrics()
        options = _options(settings)
        publisher = Publisher(_address(settings), options)
        desk = GatewayDesk(terminals, publisher, secret, metrics, options.client_id)
        publisher.changed, terminals.changed = desk.adjust, desk.recheck
        publisher.heard = desk.commands.heard
        await stack.enter_async_context(
            service.watched(
                settings.http_host,
                DEFAULT_PORT if settings.http_port is None else settings.http_port,
                not_ready=lambda: _not_ready(publisher, terminals),
            )
        )
        at = settings.gateway_host, settings.gateway_port
        bound = await stack.enter_async_context(listening(desk, *at, Policy()))
        _log.info("listening for terminals", host=settings.gateway_host, port=bound)
        await service.run(
            {
                "broker": publisher.run,
                "registry": lambda stopping: terminals.follow(settings.dsn, stopping),
                "clock": lambda stopping: _tick(desk, stopping),
            }
        )


def _have_files() -> None:
    wanted = MAX_CONNECTIONS + _OTHER_FILES
    had = open_files.raise_limit(wanted)
    if had < wanted:
        _log.warning(
            "fewer terminals can connect than we would let in: raise LimitNOFILE, or `ulimit -Hn`",
            open_files=had,
            wanted=wanted,
        )


async def _read_first(terminals: Terminals, dsn: str) -> None:
    """Read the registry before anybody is let in: who is unknown then would be refused wrongly."""
    connection = await db.connect(dsn, application="gateway")
    try:
        await require_schema(connection)
        await terminals.read(connection)
    finally:
        await connection.close(timeout=5)


@contextlib.asynccontextmanager
async def listening(desk: Desk, host: str, port: int, policy: Policy) -> AsyncIterator[int]:
    """Take connections of terminals until the end of the block; yields the port."""
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: Connection(desk, policy), host, port, backlog=_BACKLOG)
    except OSError as error:
        raise GatewayError(
            f"cannot listen on {host}:{port}: {error.strerror or error}. Set KERBSAFE_GATEWAY_HOST and "
            "KERBSAFE_GATEWAY_PORT (0: any free port)"
        ) from error
    bound: int = server.sockets[0].getsockname()[1]
    try:
        yield bound
    finally:
        server.close()
        for connection in list(desk.connections):
            connection.close("we stop")


def _address(settings: Settings) -> Address:
    broker = settings.broker
    return Address(broker.host, broker.port, ssl.create_default_context() if broker.tls else None)


def _options(settings: Settings) -> PublisherOptions:
    # Two gateways may run for one broker, each with terminals of its own.
    return PublisherOptions(
        client_id=f"kerbsafe.gateway-{secrets.token_hex(4)}",
        username=settings.broker.user,
        password=settings.broker_password(),
        hears=HEARS,
    )


async def _tick(desk: GatewayDesk, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        desk.tick()
        await rest(stopping, _TICK_S)
    desk.stop()


async def _not_ready(publisher: Publisher, terminals: Terminals) -> list[str]:
    reasons = []
    if not publisher.connected:
        reasons.append("the broker takes no messages: see KERBSAFE_BROKER and the broker's log")
    stale_s = terminals.stale_s()
    if stale_s is None or stale_s > STALE_S:
        reasons.append("the registry could not be read for a minute: new terminals are not let in")
    return reasons

"""PostgreSQL through asyncpg: connections with our conventions, and SQL kept in `.sql` files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from fleet import waiting
from fleet.errors import KerbsafeError
from fleet.stopping import rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

#: Who has promised to ask something every second does so this often.
TEND_S = 1.0
_HEADER = re.compile(r"^-- ([a-z][a-z0-9_]*) --$", re.MULTILINE)


class DatabaseError(KerbsafeError):
    """The database cannot be reached or is not what this version needs."""


class Queries(dict[str, str]):
    """Named SQL statements of one file; a name that is not there says which ones are."""

    def __init__(self, path: Path) -> None:
        super().__init__(_parse(path))
        self.path = path

    def __missing__(self, name: str) -> str:
        msg = f"{self.path.name} has no query {name!r}; it has {sorted(self)}"
        raise KeyError(msg)


def _parse(path: Path) -> Mapping[str, str]:
    """Split a file at its `-- name --` lines; each query begins with a comment that says what it does."""
    text = path.read_text("utf-8")
    parts = _HEADER.split(text)[1:]
    queries = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries or not body.lstrip().startswith("--"):
            msg = f"{path.name}: query {name!r} is there twice or lacks its sentence"
            raise ValueError(msg)
        queries[name] = body.strip()
    return queries


_SQL = Queries(Path(__file__).with_name("db.sql"))


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Give a connection our conventions: JSON columns are Python values, a peer that vanished is noticed."""
    waiting.watch(connection._transport.get_extra_info("socket"))  # noqa: SLF001 - asyncpg has no other way
    try:
        async with asyncio.timeout(waiting.CONNECT_S):
            for kind in ("json", "jsonb"):
                await connection.set_type_codec(
                    kind, encoder=_dump_json, decoder=json.loads, schema="pg_catalog"
                )
    except BaseException:
        connection.terminate()
        raise


def _dump_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def connect(dsn: str, *, application: str) -> asyncpg.Connection:
    """Open one connection. `application` is the name that the server shows for it, and has its limits."""
    try:
        connection = await asyncpg.connect(dsn, **_conventions(application))
        await prepare_connection(connection)
    except _UNREACHABLE as error:
        raise unreachable(error) from error
    return connection


async def open_pool(
    dsn: str, *, application: str, max_size: int = 10, server_settings: Mapping[str, str] | None = None
) -> asyncpg.Pool:
    """Open a pool of connections with our conventions, and with further settings of the server."""
    conventions = _conventions(application)
    conventions["server_settings"] |= dict(server_settings or {})
    try:
        return await asyncpg.create_pool(
            dsn, min_size=1, max_size=max_size, init=prepare_connection, **conventions
        )
    except _UNREACHABLE as error:
        raise unreachable(error) from error


_UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)


def _conventions(application: str) -> dict[str, Any]:
    return {
        "timeout": waiting.CONNECT_S,
        "command_timeout": waiting.of(application).answer_s,
        # To compile a query takes PostgreSQL a fifth of a second, longer than any of ours would then save.
        "server_settings": {
            "application_name": f"kerbsafe {application}",
            "timezone": "UTC",
            "jit": "off",
            **waiting.server_settings(application),
        },
    }


async def leave(*connections: asyncpg.Connection) -> None:
    """Close connections, whatever state they are in; who does not answer the farewell is left without one."""

    async def part(connection: asyncpg.Connection) -> None:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=waiting.LEAVE_S)

    await asyncio.gather(*(part(connection) for connection in connections))


class Connections:
    """One process's connections: opened one by one, closed together, so that one that hangs delays none."""

    def __init__(self, dsn: str, process: str) -> None:
        self._dsn = dsn
        self._process = process
        self._open: list[asyncpg.Connection] = []

    async def open(self, purpose: str = "") -> asyncpg.Connection:
        """Open one more; `fleet.waiting` has the limits of each process and purpose."""
        self._open.append(await connect(self._dsn, application=f"{self._process} {purpose}".rstrip()))
        return self._open[-1]

    async def close(self) -> None:
        """Close all."""
        await leave(*self._open)


def said(error: BaseException) -> str:
    """Return what an error of the database says, in one line and without the row that it is about.

    A row may hold a plate, a name or a place; PostgreSQL shows it in the detail.
    """
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    text = str(error.args[0]) if isinstance(error, asyncpg.PostgresError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__


def failed(error: BaseException) -> DatabaseError | None:
    """Return what a person can mend of an error, or None: the server went, is full, or does not let us."""
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return DatabaseError(
            f"the database refused: {said(error)}. Use the role that this command is for, see "
            "docs/operations.md"
        )
    if is_outage(error):
        return DatabaseError(f"the database failed: {said(error)}. See `kerbsafe doctor`, then try again.")
    return None


def is_outage(error: BaseException) -> bool:
    """Say whether the server, the way to it, or what it waits for is at fault, no statement of ours."""
    lost = isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)  # closed, closing
    # What asyncpg says of a connection that is lost between two messages of one statement.
    torn = isinstance(error, asyncpg.InternalClientError)
    return lost or torn or isinstance(error, _GONE)


_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
)


def unreachable(error: BaseException) -> DatabaseError:
    """Say that the database did not answer, without its address: a DSN may hold a password."""
    return DatabaseError(
        f"cannot reach the database: {said(error)}. "
        "Set KERBSAFE_DSN (postgresql://user@host:port/name) and see `kerbsafe doctor`."
    )


async def hold_role(connection: asyncpg.Connection, role: str, *, tended: bool = False) -> None:
    """Take a role that one process of an installation may have, for as long as the connection lives.

    Who tends its role has promised to ask something every second on this connection (`tending`, or a loop of
    its own). Has it said nothing for `waiting.GONE_S`, it is gone: whoever wants the role ends its session.

    Raises
    ------
    DatabaseError
        If another process has it; names that process.
    """
    take = _SQL["take_tended_role" if tended else "take_role"]
    if await connection.fetchval(take, role):
        return
    if await connection.fetchval(_SQL["end_ghost"], role, waiting.GONE_S) and await connection.fetchval(
        take, role
    ):
        return
    holder = await connection.fetchrow(_SQL["who_has_role"], role)
    who = "another process"
    if holder is not None:
        # The server tells since when only to the same role and to those who may see all sessions.
        since = (
            ""
            if holder["backend_start"] is None
            else f" since {holder['backend_start']:%Y-%m-%d %H:%M:%S} UTC"
        )
        who = f"{holder['application_name']!r} on {holder['host']}{since} (backend {holder['pid']})"
    raise DatabaseError(f"another {role} runs on this database: {who}. Stop it, or use another database.")


@asynccontextmanager
async def tending(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Ask something every second until the end of the block; the connection is not used otherwise."""
    is_over = asyncio.Event()

    async def ask() -> None:
        while not is_over.is_set():
            await connection.fetchval("select 1")
            await rest(is_over, TEND_S)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        is_over.set()
        await asking

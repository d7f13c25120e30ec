"""The database: can it be reached, is it the right one, will it keep what it is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.db import DatabaseError, Queries, connect
from fleet.installation import LEAST_AHEAD_DAYS, clock_skew_s, days_ahead, grade, read_clock
from fleet.migrate import find_timescaledb, read_migrations, require_schema
from fleet.units import to_datetime
from kerbsafe.doctor.finding import Finding, notice, ok, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import asyncpg

_SQL = Queries(Path(__file__).with_name("queries.sql"))
#: Application names of the processes that every installation needs.
PROCESSES = ("kerbsafe ingest", "kerbsafe worker", "kerbsafe console")
#: A fix is late when it arrives so much after its time, so our machines must agree better than that.
_SKEW_NOTICE_S, _SKEW_WRONG_S = 0.5, 5.0


async def check_database(dsn: str) -> list[Finding]:
    """Connect and look; one finding if that is not possible."""
    try:
        connection = await connect(dsn, application="doctor")
    except DatabaseError as error:
        return [wrong("database", str(error))]
    try:
        return [
            *await _check_server(connection),
            *await _check_schema(connection),
            *await _check_processes(connection),
        ]
    finally:
        await connection.close()


async def _check_server(connection: asyncpg.Connection) -> list[Finding]:
    """Ask the server what it is, and compare its clock with ours."""
    server = await connection.fetchrow(_SQL["describe_server"])
    return [
        ok("database", f"connected to {server['database']!r} of PostgreSQL {server['version']}"),
        _judge_skew(await clock_skew_s(connection)),
        _judge_durability(server),
    ]


def _judge_skew(skew_s: float) -> Finding:
    said = (
        f"the database's clock is {abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} this machine's"
    )
    remedy = "let NTP set the clocks of both machines"
    if abs(skew_s) > _SKEW_WRONG_S:
        return wrong("clock", said, remedy)
    return notice("clock", said, remedy) if abs(skew_s) > _SKEW_NOTICE_S else ok("clock", said)


def _judge_durability(server: asyncpg.Record) -> Finding:
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if server[name] == "off"]
    if off:
        said = (
            f"{' and '.join(off)} off: what was acknowledged to a truck may be lost when the server crashes"
        )
        return wrong("durability", said, f"set {' = on, '.join(off)} = on in postgresql.conf and reload")
    return ok("durability", "what is committed survives a crash")


async def _check_schema(connection: asyncpg.Connection) -> list[Finding]:
    """Look at the schema; what lies in it only if it is the one that we know."""
    try:
        await require_schema(connection)
    except DatabaseError as error:
        return [wrong("schema", str(error))]
    return [
        ok("schema", f"version {len(read_migrations())}"),
        await _judge_grade(connection),
        *await _check_time(connection),
    ]


async def _judge_grade(connection: asyncpg.Connection) -> Finding:
    server = await find_timescaledb(connection)
    said = (await grade(connection)).meaning
    if server.available and not server.used:
        return notice(
            "grade", f"{said}, though the server has TimescaleDB", "it is chosen when a database is made"
        )
    return ok("grade", said)


async def _check_time(connection: asyncpg.Connection) -> list[Finding]:
    clock = await read_clock(connection)
    now_us = clock.now_us()
    ahead = await days_ahead(connection, now_us)
    days = ok("days ahead", f"room for today and the next {ahead} days")
    if ahead < LEAST_AHEAD_DAYS:
        said = (
            "there is no room for today's fixes" if ahead < 0 else f"room for only {ahead} days after today"
        )
        days = wrong("days ahead", said, "run `kerbsafe migrate`; `kerbsafe ingest` makes them as it runs")
    if not clock.sandbox:
        return [ok("time", "wall time"), days]
    shown = to_datetime(now_us).isoformat(" ", "seconds")
    return [notice("time", f"a sandbox: its clock shows {shown} and runs {clock.rate:g} times as fast"), days]


async def _check_processes(connection: asyncpg.Connection) -> list[Finding]:
    rows = await connection.fetch(_SQL["list_processes"], PROCESSES)
    since = {row["name"]: row["since"] for row in rows}
    return [_judge_process(name, since) for name in PROCESSES]


def _judge_process(name: str, since: Mapping[str, datetime | None]) -> Finding:
    if name not in since:
        return notice("processes", f"`{name}` is not connected to this database", f"start `{name}`")
    moment = since[name]
    if moment is None:  # the server does not tell this user
        return ok("processes", f"`{name}` is connected")
    return ok("processes", f"`{name}` is connected since {moment.isoformat(' ', 'seconds')}")

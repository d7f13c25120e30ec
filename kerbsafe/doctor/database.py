"""The database: can it be reached, is it the right one, will it keep what it is given, who is connected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from fleet.db import DatabaseError, Queries, connect, leave, said
from fleet.installation import MIN_AHEAD_DAYS, clock_skew_s, days_ahead, grade, read_clock
from fleet.migrate import find_timescaledb, read_migrations, require_schema
from fleet.units import to_datetime
from kerbsafe.doctor.finding import Finding, Level, found, notice, ok, wrong
from kerbsafe.doctor.happening import check_commands, check_intake, check_sessions, check_writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_SQL = Queries(Path(__file__).with_name("queries.sql"))
#: A fix is late when it arrives so much after its time, so our machines must agree better than that.
_SKEW_NOTICE_S, _SKEW_WRONG_S = 0.5, 5.0


class Seen(NamedTuple):
    """What was found, and which of our processes are connected, since when; None: that is not known."""

    findings: Sequence[Finding]
    since: Mapping[str, datetime | None] | None


async def check_database(dsn: str) -> Seen:
    """Connect and look; one finding if that is not possible."""
    try:
        connection = await connect(dsn, application="doctor")
    except DatabaseError as error:
        return Seen([wrong("database", str(error))], None)
    findings: list[Finding] = []
    try:
        findings += await found("database", _check_server(connection))
        is_ours = await found("schema", _check_schema(connection))
        findings += is_ours
        if any(finding.level is Level.WRONG for finding in is_ours):
            return Seen(findings, None)
        since = await _processes(connection)
        for check, looking in (
            ("time", _check_time(connection)),
            ("sessions", check_sessions(connection)),
            ("writing", check_writing(connection)),
            ("intake", check_intake(connection, since)),
            ("commands", check_commands(connection)),
        ):
            findings += await found(check, looking)
        return Seen(findings, since)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Seen([*findings, wrong("database", f"it failed while we looked: {said(error)}")], None)
    finally:
        await leave(connection)


async def _processes(connection: asyncpg.Connection) -> dict[str, datetime | None]:
    rows = await connection.fetch(_SQL["list_processes"])
    return {row["name"]: row["since"] for row in rows}


async def _check_server(connection: asyncpg.Connection) -> list[Finding]:
    """Ask the server what it is, and compare its clock with ours."""
    server = await connection.fetchrow(_SQL["describe_server"])
    return [
        ok("database", f"connected to {server['database']!r} of PostgreSQL {server['version']}"),
        _judge_skew(await clock_skew_s(connection)),
        _judge_durability(server),
    ]


def _judge_skew(skew_s: float) -> Finding:
    words = (
        f"the database's clock is {abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} this machine's"
    )
    remedy = "let NTP set the clocks of both machines"
    if abs(skew_s) > _SKEW_WRONG_S:
        return wrong("clock", words, remedy)
    return notice("clock", words, remedy) if abs(skew_s) > _SKEW_NOTICE_S else ok("clock", words)


def _judge_durability(server: asyncpg.Record) -> Finding:
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if server[name] == "off"]
    if off:
        words = (
            f"{' and '.join(off)} off: what was acknowledged to a truck may be lost when the server crashes"
        )
        return wrong("durability", words, f"set {' = on, '.join(off)} = on in postgresql.conf and reload")
    return ok("durability", "what is committed survives a crash")


async def _check_schema(connection: asyncpg.Connection) -> list[Finding]:
    """Look whether the schema is the one that we know."""
    try:
        await require_schema(connection)
    except DatabaseError as error:
        return [wrong("schema", str(error))]
    return [ok("schema", f"version {len(read_migrations())}"), await _judge_grade(connection)]


async def _judge_grade(connection: asyncpg.Connection) -> Finding:
    server = await find_timescaledb(connection)
    words = (await grade(connection)).meaning
    if server.available and not server.used:
        return notice(
            "grade", f"{words}, though the server has TimescaleDB", "it is chosen when a database is made"
        )
    return ok("grade", words)


async def _check_time(connection: asyncpg.Connection) -> list[Finding]:
    clock = await read_clock(connection)
    now_us = clock.now_us()
    ahead = await days_ahead(connection, now_us)
    days = ok("days ahead", f"room for today and the next {ahead} days")
    if ahead < MIN_AHEAD_DAYS:
        words = (
            "there is no room for today's fixes" if ahead < 0 else f"room for only {ahead} days after today"
        )
        days = wrong("days ahead", words, "run `kerbsafe migrate`; `kerbsafe ingest` makes them as it runs")
    if not clock.sandbox:
        return [ok("time", "wall time"), days]
    shown = to_datetime(now_us).isoformat(" ", "seconds")
    return [notice("time", f"a sandbox: its clock shows {shown} and runs {clock.rate:g} times as fast"), days]

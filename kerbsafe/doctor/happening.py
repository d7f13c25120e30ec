"""Whether things happen in the database: who waits for whom, does it take what is given, what came last."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from fleet.clock import WALL
from fleet.commands.store import QUERIES as COMMANDS
from fleet.db import Queries, said
from fleet.installation import read_clock
from fleet.units import MICROSECONDS, to_datetime, to_us
from kerbsafe.doctor.finding import Finding, notice, ok, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_SQL = Queries(Path(__file__).with_name("queries.sql"))
#: A wait for a lock, and a pause within a transaction, that is no passing one.
BLOCKED_S, PAUSED_S = 2.0, 30.0
#: Ingest writes something every 10 s, if only that it heard nothing, but not just after it connected.
INTAKE_S = 180.0


async def check_sessions(connection: asyncpg.Connection) -> Sequence[Finding]:
    """Find who waits for a lock, and who has left a transaction open."""
    blocked = await connection.fetch(_SQL["blocked"], BLOCKED_S)
    paused = await connection.fetch(_SQL["paused"], PAUSED_S)
    findings = [_blocked(row) for row in blocked] + [_paused(row) for row in paused]
    if await connection.fetchval(_SQL["hidden_sessions"]):
        remedy = "as a superuser of the database: grant pg_read_all_stats to the role of KERBSAFE_DSN"
        findings.append(notice("sessions", "this role does not see what sessions of others do", remedy))
    return findings or [ok("sessions", "nobody waits for a lock or has left a transaction open")]


def _blocked(row: asyncpg.Record) -> Finding:
    return wrong(
        "sessions",
        f"{_who(row['waiting'])} has waited {row['waited_s']:.0f} s for a lock of {_who(row['blocking'])}",
        f"let it end, or end it: select pg_terminate_backend({row['pid']})",
    )


def _paused(row: asyncpg.Record) -> Finding:
    who = _who(row["application_name"])
    remedy = f"let it end, or end it: select pg_terminate_backend({row['pid']})"
    words = f"{who} has left a transaction open for {row['paused_s']:.0f} s"
    if row["holds"]:
        return wrong("sessions", f"{words}, and holds locks that others need", remedy)
    return notice("sessions", words, remedy)


def _who(application: str | None) -> str:
    return f"`{application}`" if application else "a session without a name"


async def check_writing(connection: asyncpg.Connection) -> Sequence[Finding]:
    """Write a little, and take it back."""
    trial = connection.transaction()
    await trial.start()
    try:
        await connection.execute(_SQL["write_row"])
        await connection.execute(_SQL["fill_blocks"])
    except asyncpg.InsufficientPrivilegeError as error:
        return [notice("writing", f"not tried: {said(error)}", "let the doctor look as the owner")]
    except asyncpg.PostgresError as error:
        remedy = "see the server's log; is its disk full, is it a standby, does somebody hold a lock?"
        return [wrong("writing", f"the database does not take what it is given: {said(error)}", remedy)]
    finally:
        if not connection.is_closed():
            await trial.rollback()
    return [ok("writing", "the database takes what it is given")]


async def check_intake(
    connection: asyncpg.Connection, since: Mapping[str, datetime | None]
) -> Sequence[Finding]:
    """Look how old the newest thing is that ingest has committed."""
    clock = await read_clock(connection)
    newest = await connection.fetchval(_SQL["newest_batch"])
    if newest is None:
        return [notice("intake", "nothing has been received yet")]
    age_s = (clock.now_us() - to_us(newest)) / MICROSECONDS
    words = f"the newest that ingest has committed is of {newest.isoformat(' ', 'seconds')}"
    if age_s <= INTAKE_S * max(clock.rate, 1.0):
        return [ok("intake", words)]
    begun = since.get("ingest")
    # A sandbox's clock may be moved; an ingest that has just begun is not held for what was before.
    if clock.sandbox or begun is None or newest < begun:
        return [notice("intake", words)]
    silent = f"{words}: it runs, and has written nothing for {age_s:.0f} s, not even that all are silent"
    return [wrong("intake", silent, "see `kerbsafe ingest` below, and its log")]


async def check_commands(connection: asyncpg.Connection) -> Sequence[Finding]:
    """Say what became of the commands that people and programs gave within a day."""
    now = to_datetime(WALL.now_us())
    rows = await connection.fetch(COMMANDS["tally_commands"], now, now - timedelta(days=1))
    states = {row["state"]: row["commands"] for row in rows}
    if not states:
        return [ok("commands", "nobody has ordered anything of a vehicle within a day")]
    words = f"of {sum(states.values())} within a day: " + ", ".join(
        f"{count} {state.replace('_', ' ')}" for state, count in sorted(states.items())
    )
    lost = states.get("timed_out", 0) + states.get("expired", 0)
    if lost > sum(states.values()) / 2:
        remedy = "see `kerbsafe command list`: are the terminals connected, do ingest and gateway run?"
        return [notice("commands", words, remedy)]
    return [ok("commands", words)]

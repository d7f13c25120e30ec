"""The worker's nights: did the last one close what it could."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.days.reading import QUERIES
from fleet.db import DatabaseError, connect, leave
from fleet.installation import read_clock
from fleet.migrate import require_schema
from fleet.units import to_datetime
from kerbsafe.doctor.finding import Finding, notice, ok, wrong

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

#: A worker that runs begins a night every day.
LATE = timedelta(hours=30)


async def check_days(dsn: str) -> list[Finding]:
    """Look at the last night; nothing where there is no database of ours."""
    try:
        connection = await connect(dsn, application="doctor")
    except DatabaseError:
        return []
    try:
        await require_schema(connection)
        now = to_datetime((await read_clock(connection)).now_us())
        return [_judge(await connection.fetchrow(QUERIES["last_run"]), now)]
    except DatabaseError:
        return []
    finally:
        await leave(connection)


def _judge(night: asyncpg.Record | None, now: datetime) -> Finding:
    if night is None:
        return notice("days", "no days have been closed yet", "`kerbsafe worker` does it when it starts")
    began = f"{night['began_at']:%F %T} UTC"
    if night["failure"]:
        said = f"closing days failed in the night of {began}: {night['failure']}"
        return wrong("days", said, "it is tried again; see KerbsafeDaysFail in docs/operations.md")
    if now - night["began_at"] > LATE:
        said = f"no days have been closed since {began}"
        return wrong("days", said, "start `kerbsafe worker`; `kerbsafe days list` shows what is due")
    if night["ended_at"] is None:
        return notice("days", f"days are being closed since {began}, or that was broken off")
    return ok("days", f"the last night began {began} and closed {night['vehicle_days']} vehicle-days")

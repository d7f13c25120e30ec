"""What the broker lost lately, as ingest has noted it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.db import DatabaseError, Queries, connect
from fleet.installation import read_clock
from fleet.migrate import require_schema
from fleet.units import to_datetime
from kerbsafe.doctor.finding import Finding, notice, ok

if TYPE_CHECKING:
    import asyncpg

_SQL = Queries(Path(__file__).with_name("queries.sql"))
SINCE = timedelta(days=7)


async def check_transport(dsn: str) -> list[Finding]:
    """Name the gaps of the last days; nothing where there is no database of ours."""
    try:
        connection = await connect(dsn, application="doctor")
    except DatabaseError:
        return []
    try:
        await require_schema(connection)
        now = to_datetime((await read_clock(connection)).now_us())
        rows = await connection.fetch(_SQL["transport_gaps"], now - SINCE)
    except DatabaseError:
        return []
    finally:
        await connection.close()
    if not rows:
        return [ok("transport", "the broker has lost nothing that we know of in 7 days")]
    return [_found(row) for row in rows]


def _found(row: asyncpg.Record) -> Finding:
    many = "messages" if row["messages"] is None else f"up to {row['messages']:,} messages"
    why = {
        "queue_full": "the broker had no room",
        "session_forgotten": "the broker forgot our session",
        "broker_restarted": "the broker was started anew while nobody heard what it threw away",
    }[row["source"]]
    said = f"{many} may be missing from {row['from_at']:%F %T} to {row['until_at']:%F %T} UTC: {why}"
    return notice("transport", said, "docs/operations.md, KerbsafeTransportGap")

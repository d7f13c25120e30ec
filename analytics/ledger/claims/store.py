"""Claims in the database: read as of a time, and added to. Nothing is changed or deleted there."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.ledger.accident import Moment, Vehicle
from analytics.ledger.claims.claim import Claim, ClaimVersion
from analytics.ledger.claims.planning import KnownClaims, plan
from analytics.ledger.store import lock, read_fleet
from fleet.db import Queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from analytics.ledger.claims.planning import ClaimsPlan
    from analytics.ledger.claims.reading import ClaimsSaid
    from analytics.ledger.history import Writer

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


async def read_claims(
    connection: asyncpg.Connection, as_of: datetime, codes: Sequence[str] | None = None
) -> dict[str, list[ClaimVersion]]:
    """Return what was recorded by a time, by code; of all claims, or of some."""
    found: dict[str, list[ClaimVersion]] = defaultdict(list)
    for row in await connection.fetch(QUERIES["versions"], as_of, codes):
        found[row["code"]].append(_version(row))
    return dict(found)


async def import_claims(
    connection: asyncpg.Connection,
    said: ClaimsSaid,
    writer: Writer,
    *,
    insurer: str = "",
    dry_run: bool = False,
) -> ClaimsPlan:
    """Record what a file says in one transaction, and return every row's fate."""
    async with connection.transaction():
        await lock(connection)
        known = await read_claims(connection, writer.recorded_at, [claim.code for claim in said.claims])
        made = plan(said, KnownClaims(known, await read_fleet(connection), writer, insurer))
        if made.versions and not dry_run:
            await _add(connection, made.versions)
    return made


async def _add(connection: asyncpg.Connection, versions: Mapping[str, ClaimVersion]) -> None:
    await connection.execute(QUERIES["add_claims"], list(versions))
    rows = []
    for code, version in versions.items():
        claim, vehicle = version.claim, version.claim.vehicle
        rows.append(
            (
                *(code, version.number, version.recorded_at, version.who, version.why),
                *(claim.insurer, claim.police_no, *claim.occurred, claim.county, claim.place),
                *(vehicle.vehicle, vehicle.plate, vehicle.company, vehicle.kind),
                *(claim.dead, claim.hurt, claim.paid_yuan),
            )
        )
    await connection.executemany(QUERIES["add_version"], rows)


def _version(row: asyncpg.Record) -> ClaimVersion:
    claim = Claim(
        Moment(row["occurred_at"], row["occurred_exact"]),
        Vehicle(True, row["vehicle"], row["plate"], row["company"], row["kind"]),
        **{
            name: row[name]
            for name in ("insurer", "police_no", "county", "place", "dead", "hurt", "paid_yuan")
        },
    )
    return ClaimVersion(row["version"], row["recorded_at"], row["who"], row["why"], claim)

"""The ledger in the database: read as of a time, and added to. Nothing is changed or deleted there."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    LedgerError,
    Moment,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
)
from analytics.ledger.history import Reason, Status, Version
from analytics.ledger.merging import Fleet, Since
from analytics.ledger.planning import Known, Plan, plan
from fleet.db import Queries
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from analytics.ledger.history import Writer
    from analytics.ledger.reading import Understood

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
_TEXTS = ("county", "place", "road_class", "weather", "lighting", "form", "police_no", "claim_no")
_PLAIN = (*_TEXTS, "police_handled", "loss_yuan", "casualties_known")


async def read_versions(
    connection: asyncpg.Connection, as_of: datetime, codes: Sequence[str] | None = None
) -> dict[str, list[Version]]:
    """Return what was recorded by a time, by code; of all accidents, or of some."""
    found: dict[str, list[Version]] = defaultdict(list)
    for row in await connection.fetch(QUERIES["versions"], as_of, codes):
        found[row["code"]].append(_version(row))
    return dict(found)


async def read_fleet(connection: asyncpg.Connection) -> Fleet:
    """Return what the registry says of vehicles and companies."""
    vehicles: dict[str, list[Since]] = defaultdict(list)
    plates: dict[str, str] = {}
    for row in await connection.fetch(QUERIES["fleet_vehicles"]):
        vehicles[row["code"]].append(Since(row["valid_from"], row["company"], row["kind"]))
        plates |= {row["plate"]: row["code"]} if row["plate"] else {}
    companies: dict[str, str] = {}
    for row in await connection.fetch(QUERIES["fleet_companies"]):
        companies |= {name: row["code"] for name in (row["name"], row["code"]) if name}
    return Fleet(plates, dict(vehicles), companies)


async def import_reports(
    connection: asyncpg.Connection,
    said: Understood,
    writer: Writer,
    *,
    reporter: Reporter | None = None,
    dry_run: bool = False,
) -> Plan:
    """Record what a file says in one transaction, and return every row's fate.

    Parameters
    ----------
    connection
        Outside a transaction.
    said
        What the file says.
    writer
        Who records it, when, and since when it was known.
    reporter
        Whose account the file is, where it does not say so.
    dry_run
        Record nothing.
    """
    async with connection.transaction():
        await connection.execute(QUERIES["lock_ledger"])
        codes = [report.code for report in said.reports]
        ledger = await read_versions(connection, writer.recorded_at, codes)
        made = plan(said, Known(ledger, await read_fleet(connection), writer, reporter))
        if not dry_run and made.versions:
            await _add(connection, made.versions)
    return made


async def change(
    connection: asyncpg.Connection,
    codes: Sequence[str],
    now: datetime,
    make: Callable[[Mapping[str, Sequence[Version]]], Version],
) -> Version:
    """Add to the first of some accidents the version that `make` returns of what is recorded of them all."""
    async with connection.transaction():
        await connection.execute(QUERIES["lock_ledger"])
        ledger = await read_versions(connection, now, codes)
        for code in codes:
            if code not in ledger:
                raise LedgerError(f"the ledger has no accident {code}: `kerbsafe accidents list` shows them")
        version = make(ledger)
        await _add(connection, {codes[0]: version})
    return version


async def add_histories(connection: asyncpg.Connection, histories: Mapping[str, Sequence[Version]]) -> None:
    """Record whole histories of accidents that the ledger does not have: of a generator of examples."""
    async with connection.transaction():
        await connection.execute(QUERIES["lock_ledger"])
        for number in range(max(map(len, histories.values()), default=0)):
            versions = {code: found[number] for code, found in histories.items() if number < len(found)}
            await _add(connection, versions)


async def _add(connection: asyncpg.Connection, versions: Mapping[str, Version]) -> None:
    await connection.execute(QUERIES["add_accidents"], list(versions))
    await connection.executemany(
        QUERIES["add_version"], [_version_row(code, version) for code, version in versions.items()]
    )
    people = [
        (code, version.number, seq, each.role, each.injury, *_moment_row(each.died), each.died_within_days)
        for code, version in versions.items()
        for seq, each in enumerate(version.facts.casualties, 1)
    ]
    await connection.executemany(QUERIES["add_casualty"], people)
    vehicles = [
        (code, version.number, seq, *_vehicle_row(each))
        for code, version in versions.items()
        for seq, each in enumerate(version.facts.vehicles, 1)
    ]
    await connection.executemany(QUERIES["add_vehicle"], vehicles)


def _version_row(code: str, version: Version) -> tuple[Any, ...]:
    facts = version.facts
    return (
        *(code, version.number, version.recorded_at, version.known_from, version.status, version.reason),
        *(version.who, version.why, version.merged_into),
        *(facts.reporter, facts.police_handled, facts.police_no, facts.claim_no, *facts.occurred),
        *(facts.county, facts.place, facts.road_class, facts.weather, facts.lighting, facts.form),
        *(facts.loss_yuan, facts.casualties_known),
    )


def _moment_row(moment: Moment | None) -> tuple[datetime | None, bool | None]:
    return (None, None) if moment is None else (moment.at, moment.is_exact)


def _vehicle_row(each: Vehicle) -> tuple[Any, ...]:
    return (
        *(each.is_fleet, each.vehicle, each.plate, each.company, each.kind, each.manoeuvre),
        each.responsibility,
    )


def _version(row: asyncpg.Record) -> Version:
    facts = Facts(
        occurred=Moment(row["occurred_at"], row["occurred_exact"]),
        reporter=Reporter(row["reporter"]),
        casualties=tuple(map(_casualty, row["casualties"])),
        vehicles=tuple(map(_vehicle, row["vehicles"])),
        **{name: row[name] for name in _PLAIN},
    )
    return Version(
        row["version"],
        row["recorded_at"],
        row["known_from"],
        Status(row["status"]),
        Reason(row["reason"]),
        row["who"],
        row["why"],
        facts,
        row["merged_into"] or "",
    )


def _casualty(said: dict[str, Any]) -> Casualty:
    died = None if said["died_us"] is None else Moment(to_datetime(said["died_us"]), said["died_exact"])
    return Casualty(Injury(said["injury"]), Role(said["role"]), died, said["died_within_days"])


def _vehicle(said: dict[str, Any]) -> Vehicle:
    share = said.pop("responsibility")
    return Vehicle(**said, responsibility=None if share is None else Responsibility(share))

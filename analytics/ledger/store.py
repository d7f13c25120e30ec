"""The ledger in the database: read as of a time, and added to. Nothing is changed or deleted there."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    LedgerError,
    Moment,
    Position,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
)
from analytics.ledger.history import Reason, Status, Version, as_of
from analytics.ledger.merging import Fleet, Since
from analytics.ledger.planning import Known, Plan, plan
from fleet.db import Queries
from fleet.language import Words
from fleet.printable import printable
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    import asyncpg

    from analytics.ledger.history import Writer
    from analytics.ledger.reading import Understood

_Made = TypeVar("_Made", Version, Version | None)
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


async def lock(connection: asyncpg.Connection) -> None:
    """Wait for other writers, to the end of the transaction: what is planned then still holds."""
    await connection.execute(QUERIES["lock_ledger"])


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
    days: tuple[date, date] | None = None,
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
    days
        First and last civil day; accidents of others are not recorded.
    dry_run
        Record nothing.
    """
    async with connection.transaction():
        await lock(connection)
        codes = [report.code for report in said.reports]
        ledger = await read_versions(connection, writer.recorded_at, codes)
        numbers = await _read_numbers(connection, said, writer.recorded_at)
        made = plan(said, Known(ledger, await read_fleet(connection), writer, reporter, numbers, days))
        if not dry_run and made.versions:
            await _add(connection, made.versions)
    return made


async def _read_numbers(
    connection: asyncpg.Connection, said: Understood, at: datetime
) -> dict[str, set[str]]:
    """Return which accidents that count have the numbers of the police that a file names."""
    asked = list({report.given["police_no"] for report in said.reports if "police_no" in report.given})
    codes = [row["code"] for row in await connection.fetch(QUERIES["with_police_numbers"], asked)]
    found: dict[str, set[str]] = defaultdict(set)
    for code, versions in (await read_versions(connection, at, codes)).items():
        current = as_of(versions, at)
        if current is not None and current.counts:
            found[current.facts.police_no].add(code)
    return {number: found[number] for number in asked if number in found}


async def change(
    connection: asyncpg.Connection,
    codes: Sequence[str],
    now: datetime,
    make: Callable[[Mapping[str, Sequence[Version]]], _Made],
) -> _Made:
    """Add to the first of some accidents the version, if any, that `make` returns of them all."""
    async with connection.transaction():
        await lock(connection)
        ledger = await read_versions(connection, now, codes)
        for code in codes:
            if code not in ledger:
                raise no_accident(code)
        version = make(ledger)
        if version is not None:
            await _add(connection, {codes[0]: version})
    return version


async def add(connection: asyncpg.Connection, code: str, version: Version, now: datetime) -> None:
    """Add an accident with its first version. Raises `LedgerError` if the ledger has it already."""
    async with connection.transaction():
        await lock(connection)
        if await read_versions(connection, now, [code]):
            raise LedgerError(_THERE_ALREADY.fill(code=code))
        await _add(connection, {code: version})


_THERE_ALREADY = Words(
    "the ledger has an accident {code} already: correct that one, or give this one another number",
    "台账中已有事故 {code}：请更正该事故，或为本起另编号",
)


def no_accident(code: str) -> LedgerError:
    """Return the error of a number that names no accident."""
    return LedgerError(
        Words(
            "the ledger has no accident {code}: `kerbsafe accidents list` shows them",
            "台账中没有事故 {code}：用 `kerbsafe accidents list` 查看",
        ).fill(code=printable(code))
    )


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
        *(facts.loss_yuan, facts.casualties_known, *_position_row(facts.position)),
    )


def _position_row(position: Position | None) -> tuple[int | None, int | None]:
    return (None, None) if position is None else (round(position.lat * 1e6), round(position.lon * 1e6))


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
        position=None if row["lat_udeg"] is None else Position(row["lat_udeg"] / 1e6, row["lon_udeg"] / 1e6),
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

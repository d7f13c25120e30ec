"""Registry files into both kinds of database, and the directory that the hot path reads from there."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fleet.db import connect
from fleet.directory import NEVER_US
from fleet.entities import BEGINNING_US, Company, RegistryError, Vehicle
from fleet.installation import read_clock
from fleet.kinds import VehicleKind
from fleet.registry import CHANNEL, QUERIES, load_directory, register, registry_revision
from fleet.registry_import.column import Kind
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.planning import Fate, Starts
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry, read_registered
from fleet.units import to_us
from fleet.wire.batch import OfThen
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    import asyncpg

    from fleet.registry_import.planning import Plan

NOW_US = to_us(datetime(2026, 1, 31, tzinfo=UTC))
SOON_US = NOW_US + 60_000_000
LATER_US = NOW_US + 3_600_000_000

WHOLE = {
    "companies": [
        {"code": "JX-1", "name": "一建", "联系电话": "0573-82080000"},
        {"code": "JX-2", "name": "二建", "district": "海宁市"},
    ],
    "vehicles": [
        {"code": "M-1", "company": "JX-1", "kind": "mixer", "limit_kmh": 60, "plate": "浙F00001"},
        {"code": "M-2", "company": "JX-2", "kind": "泵车"},
    ],
    "drivers": [
        {
            "code": "D-1",
            "company": "JX-1",
            "name": "王",
            "手机": "13800000000",
            "qualified_until": "2027-05-31",
        }
    ],
    "devices": [{"login": "U-1", "vehicle": "M-1", "model": "JT808"}],
    "fences": [
        {
            "code": "F-1",
            "kind": "forbidden",
            "name": "中山路",
            "datum": "gcj02",
            "schedule": "mon-fri 07:00-09:00",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[120.7, 30.7], [120.71, 30.7], [120.71, 30.71], [120.7, 30.7]]],
            },
        }
    ],
    "passes": [
        {
            "code": "P-1",
            "vehicle": "M-1",
            "fence": "F-1",
            "starts_at": "2026-02-01",
            "ends_at": "2026-02-28",
            "schedule": "sat 08:00-12:00",
        }
    ],
}


async def put(connection: asyncpg.Connection, document: dict[str, Any] | str, **options: Any) -> Plan:
    data = document if isinstance(document, str) else json.dumps(document)
    options = {"now_us": NOW_US, **options}
    return await import_registry(connection, read_registry(data.encode()), **options)


def fates(plan: Plan) -> list[tuple[Kind, str, Fate]]:
    return [(row.kind, row.code, row.fate) for row in plan.fates]


async def receive_something(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "insert into batch (received_at, source, received, stored) values (now(), 'live', 1, 1)"
    )


async def vehicle_versions(connection: asyncpg.Connection, code: str) -> list[tuple[int, str, int | None]]:
    rows = await connection.fetch(
        "select valid_from, company.code, limit_kmh from vehicle_version join vehicle using (vehicle_id)"
        " join company using (company_id) where vehicle.code = $1 order by valid_from",
        code,
    )
    return [(to_us(row["valid_from"]), row["code"], row["limit_kmh"]) for row in rows]


async def test_what_was_imported_is_there_and_importing_it_again_changes_nothing(
    connection: asyncpg.Connection,
) -> None:
    first = await put(connection, WHOLE)
    assert {row.fate for row in first.fates} == {Fate.CREATE}
    registered = await read_registered(connection, Starts(SOON_US, SOON_US))
    assert [row.record for row in first.fates] == [registered[row.kind][row.code] for row in first.fates]
    revision = await registry_revision(connection)
    again = await put(connection, WHOLE)
    assert {row.fate for row in again.fates} == {Fate.UNCHANGED}
    assert await registry_revision(connection) == revision
    assert dict(await connection.fetchrow(QUERIES["count_registry"])) == {
        "companies": 2,
        "vehicles": 2,
        "devices": 1,
        "drivers": 1,
        "fences": 1,
        "passes": 1,
    }


async def test_a_dry_run_says_every_fate_and_stores_nothing(connection: asyncpg.Connection) -> None:
    planned = await put(connection, WHOLE, dry_run=True)
    assert len(planned.fates) == 8
    assert dict(await connection.fetchrow(QUERIES["count_registry"])) == dict.fromkeys(LAYOUTS, 0)
    wrong = {"vehicles": [{"code": "M-1", "company": "JX-9", "kind": "mixer"}]}
    refused = await put(connection, wrong, dry_run=True)
    assert fates(refused) == [(Kind.VEHICLES, "M-1", Fate.ERROR)]
    assert len(refused.problems) == 1


async def test_all_or_nothing_refuses_for_one_wrong_row(connection: asyncpg.Connection) -> None:
    wrong = {**WHOLE, "vehicles": [*WHOLE["vehicles"], {"code": "M-3", "company": "JX-9", "kind": "mixer"}]}
    with pytest.raises(ImportRefusedError, match="vehicles row 3 company 'JX-9'"):
        await put(connection, wrong)
    assert dict(await connection.fetchrow(QUERIES["count_registry"])) == dict.fromkeys(LAYOUTS, 0)


async def test_a_wrong_row_is_left_out_and_the_rest_is_imported(connection: asyncpg.Connection) -> None:
    wrong = {**WHOLE, "vehicles": [*WHOLE["vehicles"], {"code": "M-3", "company": "JX-9", "kind": "mixer"}]}
    for _ in range(2):  # put right or not, the file can be imported again
        planned = await put(connection, wrong, all_or_nothing=False)
        assert (Kind.VEHICLES, "M-3", Fate.ERROR) in fates(planned)
        assert [problem.places for problem in planned.left_out] == [(("vehicles", 3),)]
    assert await connection.fetchval("select array_agg(code order by code) from vehicle") == ["M-1", "M-2"]


async def test_rows_that_are_not_in_the_file_stay(connection: asyncpg.Connection) -> None:
    await put(connection, WHOLE)
    await put(connection, "code,company,kind\nM-3,JX-1,mortar\n")
    assert await connection.fetchval("select count(*) from vehicle") == 3


async def test_a_change_that_rules_read_is_a_version_and_another_is_not(
    connection: asyncpg.Connection,
) -> None:
    await put(connection, WHOLE)
    await put(connection, "code,plate\nM-1,浙F99999\n")
    assert await vehicle_versions(connection, "M-1") == [(BEGINNING_US, "JX-1", 60)]
    await put(connection, "code,limit_kmh\nM-1,50\n")
    await put(connection, "code,company\nM-1,JX-2\n", kind=Kind.VEHICLES, valid_from_us=LATER_US)
    assert await vehicle_versions(connection, "M-1") == [
        (BEGINNING_US, "JX-1", 60),
        (SOON_US, "JX-1", 50),
        (LATER_US, "JX-2", 50),
    ]
    assert await connection.fetchval("select plate from vehicle where code = 'M-1'") == "浙F99999"


async def test_a_version_that_is_not_in_force_yet_can_be_put_right(connection: asyncpg.Connection) -> None:
    await put(connection, WHOLE)
    await put(connection, "code,limit_kmh\nM-1,50\n", valid_from_us=LATER_US)
    await put(connection, "code,limit_kmh\nM-1,40\n", valid_from_us=LATER_US)
    assert await vehicle_versions(connection, "M-1") == [
        (BEGINNING_US, "JX-1", 60),
        (LATER_US, "JX-1", 40),
    ]


async def test_the_past_is_closed_once_something_was_received(connection: asyncpg.Connection) -> None:
    await put(connection, WHOLE)
    assert to_us(await connection.fetchval("select valid_from from fence_version")) == BEGINNING_US
    await receive_something(connection)
    with pytest.raises(RegistryError, match="too early"):
        await put(connection, "code,limit_kmh\nM-1,50\n", valid_from_us=NOW_US)
    assert len(await vehicle_versions(connection, "M-1")) == 1
    fence = {**WHOLE["fences"][0], "code": "F-2"}
    made = await put(connection, {"fences": [fence]})
    assert [row.valid_from_us for row in made.fates] == [SOON_US]


async def test_a_sandbox_may_change_its_past(sandbox_database: str) -> None:
    connection = await connect(sandbox_database, application="test")
    try:
        await put(connection, WHOLE)
        await receive_something(connection)
        clock = await read_clock(connection)
        await put(connection, "code,limit_kmh\nM-1,50\n", valid_from_us=NOW_US - 1, sandbox=clock.sandbox)
        assert await vehicle_versions(connection, "M-1") == [
            (BEGINNING_US, "JX-1", 60),
            (NOW_US - 1, "JX-1", 50),
        ]
    finally:
        await connection.close()


async def test_the_directory_answers_topics_and_follows_changes(connection: asyncpg.Connection) -> None:
    await put(connection, WHOLE)
    directory = await load_directory(connection, NOW_US)
    assert directory.revision == await registry_revision(connection)
    vehicle_id = directory.find("JX-1", "M-1")
    assert isinstance(vehicle_id, int)
    assert directory.vehicle_code(vehicle_id) == "M-1"
    assert directory.find("JX-1", "M-2") == Reason.WRONG_COMPANY
    company_id, kind, limit_kmh = directory.facts.at([vehicle_id], [NOW_US - 10**15])
    assert (directory.companies[company_id[0]], kind[0], limit_kmh[0]) == ("JX-1", VehicleKind.MIXER, 60)

    await put(connection, "code,company,limit_kmh\nM-1,JX-2,-\n")
    assert await registry_revision(connection) > directory.revision
    changed = await load_directory(connection, NOW_US)
    assert changed.find("JX-1", "M-1") == vehicle_id
    assert changed.changes_at_us == SOON_US
    assert changed.at(SOON_US).find("JX-1", "M-1") == OfThen(vehicle_id, ((-NEVER_US, SOON_US),))
    assert changed.at(SOON_US).find("JX-2", "M-1") == vehicle_id
    assert changed.facts.at([vehicle_id] * 2, [SOON_US - 1, SOON_US]).limit_kmh.tolist() == [60, -1]


async def test_readers_are_told_of_changes(database: str, connection: asyncpg.Connection) -> None:
    listener = await connect(database, application="test")
    told = asyncio.Event()
    await listener.add_listener(CHANNEL, lambda *_: told.set())
    await put(connection, WHOLE, dry_run=True)
    assert not told.is_set()
    await put(connection, WHOLE)
    async with asyncio.timeout(30):
        await told.wait()
    await listener.close()


async def test_registering_creates_only_what_is_not_there(connection: asyncpg.Connection) -> None:
    company = Company(code="DEMO", name="Demo")
    mixers = [Vehicle(code=f"T-{n}", company="DEMO", kind=VehicleKind.MIXER, limit_kmh=60) for n in (1, 2)]
    assert await register(connection, company, mixers) == 2
    assert await vehicle_versions(connection, "T-1") == [(BEGINNING_US, "DEMO", 60)]
    slower = [Vehicle(code=f"T-{n}", company="DEMO", kind=VehicleKind.PUMP, limit_kmh=40) for n in (2, 3, 3)]
    assert await register(connection, company, slower) == 1
    assert await vehicle_versions(connection, "T-2") == [(BEGINNING_US, "DEMO", 60)]
    assert await vehicle_versions(connection, "T-3") == [(BEGINNING_US, "DEMO", 40)]
    with pytest.raises(ValueError, match="another company"):
        await register(connection, Company(code="OTHER"), mixers)


async def test_two_imports_at_once_follow_one_another(database: str) -> None:
    one, two = [await connect(database, application="test") for _ in range(2)]
    found = await asyncio.gather(put(one, WHOLE), put(two, WHOLE))
    assert sorted({row.fate for row in plan.fates}.pop() for plan in found) == [Fate.CREATE, Fate.UNCHANGED]
    await one.close()
    await two.close()


async def test_what_is_stored_reads_back_typed(connection: asyncpg.Connection) -> None:
    await put(connection, WHOLE)
    registered = await read_registered(connection, Starts(SOON_US, SOON_US))
    driver, fence, leave = (registered[kind] for kind in (Kind.DRIVERS, Kind.FENCES, Kind.PASSES))
    assert driver["D-1"].qualified_until == date(2027, 5, 31)
    assert driver["D-1"].phone == "13800000000"
    assert [one.phone for one in registered[Kind.COMPANIES].values()] == ["0573-82080000", ""]
    assert fence["F-1"].schedule[0].days == (1, 2, 3, 4, 5)
    assert fence["F-1"].source_datum == "gcj02"
    assert leave["P-1"].ends_at == datetime(2026, 2, 28, 16, tzinfo=UTC)

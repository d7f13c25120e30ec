"""Each process has a role of its own, with the rights that it needs and no others."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack

import asyncpg
import pytest

from alerts.rulebook.rulebook_store import load_rulebooks
from fleet.db import DatabaseError, Queries, hold_role
from fleet.grants import GRANTS, ROLES
from fleet.installation import days_ahead, make_days_ahead
from fleet.migrate import require_schema
from fleet.units import MICROSECONDS
from ingest.gateway.terminals import Terminals
from ingest.pipeline import writer
from kerbsafe.doctor import diagnose
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive, fix
from tests.integration.deploy.conftest import PASSWORD, ROOT, Deployed

DAY_US = 86_400 * MICROSECONDS
#: Files of queries that a role asks, and which of them; None: all.
ASKS: dict[str, dict[str, set[str] | None]] = {
    "kerbsafe_ingest": {
        "ingest/pipeline/queries.sql": None,
        "alerts/store/queries.sql": {
            "live_episodes",
            "open_alerts",
            "append_feed",
            "begin_segments",
            "end_inner_segments",
            "ongoing_live",
            "lose_episodes",
            "open_episodes",
            "save_states",
            "load_states",
        },
        "alerts/rulebook/rulebooks.sql": {"rulebooks", "companies", "add_rulebook"},
        "alerts/store/turns.sql": {"write_turns"},
        "fleet/audit.sql": {"record"},
        "fleet/commands/queries.sql": {"queue_command", "unheard_commands"},
        "ingest/commands/queries.sql": None,
    },
    "kerbsafe_worker": {
        path.relative_to(ROOT).as_posix(): None
        for path in ROOT.glob("alerts/*/*.sql")
        if path.name != "handling.sql"
    }
    | {"fleet/audit.sql": {"record", "purge"}},
    "kerbsafe_console": {path.relative_to(ROOT).as_posix(): None for path in ROOT.glob("console/*.sql")}
    | {
        "alerts/handling/handling.sql": None,
        "alerts/store/queries.sql": {"append_feed"},
        "fleet/audit.sql": {"record", "newest"},
        "fleet/commands/queries.sql": {"queue_command", "read_commands"},
    },
}
#: What all of them ask.
ALL_ASK: dict[str, set[str] | None] = {
    "fleet/installation.sql": {"find_installation", "read_clock", "grade", "days_ahead", "server_time"},
    "fleet/registry.sql": {"registry_revision"},
    "fleet/migrate.sql": {"has_record", "list_applied"},
    "fleet/fences/queries.sql": None,
    "fleet/tracks.sql": None,
}
#: Queries that stand in the file of one process and are another's.
NOT_THE_WORKERS = {"live_episodes", "save_states", "load_states", "mark_dirty"}
#: Statements that cannot be explained; running the processes shows them.
UTILITY = ("create temporary", "truncate", "copy ", "listen ", "set ")
#: Tables that only the owner, and so only a person's command, may read.
OWNERS_ALONE = {"service_account", "accident", "accident_version", "accident_casualty", "accident_vehicle"}


async def test_a_batch_is_ingested_settled_and_shown(deployed: Deployed) -> None:
    """The way of one fix, each part of it under its role; the registry is the owner's."""
    async with AsyncExitStack() as stack:
        owner, ingest, worker, console = [
            await stack.enter_async_context(deployed.connected(role)) for role in ("kerbsafe_owner", *ROLES)
        ]
        await ingested_settled_and_shown(owner, ingest, worker, console)


async def ingested_settled_and_shown(
    owner: asyncpg.Connection,
    ingest: asyncpg.Connection,
    worker: asyncpg.Connection,
    console: asyncpg.Connection,
) -> None:
    bench = Bench(owner)
    await bench.start()
    bench.connection = ingest
    await writer.prepare(ingest)
    drive_ = drive((60, 50), (30, 80), (60, 50), start_s=-400)
    await bench.push(*arriving(drive_))
    await bench.push(
        batch(
            1,
            {**drive_[0], "speed_kmh": 51},
            b"{",
            {**fix(-100), "id": "e", "side": "right", "phase": "single"},
        ),
        batch(2, {**fix(-90), "camera": "ok"}, kind="health"),
        batch(3, {"time": fix(-80)["time"], "id": "c", "result": "done"}, kind="ack"),
        batch(4, [fix(-300.5, 50)], kind="history"),
    )
    bench.connection = worker
    assert sum((await bench.drain()).values()) == 1
    await worker.execute("delete from batch where received_at < '2000-01-01'")
    seen = await console.fetch("select vehicle, rule, status from alert_readable")
    assert [tuple(row) for row in seen] == [("T1", "speeding", "settled")]


async def test_room_is_made_by_a_role_that_owns_nothing(deployed: Deployed) -> None:
    async with deployed.connected("kerbsafe_ingest") as ingest:
        tomorrow_us = NOW_US + DAY_US
        assert await days_ahead(ingest, tomorrow_us) == 2
        assert await make_days_ahead(ingest, tomorrow_us) == 3
        assert await make_days_ahead(ingest, tomorrow_us) == 0
        assert await days_ahead(ingest, tomorrow_us) == 3
        await hold_role(ingest, "ingest")


async def test_the_owner_makes_room_for_any_day(deployed: Deployed) -> None:
    async with deployed.connected("kerbsafe_owner") as owner:
        assert await make_days_ahead(owner, NOW_US + 400 * DAY_US) == 3 * 39


async def test_a_table_that_has_no_days_is_given_none(deployed: Deployed) -> None:
    async with deployed.connected("kerbsafe_owner") as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="episode is not split by day"):
            await owner.execute("select make_days('episode', current_date, current_date)")


async def test_what_a_role_puts_into_its_own_schema_is_not_found_instead(deployed: Deployed) -> None:
    """A temporary table is looked for first, unless the function says otherwise."""
    async with deployed.connected("kerbsafe_owner") as owner:
        await load_rulebooks(owner, NOW_US)
    async with deployed.connected("kerbsafe_ingest") as ingest:
        await ingest.execute("create temporary table rulebook (version text, valid_from timestamptz)")
        await ingest.execute(
            "create temporary table sandbox_clock as "
            "select true as only_row, now() as wall_at, timestamptz '2020-01-01Z' as event_at, 1.0 as rate; "
            "create temporary table installation as select true as only_row, true as sandbox"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="judged by one rulebook"):
            await ingest.execute("insert into public.rulebook values ('back', '2020-06-01Z', '')")


@pytest.mark.parametrize("role", ROLES)
async def test_every_query_of_a_process_is_allowed(deployed: Deployed, role: str) -> None:
    """The server checks rights when it plans: so for every query, also those that only an odd day needs."""
    async with deployed.connected(role) as connection:
        if role == "kerbsafe_ingest":
            await writer.prepare(connection)
        refused = {}
        for name, query in asked_by(role):
            try:
                await connection.execute(f"explain (generic_plan) {query}")
            except asyncpg.InsufficientPrivilegeError as error:
                refused[name] = str(error)
        assert refused == {}


def asked_by(role: str) -> list[tuple[str, str]]:
    found = []
    for path, wanted in (ASKS[role] | ALL_ASK).items():
        for name, query in Queries(ROOT / path).items():
            bare = without_comments(query)
            asked = wanted is None or name in wanted
            others = role == "kerbsafe_worker" and name in NOT_THE_WORKERS
            if asked and not others and not bare.startswith(UTILITY):
                found.append((f"{path}: {name}", bare))
    return found


def without_comments(query: str) -> str:
    return re.sub(r"^--.*\n", "", query, flags=re.MULTILINE).strip()


async def test_every_table_is_granted_on_purpose(deployed: Deployed) -> None:
    """A new table, view or sequence needs a word in fleet/grants.sql, or in the list of the owner's own."""
    async with deployed.connected("kerbsafe_owner") as owner:
        found = await owner.fetch(
            """select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
            where nspname = 'public' and relkind in ('r', 'p', 'v', 'S') and not relispartition
              and not exists (select from pg_depend where objid = pg_class.oid and deptype in ('e', 'i'))"""
        )
        granted = set(re.findall(r"\w+", re.sub(r"--.*", "", GRANTS.read_text("utf-8"))))
        assert {row["relname"] for row in found} - granted == OWNERS_ALONE


async def test_outsiders_do_not_even_connect(deployed: Deployed) -> None:
    superuser = await asyncpg.connect(deployed.dsn)
    await superuser.execute(f"create role kerbsafe_stranger login password '{PASSWORD}'")
    try:
        with pytest.raises(DatabaseError, match="permission denied for database"):
            async with deployed.connected("kerbsafe_stranger"):
                pass
    finally:
        await superuser.execute("drop role kerbsafe_stranger")
        await superuser.close()


async def test_grants_that_are_gone_from_the_file_are_taken_back(deployed: Deployed) -> None:
    async with deployed.connected("kerbsafe_owner") as owner:
        await owner.execute(
            "grant delete on fix to kerbsafe_ingest; grant select on driver to kerbsafe_console"
        )
        await owner.execute(GRANTS.read_text("utf-8"))
        rights = await owner.fetchrow(
            """select has_table_privilege('kerbsafe_ingest', 'fix', 'delete') as fix,
                      has_table_privilege('kerbsafe_console', 'driver', 'select') as driver"""
        )
        assert tuple(rights) == (False, False)


async def test_the_gateway_reads_which_telephone_is_of_which_truck_and_no_more(deployed: Deployed) -> None:
    async with deployed.connected("kerbsafe_gateway") as gateway:
        await require_schema(gateway)
        await Terminals().read(gateway)
        may_not = (
            "select secret_hash from device",
            "select plate from vehicle",
            "select phone from company",
            "select 1 from driver",
            "select 1 from fix",
            "update device set model = ''",
            "insert into fix select * from fix",
            "select 1 from command",
            "select 1 from command_ack",
        )
        for statement in may_not:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await gateway.execute(statement)


async def test_the_owner_is_told_who_is_connected(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kerbsafe doctor`, and the sentence for a second ingest, name sessions of other roles."""
    for name, value in deployed.settings("owner").items():
        monkeypatch.setenv(name, value)
    async with deployed.connected("kerbsafe_ingest", application="ingest") as ingest:
        await hold_role(ingest, "ingest")
        said = [one.said for one in (await diagnose()).findings if one.check == "processes"]
        assert "`kerbsafe ingest` is connected since 20" in said[0]
        for role, told in (("kerbsafe_ingest", True), ("kerbsafe_owner", True), ("kerbsafe_worker", False)):
            async with deployed.connected(role) as second:
                with pytest.raises(DatabaseError) as refused:
                    await hold_role(second, "ingest")
            assert "another ingest runs on this database: 'kerbsafe ingest' on " in str(refused.value)
            assert (" since 20" in str(refused.value)) == told
    for role in ROLES:
        async with deployed.connected(role, application="worker"):
            for name, value in deployed.settings("console").items():
                monkeypatch.setenv(name, value)
            said = [one.said for one in (await diagnose()).findings if one.check == "processes"]
            assert said[1].startswith("`kerbsafe worker` is connected")

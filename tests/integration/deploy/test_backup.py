"""Backup and restore as docs/operations.md says: what comes back is what was there, and it works on."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from fleet.db import connect
from fleet.installation import Grade, days_ahead, grade, make_days_ahead
from fleet.migrate import migrate
from fleet.units import MICROSECONDS
from ingest.pipeline import writer
from kerbsafe import parts
from kerbsafe.doctor import diagnose
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive, fix
from tests.integration.deploy.conftest import ROOT, Deployed, libpq, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TABLES = """select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'public' and relkind in ('r', 'p') and not relispartition order by relname"""


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    """Rows of every table."""
    names = [row["relname"] for row in await connection.fetch(TABLES)]
    return {name: await connection.fetchval(f"select count(*) from {name}") for name in names}


async def fill(connection: asyncpg.Connection) -> Bench:
    """A speeding drive, settled; a second one that is still provisional; a camera event, a reject."""
    bench = Bench(connection)
    await bench.start()
    await bench.push(*arriving(drive((60, 50), (30, 80), (60, 50), start_s=-4000)))
    await bench.drain()
    event = {**fix(-100), "id": "e", "side": "right", "phase": "single"}
    await bench.push(batch(1, event, kind="camera"), batch(2, b"{"), *arriving(drive((30, 80), start_s=-40)))
    return bench


async def findings(dsn: str) -> dict[str, list[tuple[str, str]]]:
    """What the doctor says of a database, but for when its processes connected."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in (await diagnose({"KERBSAFE_DSN": dsn})).findings:
        if one.check in {"schema", "grade", "time", "days ahead"}:
            found.setdefault(one.check, []).append((one.level.value, one.said))
    return found


@pytest.fixture
async def restored(deployed: Deployed, postgres_bin: Path, tmp_path: Path) -> AsyncIterator[Deployed]:
    """What deploy/restore makes of what deploy/backup wrote."""
    superuser = await connect(deployed.dsn, application="test")
    await fill(superuser)
    await superuser.close()
    name, dump = f"kerbsafe_restored_{uuid.uuid4().hex[:8]}", tmp_path / "kerbsafe.dump"
    database = deployed.dsn.rpartition("/")[2]
    env = libpq(deployed.dsn) | {"PATH": f"{postgres_bin}:{os.environ['PATH']}", "DATABASE": database}
    assert run(ROOT / "deploy/backup", dump, env=env) == ""
    said = run("sh", "-c", f"{ROOT}/deploy/restore {name} < {dump}", env=env)
    assert (
        said == f"restored {name}: point KERBSAFE_DSN to it, run `kerbsafe migrate` and `kerbsafe doctor`\n"
    )
    again = run("sh", "-c", f"{ROOT}/deploy/restore {name} < {dump}", env=env, expect=2)
    assert f"there is a database {name}: choose another name" in again
    yield Deployed(deployed.dsn.replace(database, name), deployed.secrets)
    superuser = await asyncpg.connect(deployed.dsn)
    await superuser.execute(f"drop database {name} with (force)")
    await superuser.close()


async def test_a_dump_restored_is_the_database_and_works_on(deployed: Deployed, restored: Deployed) -> None:
    before, after = [await connect(one.dsn, application="test") for one in (deployed, restored)]
    there = await counts(before)
    assert await counts(after) == there
    assert (there["fix"], there["episode"], there["right_turn"], there["reject"]) == (180, 2, 0, 1)
    newest = "select md5(string_agg(f::text, ';' order by f.vehicle_id, f.time)) from fix f"
    assert await after.fetchval(newest) == await before.fetchval(newest)
    await before.close()
    await after.close()
    assert await findings(restored.dsn) == await findings(deployed.dsn)
    async with restored.connected("kerbsafe_owner") as owner:
        assert await migrate(owner) == []
    async with restored.connected("kerbsafe_ingest") as ingest:
        bench = Bench(ingest)
        bench.directory, bench.context = await facts(restored)
        await writer.prepare(ingest)
        later_us = NOW_US + 86_400 * MICROSECONDS
        assert await make_days_ahead(ingest, later_us) > 0
        assert await days_ahead(ingest, later_us) == 3
        await bench.push(*arriving(drive((20, 50), start_s=20)))
        assert await ingest.fetchval("select count(*) from fix") == 200
    async with restored.connected("kerbsafe_worker") as worker:
        bench.connection = worker
        await bench.drain()
        assert await worker.fetchval("select count(*) from episode where status = 'settled'") == 2


@pytest.mark.parametrize("server", ["timescaledb"], indirect=True)
async def test_what_did_without_timescaledb_does_so_again(
    deployed: Deployed, postgres_bin: Path, tmp_path: Path
) -> None:
    """Also where the server offers it: partitions of ours are no hypertables."""
    env = libpq(deployed.dsn) | {"PATH": f"{postgres_bin}:{os.environ['PATH']}"}
    plain, again = (f"kerbsafe_plain_{uuid.uuid4().hex[:8]}" for _ in range(2))
    superuser = await asyncpg.connect(deployed.dsn)
    await superuser.execute(f"create database {plain} owner kerbsafe_owner template template0")
    here, there = (
        Deployed(deployed.dsn.rpartition("/")[0] + f"/{name}", deployed.secrets) for name in (plain, again)
    )
    async with here.connected("kerbsafe_owner") as owner:
        await migrate(owner, plain=True)
        await make_days_ahead(owner, NOW_US)
    dump = tmp_path / "plain.dump"
    run("sh", "-c", f"umask 022; {ROOT}/deploy/backup > {dump}", env=env | {"DATABASE": plain})
    assert dump.stat().st_mode & 0o777 == 0o600
    run("sh", "-c", f"{ROOT}/deploy/restore {again} < {dump}", env=env)
    async with there.connected("kerbsafe_ingest") as ingest:
        assert await days_ahead(ingest, NOW_US) == 3
        assert await grade(ingest) == Grade.PLAIN
    for name in (plain, again):
        await superuser.execute(f"drop database {name} with (force)")
    await superuser.close()


async def facts(deployed: Deployed) -> tuple[Any, Any]:
    """Registry and rulebooks, read by their owner."""
    async with deployed.connected("kerbsafe_owner") as owner:
        bench = Bench(owner)
        await bench.start()
        return bench.directory, bench.context


@pytest.mark.parametrize("server", ["plain"], indirect=True)
def test_a_dump_is_for_its_maker_alone_and_replaces_none(
    deployed: Deployed, postgres_bin: Path, tmp_path: Path
) -> None:
    env = libpq(deployed.dsn) | {"PATH": f"{postgres_bin}:{os.environ['PATH']}"}
    dump, ours = tmp_path / "kerbsafe.dump", {"DATABASE": deployed.dsn.rpartition("/")[2]}
    run("sh", "-c", f"umask 022; {ROOT}/deploy/backup {dump}", env=env | ours)
    assert dump.stat().st_mode & 0o777 == 0o600
    said = run(ROOT / "deploy/backup", dump, env=env | ours, expect=2)
    assert said == f"backup: there is {dump} already: it is kept, name another file\n"
    run(ROOT / "deploy/backup", tmp_path / "none.dump", env=env | {"DATABASE": "nothing_here"}, expect=1)
    assert [path.name for path in tmp_path.iterdir()] == ["kerbsafe.dump"]


# ---------------------------------------------------------------- base backup and the log after it


async def test_a_base_backup_goes_back_to_a_moment(postgres_bin: Path) -> None:
    """What was committed before the moment is there, what came after is not."""
    home, archive, copy = [Path(f"/var/tmp/kerbsafe-test-{uuid.uuid4().hex[:8]}") for _ in range(3)]
    try:
        with parts.embedded_postgres(home) as server:
            owner = (home / "postgres").stat()
            archive.mkdir()
            os.chown(archive, owner.st_uid, owner.st_gid)
            connection = await connect(server.dsn, application="test")
            await connection.execute("alter system set archive_mode = on")
            await connection.execute(
                f"alter system set archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'"
            )
            await connection.close()
            server.restart()
            connection = await connect(server.dsn, application="test")
            await migrate(connection)
            await make_days_ahead(connection, int(time.time()) * MICROSECONDS)
            base = ("-D", copy / "postgres", "--checkpoint=fast", "--wal-method=none", "--no-manifest")
            run(postgres_bin / "pg_basebackup", *base, env=libpq(server.dsn))
            bench = await fill(connection)
            moment = await connection.fetchval("select clock_timestamp()::text")
            there = await counts(connection)
            await bench.push(*arriving(drive((10, 50), start_s=20)))
            await connection.execute("select pg_switch_wal()")
            await connection.close()
            wait_for_archive(server, archive)
        with (copy / "postgres/postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {archive}/%f %p'\n")
            settings.write(f"recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n")
        (copy / "postgres/recovery.signal").touch()
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, owner.st_uid, owner.st_gid)
        (copy / "postgres").chmod(0o700)
        with parts.embedded_postgres(copy) as server:
            connection = await connect(server.dsn, application="test")
            assert await counts(connection) == there
            await connection.close()
    finally:
        for folder in (home, archive, copy):
            shutil.rmtree(folder, ignore_errors=True)


def wait_for_archive(server: parts.PostgresServer, archive: Path) -> None:
    deadline_s = time.monotonic() + 60
    data = server.data_dir
    assert data is not None
    while any(data.glob("pg_wal/archive_status/*.ready")):
        assert time.monotonic() < deadline_s, sorted(archive.iterdir())
        time.sleep(0.05)

"""The schema: applied once, forward only, on every grade of store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fleet.db import DatabaseError, connect
from fleet.installation import Grade, grade, read_clock
from fleet.migrate import migrate, read_migrations, require_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import asyncpg

NAMES = [f"{m.version:04}_{m.name}" for m in read_migrations()]

INSTALLATION = "create table installation (only_row boolean default true, sandbox boolean)"


@pytest.fixture
async def empty(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(empty_database, application="test")
    yield connection
    await connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two small migrations."""
    (tmp_path / "0001_first.sql").write_text(INSTALLATION)
    (tmp_path / "0002_second.sql").write_text(
        "create table second (b integer); insert into second values (1)"
    )
    (tmp_path / "0000").write_text("not SQL")
    return tmp_path


async def test_every_migration_applies_once(empty: asyncpg.Connection) -> None:
    assert await migrate(empty) == NAMES
    assert await migrate(empty) == []
    await require_schema(empty)
    assert await empty.fetchval("select count(*) from migration") == len(NAMES)


async def test_uses_what_the_server_offers(empty: asyncpg.Connection, request: pytest.FixtureRequest) -> None:
    await migrate(empty)
    on_plain = "plain" in request.node.callspec.id
    assert (await grade(empty) is Grade.PLAIN) == on_plain


async def test_plain_on_a_server_with_timescaledb(empty: asyncpg.Connection) -> None:
    await migrate(empty, plain=True)
    assert await grade(empty) is Grade.PLAIN


async def test_two_runs_at_once_apply_once(empty_database: str) -> None:
    connections = [await connect(empty_database, application="test") for _ in range(3)]
    applied = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(map(len, applied)) == [0, 0, len(NAMES)]
    for connection in connections:
        await connection.close()


async def test_a_database_without_schema_is_refused_with_the_remedy(empty: asyncpg.Connection) -> None:
    with pytest.raises(DatabaseError, match=r"at version 0, this Kerbsafe needs \d+: run `kerbsafe migrate`"):
        await require_schema(empty)


async def test_a_newer_schema_stops(empty: asyncpg.Connection) -> None:
    await migrate(empty)
    await empty.execute("insert into migration (version, name, sha256) values (9999, 'of_tomorrow', '')")
    for refuse in (migrate(empty), require_schema(empty)):
        with pytest.raises(DatabaseError, match=r"at version 9999, .* knows only \d+: use the newer"):
            await refuse


async def test_a_changed_file_stops(empty: asyncpg.Connection, folder: Path) -> None:
    await migrate(empty, folder=folder)
    (folder / "0001_first.sql").write_text(f"{INSTALLATION} -- and a word more")
    for refuse in (migrate(empty, folder=folder), require_schema(empty, folder)):
        with pytest.raises(DatabaseError, match=r"migration 0001_first is not the file"):
            await refuse


async def test_a_failing_migration_leaves_nothing_behind(empty: asyncpg.Connection, folder: Path) -> None:
    (folder / "0003_third.sql").write_text("create table third (c integer); select 1 / 0")
    with pytest.raises(
        DatabaseError, match="migration 0003_third failed and left nothing behind: division by zero"
    ):
        await migrate(empty, folder=folder)
    assert await empty.fetchval("select max(version) from migration") == 2
    assert await empty.fetchval("select to_regclass('third')") is None


@pytest.mark.parametrize("name", ["0003_gap.sql", "2_short.sql", "0002_Upper.sql"])
def test_a_file_out_of_order_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "0001_first.sql").touch()
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=rf"{name}: the next migration must be called 000\d_name.sql"):
        read_migrations(tmp_path)


async def test_only_a_new_database_becomes_a_sandbox(empty: asyncpg.Connection) -> None:
    await migrate(empty)
    assert not (await read_clock(empty)).sandbox
    with pytest.raises(DatabaseError, match="not a sandbox and cannot become one"):
        await migrate(empty, sandbox=True)


async def test_a_sandbox_stays_one(empty: asyncpg.Connection) -> None:
    await migrate(empty, sandbox=True)
    await migrate(empty)
    assert (await read_clock(empty)).sandbox

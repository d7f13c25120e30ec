"""What is held is sealed before it can be dropped, and what was changed afterwards is named."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from fleet.archive import holds
from fleet.archive.layout import ArchiveError, begin_of, begin_us
from fleet.archive.policy import Policy
from fleet.archive.seal import seal
from fleet.archive.stores import Folder
from fleet.columns import Fixes
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe.cli import main
from tests.integration.fleet.archive_days import (
    MIDNIGHTS_AWAY,
    days_ago,
    driven,
    night,
    of_vehicle,
    store,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench

DAY = days_ago(60)
FROM, UNTIL = begin_of(DAY), begin_of(DAY) + timedelta(hours=5)


def at(place: int) -> str:
    return to_datetime(begin_us(DAY) + (14_400 + 60 * place) * MICROSECONDS).isoformat()


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("KERBSAFE_ARCHIVE", str(tmp_path))
    return Folder(tmp_path)


async def test_what_is_held_is_sealed_and_outlives_its_day(bench: Bench, cold: Folder) -> None:
    """An hour of a drive is held; half of it arrives after the hold was placed, before the day is dropped."""
    fixes = driven(DAY)
    first = fixes.take(slice(0, 30))
    await store(bench, first)
    held = await holds.hold(bench.connection, "T1", FROM, UNTIL, "accident 33040", "zhou")
    assert held == (held.hold_id, 30, seal("T1", first).sha256)
    await store(bench, fixes.take(slice(30, None)))
    policy = Policy(45, 183)
    for _ in range(3):
        await night(bench, cold, policy, later=MIDNIGHTS_AWAY)
    await bench.connection.execute("delete from archived_day")  # deleted by age, some day
    (row,) = await holds.listed(bench.connection)
    assert (row["vehicle"], row["fixes"], row["seals"], row["placed_by"]) == ("T1", 60, 2, "zhou")
    sealed = await bench.connection.fetch("select lat_udeg from sealed_fix order by time")
    assert [lat for (lat,) in sealed] == of_vehicle(fixes).lat_udeg[:60].tolist()
    assert await holds.verify(bench.connection, held.hold_id) == []


async def test_a_day_of_which_something_is_held_and_not_sealed_cannot_be_dropped(bench: Bench) -> None:
    """Not by any way: the database itself refuses. Camera events of the vehicle stay while it is held."""
    connection = bench.connection
    held = await holds.hold(connection, "T1", FROM, UNTIL, "accident 33040", "zhou")
    await store(bench, driven(DAY))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"hold {held.hold_id} needs rows of fix"):
        await connection.execute("select drop_day('fix', $1)", DAY)
    assert await holds.seal_anew(connection, FROM, UNTIL + timedelta(hours=1)) == 60
    await connection.execute("select drop_day('fix', $1)", DAY)

    await connection.execute("select make_days('device_health', $1, $1)", DAY)
    await connection.execute(
        "insert into device_health values (1, $1, 1, 1, 1, 1, '')", FROM + timedelta(hours=1)
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="needs rows of device_health"):
        await connection.execute("select drop_day('device_health', $1)", DAY)
    await holds.release(connection, held.hold_id, "settled", "zhou")
    await connection.execute("select drop_day('device_health', $1)", DAY)


async def test_what_was_sealed_cannot_be_changed_and_a_row_that_was_is_named(bench: Bench) -> None:
    connection = bench.connection
    await store(bench, driven(DAY))
    hold_id = (await holds.hold(connection, "T1", FROM, UNTIL, "accident 33040", "zhou")).hold_id
    for change in (
        "update sealed_fix set speed_dkmh = 0",
        "delete from hold_seal",
        "truncate legal_hold cascade",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute(change)

    async def tampered(change: str) -> list[tuple[str | None, str]]:
        """What is found after whoever owns the server has helped himself; and all is as before."""
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("alter table sealed_fix disable trigger append_only")
        await connection.execute(change)
        found = await holds.verify(connection, hold_id)
        await transaction.rollback()
        return [(None if one.at is None else one.at.isoformat(), one.what) for one in found]

    one = f"where time = '{at(7)}'"
    assert await tampered(f"update sealed_fix set speed_dkmh = 0 {one}") == [
        (at(7), "is not what was sealed")
    ]
    assert await tampered(f"delete from sealed_fix {one}") == [(None, "has 59 fixes, sealed were 60")]
    forged = seal("T1", Fixes.build(**forged_columns())).rows[0].hex()
    assert await tampered(f"update sealed_fix set speed_dkmh = 0, sha256 = '\\x{forged}' {one}") == [
        (None, "is not what was sealed: a row was changed together with its hash")
    ]
    assert await holds.verify(connection, hold_id) == []


def forged_columns() -> dict[str, object]:
    fixes = driven(DAY).take(slice(7, 8))
    return {name: getattr(fixes, name) for name in Fixes.dtypes()} | {"speed_dkmh": 0}


async def test_at_the_shell(
    bench: Bench, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", database)
    await store(bench, driven(DAY))

    async def run(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["hold", *words])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    span = (
        "--from",
        FROM.isoformat(),
        "--to",
        UNTIL.isoformat(),
        "--reason",
        "accident 33040",
        "--by",
        "zhou",
    )
    code, said = await run("add", "--vehicle", "T1", *span, "--json")
    added = json.loads(said)
    assert (code, added["fixes"]) == (0, 60)
    hold = str(added["hold"])
    assert (await run("verify")) == (0, f"hold {hold}: as it was sealed\n")
    assert "60 fixes in 1 seals  accident 33040 (zhou)" in (await run("list"))[1]
    assert (await run("release", hold, "--reason", "settled"))[0] == 0
    for words, wrong in (
        (("release", hold, "--reason", "again"), "there is no hold"),
        (("verify", "9999"), "there is no hold 9999: see `kerbsafe hold list`"),
        (("add", "--vehicle", "nobody", *span), "no vehicle 'nobody' in the registry"),
    ):
        code, said = await run(*words)
        assert code == 2
        assert wrong in said
    with pytest.raises(ArchiveError, match="a reason"):
        await holds.hold(bench.connection, "T1", UNTIL, FROM, "x", "zhou")

"""Old days leave the database for files, row by row the same, and are read there as before."""

from __future__ import annotations

import asyncio
import json
import resource
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

from fleet import tracks
from fleet.archive import days
from fleet.archive.days import archive_day, restore_day, verify_day
from fleet.archive.layout import ArchiveError, ColdStoreError, NotKeptError, begin_of, begin_us, folder
from fleet.archive.policy import Policy
from fleet.archive.stores import Folder
from fleet.columns import Fixes
from fleet.db import connect
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe.cli import main
from tests.integration.fleet.archive_days import (
    MIDNIGHTS_AWAY,
    count,
    days_ago,
    driven,
    night,
    of_vehicle,
    same,
    span,
    store,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench

DAY = days_ago(60)


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    path = tmp_path / "cold"
    path.mkdir()
    monkeypatch.setenv("KERBSAFE_ARCHIVE", str(path))
    return Folder(path)


async def test_an_old_day_is_archived_one_night_and_dropped_the_next(bench: Bench, cold: Folder) -> None:
    fixes, young = driven(DAY), driven(days_ago(44))
    await store(bench, Fixes.concat([fixes, young]))
    first = await night(bench, cold)
    assert (first.archived, first.fixes, first.dropped) == ([DAY], 200, [])
    assert await count(bench, DAY) == 200

    second = await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert (second.archived, second.dropped) == ([], [DAY])
    assert (await count(bench, DAY), await count(bench, days_ago(44))) == (0, 200)
    assert same(await tracks.read_spans(bench.connection, [span(DAY), span(DAY, 2)]), fixes)

    assert await night(bench, cold, later=MIDNIGHTS_AWAY) == type(second)()
    assert await verify_day(bench.connection, cold, DAY) == []
    (part,) = (cold.path / folder(DAY)).glob("*.parquet")
    assert part.stat().st_size / 200 < 40  # most of it is the list of columns at its end


async def test_what_is_in_both_is_read_once(bench: Bench, cold: Folder) -> None:
    fixes = driven(DAY)
    await store(bench, fixes)
    await night(bench, cold)
    one, connection = of_vehicle(fixes), bench.connection
    assert same(await tracks.read_spans(connection, [span(DAY)]), one)
    assert await tracks.count_span(connection, span(DAY)) == 100
    await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert await tracks.count_span(connection, span(DAY)) == 100
    assert same(await tracks.read_page(connection, span(DAY), 7), one.take(slice(0, 7)))
    later = span(DAY)._replace(from_us=int(one.time_us[90]))
    assert same(await tracks.read_page(connection, later, 40_000), one.take(slice(90, None)))
    assert len(await tracks.read_spans(connection, [span(DAY), span(DAY, 2)], most=3)) == 6


async def test_a_day_comes_back_and_leaves_again(bench: Bench, cold: Folder) -> None:
    fixes = driven(DAY)
    await store(bench, fixes)
    await night(bench, cold)
    await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert await restore_day(bench.connection, cold, DAY) == 200
    assert await restore_day(bench.connection, cold, DAY) == 0
    assert await count(bench, DAY) == 200
    assert same(await tracks.read_spans(bench.connection, [span(DAY)]), of_vehicle(fixes))
    assert (await night(bench, cold)).dropped == [DAY]
    assert await tracks.count_span(bench.connection, span(DAY)) == 100


async def test_what_comes_after_a_day_was_archived_is_a_file_more(bench: Bench, cold: Folder) -> None:
    fixes = driven(DAY)
    early, late = fixes.take(slice(0, 150)), fixes.take(slice(150, None))
    await store(bench, early)
    await night(bench, cold)
    await store(bench, late)
    grown = await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert (grown.archived, grown.dropped) == ([DAY], [])
    assert (await night(bench, cold)).dropped == [DAY]
    assert [p.fixes for p in (await days.recorded(bench.connection, DAY)).parts] in ([50, 150], [150, 50])
    assert same(await tracks.read_spans(bench.connection, [span(DAY), span(DAY, 2)]), fixes)


async def test_a_day_without_data_is_noted_and_is_not_said_to_be_deleted(bench: Bench, cold: Folder) -> None:
    await store(bench, driven(days_ago(61)))
    await bench.connection.execute("select make_days('fix', $1, $1)", DAY)
    assert (await night(bench, cold)).archived == [days_ago(61), DAY]
    assert (await night(bench, cold, later=MIDNIGHTS_AWAY)).dropped == [days_ago(61), DAY]
    assert await tracks.count_span(bench.connection, span(DAY)) == 0
    assert (json.loads((cold.path / folder(DAY) / "manifest.json").read_text("utf-8")))["parts"] == []


@pytest.mark.parametrize("how", ["set elsewhere", "not mounted", "file gone", "file cut"])
async def test_what_cannot_be_read_is_never_empty(
    bench: Bench, cold: Folder, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(bench, driven(DAY))
    await night(bench, cold)
    await night(bench, cold, later=MIDNIGHTS_AWAY)
    (part,) = (cold.path / folder(DAY)).glob("*.parquet")
    if how == "set elsewhere":
        monkeypatch.delenv("KERBSAFE_ARCHIVE")
    elif how == "not mounted":
        cold.path.rename(cold.path.with_name("away"))
    elif how == "file gone":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[:-100])
    expected = (
        (ArchiveError, "altered or is damaged: .* bytes instead of")
        if how == "file cut"
        else (ColdStoreError, "could not be read")
    )
    for read in (
        tracks.read_page(bench.connection, span(DAY), 10),
        tracks.count_span(bench.connection, span(DAY)),
    ):
        with pytest.raises(expected[0], match=expected[1]):
            await read


async def test_a_file_that_was_altered_by_hand_is_noticed(bench: Bench, cold: Folder) -> None:
    """The number that was altered is in a page, and a page has a checksum; its size is as before."""
    await store(bench, driven(DAY))
    await night(bench, cold)
    (part,) = (cold.path / folder(DAY)).glob("*.parquet")
    data = bytearray(part.read_bytes())
    data[len(data) // 4] ^= 1
    part.write_bytes(data)
    (fault,) = await verify_day(bench.connection, cold, DAY)
    assert fault.startswith(f"{folder(DAY)}/{part.name}: altered or damaged: its SHA-256 is")
    with pytest.raises(ArchiveError, match="altered"):
        await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert await count(bench, DAY) == 200


async def test_a_row_that_was_altered_in_the_database_is_not_dropped(bench: Bench, cold: Folder) -> None:
    await store(bench, driven(DAY))
    await night(bench, cold)
    await bench.connection.execute(
        "update fix set speed_dkmh = 0 where vehicle_id = 2 and time = $1",
        to_datetime(begin_us(DAY) + 14_460 * MICROSECONDS),
    )
    with pytest.raises(ArchiveError, match=f"disagree about vehicle 2 at {DAY}T04:01:00") as told:
        await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert "Nothing was dropped" in str(told.value)
    assert await count(bench, DAY) == 200


async def test_a_file_of_another_installation_is_left_alone(bench: Bench, cold: Folder) -> None:
    await store(bench, driven(DAY))
    await night(bench, cold)
    await bench.connection.execute("delete from archived_day")
    await bench.connection.execute("update fix set speed_dkmh = 1")
    with pytest.raises(ArchiveError, match="another installation's cold store"):
        await archive_day(bench.connection, cold, DAY)
    assert len(list((cold.path / folder(DAY)).iterdir())) == 2


async def test_days_older_than_tracks_are_kept_are_deleted_and_said_to_be(bench: Bench, cold: Folder) -> None:
    old = days_ago(200)
    await store(bench, Fixes.concat([driven(old), driven(days_ago(180))]))
    policy = Policy(database_days=45, track_days=183)
    await night(bench, cold, policy)
    await night(bench, cold, policy, later=MIDNIGHTS_AWAY)
    manifest = (cold.path / folder(old) / "manifest.json").read_bytes()
    assert (await night(bench, cold, policy)).forgotten == [old]
    cold.scratch(old).unlink(missing_ok=True)  # as if somebody had been killed before the last file went
    cold.put(f"{folder(old)}/manifest.json", manifest)
    assert (await night(bench, cold, policy)).forgotten == [old]
    assert cold.days() == [days_ago(180)]
    with pytest.raises(NotKeptError, match=rf"the tracks of {old} \(UTC\) are not kept any longer"):
        await tracks.read_page(bench.connection, span(old), 10)
    assert await tracks.count_span(bench.connection, span(days_ago(180))) == 100


async def test_a_clock_that_runs_ahead_ages_nothing(bench: Bench, cold: Folder) -> None:
    """The clock says that a year has gone by; what was received says that it has not."""
    await store(bench, driven(days_ago(44)))
    await bench.connection.execute("update batch set received_at = now() - interval '1 year'")
    assert (await night(bench, cold)).archived == []
    await bench.connection.execute("delete from batch")
    assert (await night(bench, cold)).archived == []


async def test_duckdb_reads_the_same_files(bench: Bench, cold: Folder) -> None:
    await store(bench, Fixes.concat([driven(DAY), driven(days_ago(61), vehicles=1)]))
    await night(bench, cold)
    found = duckdb.sql(
        f"""select "date"::text, vehicle_id, count(*), max(speed_dkmh) / 10, min(time)::text
            from read_parquet('{cold.path}/date=*/*.parquet', hive_partitioning = true)
            group by all order by all"""
    ).fetchall()
    assert [row[:4] for row in found] == [
        (str(days_ago(61)), 1, 100, 34.9),
        (str(DAY), 1, 100, 34.9),
        (str(DAY), 2, 100, 34.9),
    ]


async def test_a_day_that_somebody_reads_stays_until_the_next_run(
    bench: Bench, cold: Folder, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(days, "ATTEMPTS", 2)
    await store(bench, driven(DAY))
    await night(bench, cold)
    reader = await connect(database, application="test")
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        await reader.fetchval("select count(*) from fix")
        done = await night(bench, cold, later=MIDNIGHTS_AWAY)
        assert (done.dropped, done.left) == (
            [],
            [f"{DAY} is being read: it stays in the database until the next run"],
        )
        assert same(await tracks.read_spans(reader, [span(DAY)]), of_vehicle(driven(DAY)))
    assert (await night(bench, cold)).dropped == [DAY]
    assert same(await tracks.read_spans(reader, [span(DAY)]), of_vehicle(driven(DAY)))
    await reader.close()


async def test_groups_and_vehicles_are_found_in_a_larger_day(
    bench: Bench, cold: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.archive.parquet.GROUP", 64)
    fixes = driven(DAY, vehicles=7, fixes=90)
    fixes = replace(fixes, odometer_hm=np.where(fixes.vehicle_id == 3, -1, fixes.odometer_hm).astype("i4"))
    await store(bench, fixes)
    await night(bench, cold)
    await night(bench, cold, later=MIDNIGHTS_AWAY)
    for vehicle_id in (1, 3, 7):
        assert same(
            await tracks.read_spans(bench.connection, [span(DAY, vehicle_id)]), of_vehicle(fixes, vehicle_id)
        )
    assert await tracks.count_span(bench.connection, span(DAY, 8)) == 0
    nothing = span(DAY)._replace(from_us=begin_us(DAY + timedelta(days=1)) - 1)
    assert await tracks.count_span(bench.connection, nothing) == 0


async def test_settler_and_replay_judge_an_old_day(
    bench: Bench,
    cold: Folder,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """T1 drives at 80 km/h for half a minute where 60 are allowed, two months ago, and was not judged."""
    speeds = np.repeat([500, 800, 500], [20, 30, 20])
    fixes = Fixes.build(
        vehicle_id=1,
        time_us=begin_us(DAY) + (14_400 + np.arange(70)) * MICROSECONDS,
        lat_udeg=30_700_000 + np.cumsum(speeds) // 4,
        lon_udeg=120_700_000,
        speed_dkmh=speeds,
        course_deg=0,
    )
    await store(bench, fixes)
    for _ in range(2):
        await night(bench, cold, later=MIDNIGHTS_AWAY)
    assert await count(bench, DAY) == 0
    first, last = (to_datetime(int(us)) for us in fixes.time_us[[0, -1]])
    await bench.connection.execute(
        "insert into dirty (vehicle_id, time, until, marked_at) values (1, $1, $2, now())", first, last
    )
    await bench.drain()
    assert await bench.rows("select rule, peak, status, settled_as from episode") == [
        ("speeding", 80.0, "settled", "added")
    ]
    monkeypatch.setenv("KERBSAFE_DSN", database)
    begin, end = begin_of(DAY).isoformat(), begin_of(DAY + timedelta(days=1)).isoformat()
    assert await asyncio.to_thread(main, ["replay", "--from", begin, "--to", end, "--compare", "--json"]) == 0
    assert capsys.readouterr().out == ""


async def test_at_the_shell(
    bench: Bench,
    cold: Folder,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", database)
    await store(bench, driven(DAY))

    async def run(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["archive", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    code, out, err = await run("run", "--json")
    done = json.loads(out)
    assert (code, done["archived"], done["fixes"], err) == (
        0,
        [str(DAY)],
        200,
        f"{DAY}: 200 fixes in the cold store\n",
    )
    assert (await run("run"))[1].startswith("0 days archived (0 fixes, – bytes a fix), 0 dropped")
    code, out, _ = await run("list")
    assert (code, out.split()[:3], out.split()[-4:]) == (
        0,
        [str(DAY), "200", "fixes"],
        ["also", "in", "the", "database"],
    )
    assert await run("verify") == (0, "1 files checked, 0 faults\n", f"{DAY}: as it was written\n")
    (part,) = (cold.path / folder(DAY)).glob("*.parquet")
    part.unlink()
    code, out, err = await run("verify")
    assert (code, out) == (1, "1 files checked, 1 faults\n")
    assert "could not be read" in err
    code, out, err = await run("restore", str(days_ago(61)))
    assert (code, err) == (
        2,
        f"kerbsafe: the cold store has no fixes of {days_ago(61)}: see `kerbsafe archive list`\n",
    )
    monkeypatch.delenv("KERBSAFE_ARCHIVE")
    code, out, err = await run("run")
    assert (code, out) == (2, "")
    assert "Set KERBSAFE_ARCHIVE" in err


async def test_a_full_disk_leaves_everything_in_the_database(bench: Bench, cold: Folder) -> None:
    """A file may have a few bytes only: the kernel refuses the next as a full disk does."""
    await store(bench, driven(DAY))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(ArchiveError, match=r"cannot be written: .*Nothing was dropped"):
            await night(bench, cold)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((cold.path / folder(DAY)).iterdir()) == []
    assert await count(bench, DAY) == 200
    assert (await night(bench, cold)).archived == [DAY]

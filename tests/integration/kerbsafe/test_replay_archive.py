"""`kerbsafe replay --archive`: the cold store judged again as in one go; a killed worker is no matter."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import psutil
import pytest

from alerts.rulebook import documents
from fleet.archive.layout import begin_of, begin_us
from fleet.archive.stores import Folder
from fleet.columns import Fixes
from fleet.units import MICROSECONDS
from kerbsafe.cli import main
from kerbsafe.replay import replay_archive
from tests.integration.fleet.archive_days import MIDNIGHTS_AWAY, days_ago, night, store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench

FIRST, LAST = days_ago(61), days_ago(60)
SPAN = ("--from", begin_of(FIRST).isoformat(), "--to", begin_of(LAST + timedelta(days=1)).isoformat())
#: km/h, a second each: T1 and T2 speed for half a minute, where 60 are allowed.
SPEEDS = np.repeat([50, 80, 50], [20, 30, 20])


def drive(vehicle_id: int, start_us: int) -> Fixes:
    return Fixes.build(
        vehicle_id=vehicle_id,
        time_us=start_us + np.arange(len(SPEEDS)) * MICROSECONDS,
        lat_udeg=30_700_000 + np.cumsum(SPEEDS) * 5 // 2,
        lon_udeg=120_700_000,
        speed_dkmh=SPEEDS * 10,
        course_deg=0,
    )


@pytest.fixture
async def cold(bench: Bench, tmp_path: Path) -> Path:
    """Two days: T1 drives in the first and, as T2, over the midnight between them."""
    folder = tmp_path / "cold"
    folder.mkdir()
    midnight_us = begin_us(LAST)
    starts = (
        (1, midnight_us - 7_200 * MICROSECONDS),
        (1, midnight_us - 35 * MICROSECONDS),
        (2, midnight_us - 35 * MICROSECONDS),
    )
    await store(bench, Fixes.concat([drive(*start) for start in starts]))
    for _ in range(2):
        await night(bench, Folder(folder), later=MIDNIGHTS_AWAY)
    for vehicle_id, start_us in starts:
        await bench.connection.execute(
            "insert into segment (vehicle_id, started_at) values ($1, to_timestamp($2::float8 / 1e6))",
            vehicle_id,
            start_us,
        )
    return folder


async def test_pieces_are_judged_as_the_whole(
    cold: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days are two pieces; a drive over the midnight between them is in the one in which it began."""
    monkeypatch.setenv("KERBSAFE_DSN", database)
    since, until = (datetime.fromisoformat(text) for text in (SPAN[1], SPAN[3]))
    book = documents.default()
    wanted = replay_archive.Wanted(str(cold), since, until, book, None, None, None)
    work, context, vehicles = await replay_archive.pieces(wanted)
    found = [[e for e in replay_archive.judge(p, context)[0] if e.rule_name == "speeding"] for p in work]
    midnight_us = begin_us(LAST)
    assert [
        [(e.vehicle_id, (e.started_us - midnight_us) // MICROSECONDS, e.peak) for e in day] for day in found
    ] == [
        [(1, -7_180, 80.0), (1, -15, 80.0), (2, -15, 80.0)],
        [],
    ]
    assert vehicles == 2


@pytest.mark.long
async def test_a_killed_worker_changes_nothing(cold: Path, database: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        documents.DEFAULT_PATH.read_text("utf-8").replace("default-1", "b")
        + '\n[mode]\nharsh_braking = "off"\n',
        "utf-8",
    )
    out = tmp_path / "out"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kerbsafe", "replay", "--archive", str(cold), *SPAN),
        *("--rules", str(rules), "--out", str(out), "--json"),
        env=os.environ | {"KERBSAFE_DSN": database},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    assert (await process.stderr.readline()).startswith(b"judging 2 pieces on ")
    _workers(process.pid)[0].kill()
    said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    rows = [json.loads(line) for line in said.splitlines()]
    assert [row for row in rows if row["kind"] != "alert_budget"] == [
        {"kind": "episodes", "rule": "speeding", "mode": "live", "count": 3},
        {"kind": "right_turns", "count": 0, "evaluable": 0, "pieces": 2},
    ]
    midnight_us = begin_us(LAST)
    found = duckdb.sql(
        f"select vehicle_id, (started_us - {midnight_us}) / 1e6, peak from '{out}/episodes.parquet'"
    )
    assert found.fetchall() == [(1, -7_180.0, 80.0), (1, -15.0, 80.0), (2, -15.0, 80.0)]


def _workers(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


async def test_a_day_that_is_not_there_is_not_judged_as_empty(
    cold: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", database)
    later = ("--from", SPAN[1], "--to", (begin_of(LAST) + timedelta(days=3)).isoformat())
    assert await asyncio.to_thread(main, ["replay", "--archive", str(cold), *later]) == 2
    assert f"has no {days_ago(59)}, {days_ago(58)}: take --from and --to" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["replay", "--archive", str(cold), *SPAN, "--vehicle", "T1"]) == 2
    assert "vehicle does not go with --archive" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["replay", "--archive", str(cold)]) == 2

"""`kerbsafe archive run` killed at any instant: no fix is lost, and none is read twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet import tracks
from fleet.archive.stores import Folder
from fleet.columns import Fixes
from tests.integration.fleet.archive_days import count, days_ago, driven, same, span, store

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from tests.integration.bench import Bench

DAYS = [days_ago(ago) for ago in (61, 60)]
#: So many of the instants are tried, each behind another step.
MAX_KILLS = 16
#: Processes of the real command, which drop what was just archived and tell each step, before and after.
#: Forked, for Python takes seconds to begin; each line that comes in begins one.
_RUNS = """
import faulthandler, os, sys
from datetime import timedelta
from fleet.archive import days, keeping, objects, parquet, policy
from fleet.archive.stores import Folder
from kerbsafe.archive import archiving
from kerbsafe.cli import main

told_to = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a killed run was printing is half a line

def tell(line):
    os.write(told_to, line.encode() + b"\\n")  # whole or not at all

def telling(of, step):
    before = getattr(of, step)
    def told(*given):
        tell("step")
        done = before(*given)
        tell("step")
        return done
    setattr(of, step, told)

policy.SEEN_AFTER = timedelta(0)
for step in ("scratch", "keep", "put"):
    telling(Folder, step)
for of, step in ((days, "record"), (days, "_dropped"), (keeping, "drop_day")):
    telling(of, step)  # before it begins, and before it is awaited
for line in sys.stdin:
    if (child := os.fork()) == 0:
        tell(str(os.getpid()))
        faulthandler.dump_traceback_later(20, exit=True)  # a lock held in the fork is never released
        os._exit(main(["archive", "run", "--json"]))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    tell(f"ended {code}")
"""


@pytest.mark.parametrize("first", [1, 2, 4, 7])
async def test_killed_at_any_instant(bench: Bench, database: str, tmp_path: Path, first: int) -> None:
    """Killed behind one step after the other, or a moment later; in between all is read as it was driven."""
    fixes = Fixes.concat([driven(day, fixes=300) for day in DAYS])
    await store(bench, fixes)
    runs = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUNS),
        env=os.environ | {"KERBSAFE_DSN": database, "KERBSAFE_ARCHIVE": str(tmp_path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    chance, kills = random.Random(18), 0
    while await stored(bench) and kills < MAX_KILLS:
        kills += await killed(runs, first + kills, chance.choice((0.0, 0.0, 0.003, 0.01)))
        await read_as_driven(bench, tmp_path, fixes)
    assert kills > 1
    await killed(runs, 1_000, 0)
    runs.stdin.close()  # type: ignore[union-attr]
    await runs.wait()
    await read_as_driven(bench, tmp_path, fixes)
    assert await stored(bench) == 0
    names = sorted(name for day in DAYS for name in Folder(tmp_path).names(day))
    assert [name.rpartition(".")[2] for name in names] == ["parquet", "parquet", "json", "json"]


async def killed(runs: Process, steps: int, moment_s: float) -> bool:
    """Begin a run, and kill it a moment after so many of its steps; return whether it was still at work."""
    assert runs.stdin is not None
    runs.stdin.write(b"go\n")
    child, line = 0, b""
    while steps and not line.startswith(b"ended"):
        line = await said(runs)
        steps -= line == b"step\n"
        child = int(line) if line.strip().isdigit() else child
    if not line.startswith(b"ended"):
        await asyncio.sleep(moment_s)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    while not line.startswith(b"ended"):
        line = await said(runs)
    return int(line.split()[1]) == -signal.SIGKILL


async def said(runs: Process) -> bytes:
    assert runs.stdout is not None
    line = await runs.stdout.readline()
    assert line, "ended, which no run should make it do"
    return line


async def stored(bench: Bench) -> int:
    return sum([await count(bench, day) for day in DAYS])


async def read_as_driven(bench: Bench, cold: Path, fixes: Fixes) -> None:
    os.environ["KERBSAFE_ARCHIVE"] = str(cold)
    try:
        spans = [span(day, vehicle_id) for vehicle_id in (1, 2) for day in DAYS]
        found = await tracks.read_spans(bench.connection, spans)
    finally:
        del os.environ["KERBSAFE_ARCHIVE"]
    order = np.lexsort((fixes.time_us, fixes.vehicle_id))
    assert same(found, fixes.take(order))

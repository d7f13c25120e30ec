"""Faults of real processes under load: nothing is lost, stored twice, or judged otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet.units import to_datetime
from kerbsafe.soak import verdict
from kerbsafe.soak.faults import FAULTS
from kerbsafe.soak.storm import Report, Request, weather

if TYPE_CHECKING:
    from pathlib import Path

    from kerbsafe.soak.city import City
    from kerbsafe.soak.course import Course

#: The others take long: somebody must notice a silence, or the broker must have told what it dropped.
LONG = (
    "full queue",
    "ghost of ingest",
    "ghost of worker",
    "silent devices",
    "silent broker",
    "silent database",
)
SHORT = tuple(name for name in FAULTS if name not in {*LONG, "slow database", "full disk"})
#: A fix of a truck ($1) and time ($2) is lost; a fix is changed, an episode has another peak.
LOSING = "delete from fix using vehicle where vehicle.vehicle_id = fix.vehicle_id and code = $1 and time = $2"
SPOILING = """
update fix set altitude_m = altitude_m + 1
from (select vehicle_id, time from fix order by 1, 2 limit 1) as one
where fix.vehicle_id = one.vehicle_id and fix.time = one.time;
update episode set peak = peak + 1
where episode_id = (select episode_id from episode where rule = 'speeding' and status = 'settled' limit 1)
"""
SPOILED = ("missing", "altered", "doubles", "judgements_missing", "judgements_wrong")


async def storm(request: Request, folder: Path, inspect: object = None) -> Report:
    return await weather(request, print, inspect=inspect, logs=folder)


def check(report: Report, faults: tuple[str, ...]) -> None:
    assert report.stuck == ""
    assert report.verdict is not None
    assert report.verdict.faults == {}
    assert report.unnamed == {}
    assert set(report.struck) | set(report.skipped) == set(faults)
    # A storm without anything to lose would prove nothing.
    assert report.verdict.episodes > 5
    assert report.verdict.turns > 5
    assert report.verdict.duplicates > 0
    assert report.verdict.conflicts > 0
    assert report.verdict.rejected > 0
    if {"forgotten session", "full queue"} & set(report.struck):
        assert report.verdict.gaps > 0


@pytest.mark.timeout(600)  # a minute on a machine that has nothing else to do
async def test_every_process_killed_once_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one short storm; then the verdict itself is put to the test."""
    seen: dict[str, int] = {}

    async def spoil(there: City, driven: Course) -> None:
        async with there.connect() as connection:
            await connection.execute(SPOILING)
            code = driven.codes[int(driven.fixes.vehicle_id[-1])]
            await connection.execute(LOSING, code, to_datetime(int(driven.fixes.time_us[-1])))
            # A gap that excuses the loss is no matter here; a short storm may lie in one as a whole.
            monkeypatch.setattr(verdict, "is_told", lambda due_us, _: np.zeros(len(due_us), np.bool_))
            seen.update((await verdict.judge(connection, driven)).faults)

    request = Request(seconds=20, seed=7, trucks=200, uploading=20, pause_s=0.8, faults=SHORT)
    report = await storm(request, tmp_path, spoil)
    check(report, SHORT)
    assert report.restarts["ingest"] >= 2
    assert report.repeated > 0
    assert report.named["kill database"] >= 1
    assert report.named["forgotten session"] >= 1
    assert "Traceback" not in (tmp_path / "worker.log").read_text("utf-8")
    assert report.verdict is not None
    assert seen.keys() == set(SPOILED)
    if not report.verdict.lost_and_told:
        assert seen == dict.fromkeys(SPOILED, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_storm_of_two_minutes(tmp_path: Path, seed: int) -> None:
    check(await storm(Request(seconds=120, seed=seed, pause_s=3.0), tmp_path), tuple(FAULTS))


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
async def test_one_fault_again_and_again(tmp_path: Path, fault: str) -> None:
    request = Request(seconds=40, seed=11, trucks=300, pause_s=2.0, faults=(fault,))
    check(await storm(request, tmp_path), (fault,))

"""`kerbsafe days`, `facts` and `exposure --from` as a person runs them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from fleet.db import connect
from fleet.schedule import CIVIL_ZONE
from kerbsafe.cli import main
from tests.integration.days.test_killed import DRIVE, FIXES, SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.parametrize("templates", ["plain"], indirect=True)
#: Over and settled, whatever the time of day is; each of three trucks drove 10 km.
DAY = (datetime.now(CIVIL_ZONE) - timedelta(days=2)).date()
SPAN = ("--from", str(DAY), "--to", str(DAY))


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("KERBSAFE_DSN", database)

    async def drive() -> None:
        connection = await connect(database, application="test")
        begins = datetime.combine(DAY, datetime.min.time(), CIVIL_ZONE) + timedelta(hours=8)
        await connection.execute(DRIVE, begins, 3)
        await connection.execute(FIXES, begins, 201, 5, 50)
        await connection.execute(SEGMENTS, begins)
        await connection.close()

    asyncio.run(drive())

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def told(run: Run, *words: str) -> tuple[int, Any]:
    code, out, _ = run(*words, "--json")
    return code, json.loads(out)


def test_a_day_is_closed_listed_and_summed(run: Run, tmp_path: Path) -> None:
    assert told(run, "days", "list", *SPAN)[1]["days"] == [
        {"day": str(DAY), "state": "due", "closed": 0, "due": 3, "waits": {}}
    ]
    code, done = told(run, "days", "close", str(DAY))
    assert (code, done["closed"], done["fixes"], done["waiting"], done["failed"]) == (0, 3, 603, 0, 0)
    assert told(run, "days", "close", str(DAY))[1]["closed"] == 0
    assert told(run, "days", "close", str(DAY), "--again")[1]["unchanged"] == 3
    assert told(run, "days", "list", *SPAN)[1]["days"][0]["state"] == "closed"
    code, driven = told(run, "exposure", *SPAN, "--by", "company")
    (row,) = driven["rows"]
    assert (code, row["scope"], row["vehicle_days"], row["complete"]) == (0, "company:acme", 3, True)
    assert row["km"] == pytest.approx(30.0, rel=0.002)
    book = tmp_path / "driven.xlsx"
    assert run("exposure", *SPAN, "--by", "vehicle", "--xlsx", str(book))[0] == 0
    sheet = openpyxl.load_workbook(book).active
    assert [cell.value for cell in sheet["A"]] == ["scope", "vehicle:T1", "vehicle:T2", "vehicle:T3"]
    assert run("exposure", *SPAN, "--csv")[1].startswith("scope,")


def test_what_is_not_closed_is_said(run: Run) -> None:
    code, _, err = run("exposure", *SPAN)
    assert (code, "3 vehicle-days of 3 vehicles are not closed" in err) == (1, True)
    tomorrow = str(datetime.now(CIVIL_ZONE).date() + timedelta(days=2))
    assert "has not begun" in run("days", "close", tomorrow)[2]
    assert "is after --to" in run("days", "backfill", "--from", str(DAY), "--to", "2020-01-01")[2]
    assert "which drives?" in run("exposure")[2]
    assert "both --from and --to" in run("exposure", "--from", str(DAY))[2]


def test_declared_figures_are_recorded_and_wrong_rows_left_out(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "declared.csv"
    rows = (
        "范围,月份,指标,数值,来源",
        "全市,2026-03,混凝土产量,15.5万方,散装办",
        "企业:nobody,2026-03,备案车辆,3,",
    )
    file.write_text("\n".join(rows), "utf-8")
    march = ("--from", "2026-03-01", "--to", "2026-03-31")
    code, _, err = run("facts", "import", str(file), "--by", "li.na")
    assert (code, "the registry has no company of this code" in err) == (1, True)
    assert told(run, "facts", "import", str(file), "--by", "li.na")[1]["unchanged"] == 1
    _, known = told(run, "facts", "list", *march)
    (fact,) = known["facts"]
    assert (fact["measure"], fact["value"], fact["source"]) == ("volume_m3", 155_000.0, "declared")
    assert told(run, "facts", "list", *march, "--as-of", "2026-03-01T00:00:00Z")[1] == {"facts": []}
    assert "there is no measure" in run("facts", "list", *march, "--measure", "miles")[2]

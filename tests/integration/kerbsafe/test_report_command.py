"""`kerbsafe report make` as a person runs it, on a real database."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from analytics.facts.measures import Measure
from analytics.facts.restating import Said
from analytics.facts.store import Teller, declare
from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

pytest.importorskip("typst", reason="the report extra is not installed")

ACCIDENTS = "事故编号,发生时间,区县,伤害程度,车牌号,责任\n"
ACCIDENTS += "".join(
    f"JX-{month},2016-{month:02d}-12 08:30,港区,轻伤,浙F12345,主要\n" for month in range(1, 5)
)


async def declare_volumes(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        volumes = [
            Said(scope, date(2016, month, 1), Measure.VOLUME_M3, value)
            for month in range(1, 5)
            for scope, value in (("city", 1_400_000.0), ("county:02", 200_000.0))
        ]
        await declare(connection, volumes, Teller("li", "letter of May 2016"), datetime.now(UTC))
    finally:
        await connection.close()


@pytest.fixture
def run(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `kerbsafe report make` in a city whose ledger and volumes of January to April 2016 are recorded."""
    monkeypatch.setenv("KERBSAFE_DSN", database)
    files = {
        "company.csv": "code,name\nHD,海盐混凝土有限公司\n",
        "vehicle.csv": "code,company,kind,plate\nHD-M-001,HD,mixer,浙F12345\n",
        "accidents.csv": ACCIDENTS,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    for words in (
        ["registry", "import", str(tmp_path / "company.csv")],
        ["registry", "import", str(tmp_path / "vehicle.csv")],
        ["accidents", "import", str(tmp_path / "accidents.csv"), "--reporter", "police"],
    ):
        assert main(words) == 0
    asyncio.run(declare_volumes(database))
    capsys.readouterr()

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["report", "make", *argv])
        said = capsys.readouterr()
        return code, said.out, said.err.replace(f"{tmp_path}/", "")

    return run


def test_a_report_is_made_again_byte_for_byte(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--month", "2016-04", "--out", str(tmp_path / "one"), "--json")
    assert (code, err) == (0, "")
    manifest: dict[str, Any] = json.loads(out)
    assert (manifest["report"], manifest["baseline"], manifest["simulated"]) == (
        "2016-04-correction",
        None,
        False,
    )
    again = ("--as-of", manifest["as_of"].replace("Z", "+00:00"), "--out", str(tmp_path / "two"))
    assert run("--month", "2016-04", *again)[0] == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted([*manifest["files"], "manifest.json"])
    differ = [
        name
        for name in names
        if (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()
    ]
    assert differ == []


def test_a_county_is_reported_by_its_code(run: Run, tmp_path: Path) -> None:
    words = ("--month", "2016-04", "--scope", "county:02", "--language", "zh", "--out", str(tmp_path / "out"))
    assert run(*words)[0] == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["number"].startswith("2016-04-county-02-correction-20")
    assert not (tmp_path / "out" / "report.en.pdf").exists()


def test_what_is_no_whole_report_is_refused_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "out"))
    today = datetime.now(UTC).date()
    for words, said in (
        (("--month", f"{today:%Y-%m}"), "is not closed as of"),
        (("--month", "2016-05"), "2016-05 is not closed as of"),
        (("--month", "2016-04", "--as-of", "2016-06-01"), "no fact of city is recorded for it"),
        (("--month", "2016-04", "--as-of", f"{today + timedelta(days=2)}"), "lies in the future"),
    ):
        code, shown, err = run(*words, *out)
        assert (code, shown) == (2, "")
        assert said in err
    assert not (tmp_path / "out").exists()


def test_a_directory_with_anything_else_in_it_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.sig").write_bytes(b"signed")
    code, _out, err = run("--month", "2016-04", "--language", "zh", "--out", str(tmp_path / "out"))
    assert (code, err) == (
        2,
        "kerbsafe: out holds other files (manifest.sig): give --out a new or empty directory\n",
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["manifest.sig"]

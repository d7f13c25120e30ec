"""`kerbsafe exposure TRACK…`: what is printed of drives in files, for programs and for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

#: A kilometre to the east at 36 km/h, every second: 10 m are 104.38 micro-degrees there.
KILOMETRE = "t_s,lat,lon\n" + "".join(f"{s},30.7,{120.75 + s * 104.38e-6:.6f}\n" for s in range(101))


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    path = tmp_path / "drive.csv"
    path.write_text(KILOMETRE)
    return path


def test_json_is_one_object_a_line_and_nothing_else(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = drive.with_name("other.csv")
    other.write_text("".join(KILOMETRE.splitlines(keepends=True)[:52]))
    assert main(["exposure", str(drive), str(other), "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    promised = {name: first[name] for name in ("track", "moving_s", "right_turns", "evaluable_share")}
    assert promised == {"track": "drive", "moving_s": 100.0, "right_turns": 0, "evaluable_share": 1.0}
    assert first["km"] == pytest.approx(1.0, abs=0.001)
    assert (second["track"], second["moving_s"]) == ("other", 50.0)


def test_people_get_a_table(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exposure", str(drive)]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["track", "km", "moving", "turns", "evaluable", "silent", "unseen", "km"]
    assert row.split() == ["drive", "1.000", "0:01:40", "0", "100.0%", "0:00:00", "0.000"]


def test_what_cannot_be_read_is_named_left_out_and_counted(
    drive: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    bad = drive.with_name("bad.csv")
    bad.write_text("no,drive\n1,2\n")
    missing = drive.with_name("missing.gpx")
    assert main(["exposure", str(bad), str(drive), str(missing), "--json"]) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["track"] for line in out.splitlines()] == ["drive"]
    assert str(bad) in err
    assert str(missing) in err
    assert err.splitlines()[-1] == "kerbsafe: 2 of 3 files left out: they cannot be read"


def test_of_a_single_fix_nothing_is_known(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive.write_text("t_s,lat,lon\n0,30.7,120.75\n")
    assert main(["exposure", str(drive), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert [row[name] for name in ("km", "moving_s", "right_turns", "evaluable_share")] == [None] * 4


def test_nothing_to_measure_is_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exposure", str(tmp_path / "missing.csv")]) == 2
    assert capsys.readouterr().out == ""

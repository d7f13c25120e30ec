"""`kerbsafe report sample` as a person runs it: signed, whole, marked as simulated, the same every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for out in (one, other):
        assert main(["report", "sample", "--seed", "5", "--months", "2", "--out", str(out)]) == 0
    assert contents(one) == contents(other)
    names = sorted(path.name for path in one.iterdir())
    assert names == ["2020-11-flash", "2020-12-final", "2020-12-flash", "extract-2020", "sample.pub"]
    for directory in names[:-1]:
        assert main(["report", "verify", str(one / directory), "--key", str(one / "sample.pub")]) == 0
        assert json.loads((one / directory / "manifest.json").read_bytes())["simulated"] is True
    assert len((one / "extract-2020" / "chain.jsonl").read_bytes().splitlines()) == 4
    capsys.readouterr()
    assert main(["report", "sample", "--out", str(one)]) == 2
    assert "is not empty: name a new directory" in capsys.readouterr().err


def test_the_simulated_city_has_five_years_to_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "sample", "--months", "61", "--out", str(tmp_path / "out")]) == 2
    assert "has 60 months to report" in capsys.readouterr().err

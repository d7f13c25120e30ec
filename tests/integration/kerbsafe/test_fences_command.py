"""`kerbsafe fences` as a person runs it: GeoJSON in, GeoJSON out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

SQUARE = [[120.0, 30.0], [120.01, 30.0], [120.01, 30.01], [120.0, 30.01], [120.0, 30.0]]
HOLE = [[120.002, 30.002], [120.008, 30.002], [120.005, 30.008], [120.002, 30.002]]
BOWTIE = [[121.0, 30.0], [121.01, 30.01], [121.01, 30.0], [121.0, 30.01], [121.0, 30.0]]
NOTHING = [[121.0, 30.0]] * 4


def feature(code: str, *rings: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"code": code, "kind": "forbidden", **properties},
        "geometry": {"type": "Polygon", "coordinates": list(rings or [SQUARE])},
    }


FENCES = [
    feature("ban", SQUARE, HOLE, name="古城"),
    feature("school", kind="speed_zone", limit_kmh=30, schedule="mon-fri 07:00-09:00; sat 22:00-06:00"),
    feature("works", kind="site", max_dwell_s=3600),
    {
        **feature("parts"),
        "geometry": {
            "type": "MultiPolygon",
            "coordinates": [[SQUARE, HOLE], [[[lon + 1, lat] for lon, lat in SQUARE]]],
        },
    },
]


@pytest.fixture
def run(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `kerbsafe fences ACTION`; features as the second argument are the contents of the file."""
    monkeypatch.setenv("KERBSAFE_DSN", database)
    file = tmp_path / "fences.geojson"

    def run(action: str, *argv: Any, **members: Any) -> tuple[int, str, str]:
        words = [action, *map(str, argv)]
        if action == "import":
            file.write_text(json.dumps({"type": "FeatureCollection", "features": argv[0]} | members), "utf-8")
            words[1] = str(file)
        code = main(["fences", *words])
        said = capsys.readouterr()
        return code, said.out, said.err.replace(f"{tmp_path}/", "")

    return run


def exported(run: Run, *argv: str) -> dict[str, Any]:
    code, out, err = run("export", *argv)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def test_what_is_exported_imports_as_it_was(run: Run) -> None:
    assert run("import", FENCES, "--datum", "wgs84") == (0, "imported: fences: 4 create\n", "")
    out = exported(run)
    assert [f["properties"]["code"] for f in out["features"]] == ["ban", "school", "works", "parts"]
    assert [f["geometry"] for f in out["features"]] == [f["geometry"] for f in FENCES]
    assert run("import", out["features"], datum=out["datum"])[1] == "imported: fences: 4 unchanged\n"
    assert exported(run) == out


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_another_datum_goes_in_and_out(run: Run, datum: str) -> None:
    """Inside is WGS 84. The way back is exact to a few centimetres; in WGS 84 it is exact."""
    assert run("import", FENCES[:1], "--datum", datum)[0] == 0
    back = np.array(exported(run, "--datum", datum)["features"][0]["geometry"]["coordinates"][0])
    assert np.abs(back - np.array(SQUARE)).max() < 1e-6
    inside = exported(run)
    moved = np.array(inside["features"][0]["geometry"]["coordinates"][0]) - np.array(SQUARE)
    assert np.abs(moved).max() > 1e-3
    assert run("import", inside["features"], datum="wgs84")[1] == "imported: fences: 1 unchanged\n"


def test_a_datum_is_never_guessed(run: Run) -> None:
    code, _, err = run("import", FENCES)
    assert code == 2
    assert "source_datum" in err


def test_a_change_counts_from_a_time_on(run: Run) -> None:
    """Both versions are there, each at its time; the one of now says until when."""
    run("import", FENCES[:1], "--datum", "wgs84", "--valid-from", "2026-01-01")
    wider = feature("ban", [[lon * 1.0001, lat] for lon, lat in SQUARE])
    code, out, _ = run("import", [wider], "--datum", "wgs84", "--valid-from", "2040-02-01", "--json")
    (row,) = json.loads(out)["rows"]
    assert (code, row["fate"], row["valid_from"]) == (0, "update", "2040-01-31T16:00:00Z")
    (before,) = exported(run, "--at", "2040-01-31T15:59:59+00:00")["features"]
    (after,) = exported(run, "--at", "2040-01-31T16:00:00+00:00")["features"]
    assert before["in_force"] == {
        "from": "2025-12-31T16:00:00+00:00",
        "until": "2040-01-31T16:00:00+00:00",
    }
    assert after["in_force"] == {"from": "2040-01-31T16:00:00+00:00", "until": None}
    assert after["geometry"] == wider["geometry"]
    assert exported(run, "--at", "2025-12-31T00:00:00+00:00")["features"] == []


def test_everything_wrong_is_told_at_once_with_its_place(run: Run) -> None:
    spans = [[-179.9, 0.0], [179.9, 0.0], [179.9, 1.0], [-179.9, 0.0]]
    swapped = [[30.0, 120.0], [30.0, 120.1], [30.1, 120.1], [30.0, 120.0]]
    wrong = [
        feature("bow", BOWTIE),
        feature("dot", NOTHING),
        feature("open", SQUARE[:-1]),
        feature("date-line", spans),
        feature("swapped", swapped),
        feature("good"),
        {**feature("point"), "geometry": {"type": "Point", "coordinates": [120, 30]}},
    ]
    code, out, err = run("import", wrong, "--datum", "wgs84", "--all-or-nothing")
    assert (code, out) == (2, "")
    assert exported(run)["features"] == []
    code, out, err = run("import", wrong, "--datum", "wgs84")
    assert (code, out) == (1, "imported: fences: 1 create, 6 error\n")
    lines = err.splitlines()
    assert lines[0] == (
        "fences row 1 geometry 'bow': is not valid: self-intersection at [121.005, 30.005]; mend it there, "
        "or import with `--repair`"
    )
    assert [line.split(":")[0] for line in lines] == [
        *(f"fences row {n} geometry '{code}'" for n, code in enumerate(["bow", "dot", "open"], 1)),
        "fences row 4 geometry 'date-line'",
        "fences row 5 geometry 'swapped'",
        "fences row 7 geometry 'point'",
        "kerbsafe",
    ]
    assert "[121, 30]" in lines[1]
    assert "it begins at [120.0, 30.0]" in lines[2]
    assert "antimeridian" in lines[3]
    assert "positions are [longitude, latitude]" in lines[4]
    assert [one["properties"]["code"] for one in exported(run)["features"]] == ["good"]


def test_what_can_be_mended_is_mended_and_told(run: Run) -> None:
    """The bow tie's halves count against each other as drawn; mended, both count."""
    code, out, err = run(
        "import", [feature("bow", BOWTIE), feature("open", SQUARE[:-1])], "--datum", "wgs84", "--repair"
    )
    assert (code, out) == (0, "imported: fences: 2 create\n")
    mended_bow, mended_open = err.splitlines()
    assert mended_bow == (
        "fences row 1 bow: self-intersection at [121.005, 30.005]; mended, area 0 m² -> 535,365 m²"
    )
    assert mended_open == (
        "fences row 2 open: the ring that begins at [120.0, 30.0] was not closed; mended, "
        "area 1,070,730 m² -> 1,070,730 m²"
    )
    bow, closed = exported(run)["features"]
    assert (bow["geometry"]["type"], len(bow["geometry"]["coordinates"])) == ("MultiPolygon", 2)
    assert closed["geometry"] == feature("open")["geometry"]


def test_of_what_has_no_area_nothing_can_be_mended(run: Run) -> None:
    code, _, err = run("import", [feature("dot", NOTHING)], "--datum", "wgs84", "--repair")
    assert code == 2
    assert "nothing is left of it when mended" in err


def test_a_dry_run_changes_nothing(run: Run) -> None:
    code, out, _ = run("import", FENCES[:1], "--datum", "wgs84", "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, "would be imported: fences: 1 create")
    assert exported(run)["features"] == []


def test_what_is_no_fence_is_not_imported_here(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "companies.json"
    file.write_text('{"companies": [{"code": "JX-1"}]}', "utf-8")
    assert main(["fences", "import", str(file)]) == 2
    assert run("export")[0] == 0

"""Fences for replay, out of a file as a city gives it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fleet.errors import KerbsafeError
from fleet.units import to_us
from kerbsafe import cli
from kerbsafe.replay.fence_file import Files, Known, read_fences, read_known

if TYPE_CHECKING:
    from pathlib import Path

RING = [[120.0, 30.0], [120.1, 30.0], [120.1, 30.1], [120.0, 30.1], [120.0, 30.0]]
BOWTIE = [[120.0, 30.0], [120.1, 30.1], [120.1, 30.0], [120.0, 30.1], [120.0, 30.0]]


def feature(code: str, ring: Any = RING, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"code": code, "kind": "forbidden", **properties},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def written(folder: Path, *features: dict[str, Any], **members: Any) -> Path:
    path = folder / "fences.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)} | members), "utf-8")
    return path


def test_a_collection_is_read(tmp_path: Path) -> None:
    zone = feature("school", kind="speed_zone", limit_kmh=30, schedule="mon-fri 07:00-09:00")
    watch, _ = read_fences(written(tmp_path, feature("ban"), zone, datum="wgs84"), None)
    assert watch.fences.codes == ["ban", "school"]
    assert watch.fences.limit_kmh.tolist() == [-1, 30]
    assert watch.fences.schedules.some.tolist() == [False, True]


def test_another_datum_is_converted(tmp_path: Path) -> None:
    """GCJ-02 lies some hundred metres off."""
    path = written(tmp_path, feature("ban"))
    west = [float(read_fences(path, datum)[0].fences.polygons[0].bounds[0]) for datum in ("wgs84", "gcj02")]
    assert 1_000 < abs(west[0] - west[1]) < 10_000


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([feature("ban")], "datum"),
        ([feature("ban", datum="wgs84", kind="volcano")], "kind"),
        ([feature("ban", BOWTIE, datum="wgs84")], r"self-intersection at \[120.05, 30.05\]"),
        ([feature("ban", datum="wgs84", kind="speed_zone")], "a speed_zone must have a limit"),
        (
            [feature("ban", datum="wgs84"), feature("ban", datum="wgs84", kind="site")],
            "row 2 code 'ban': is in row 1 too, with another kind",
        ),
        ([], "there is no fence in it"),
    ],
)
def test_every_fault_is_named(tmp_path: Path, features: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(KerbsafeError, match=message) as refused:
        read_fences(written(tmp_path, *features), None)
    assert "fences.geojson" in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"code,kind\n", b'{"vehicles": []}', b"[1]"])
def test_what_is_not_fences_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fences.geojson"
    path.write_bytes(content)
    with pytest.raises(KerbsafeError):
        read_fences(path, None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KerbsafeError, match=r"nothing\.geojson"):
        read_fences(tmp_path / "nothing.geojson", None)


def test_replay_judges_by_the_fences_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A truck that drives in, stays 20 s and leaves."""
    lon = [119.999 + n * 1e-4 for n in range(31)] + [120.0020 - n * 1e-4 for n in range(40)]
    rows = "\n".join(f"{at},30.05,{where:.6f},36" for at, where in enumerate(lon))
    drive = tmp_path / "drive.csv"
    drive.write_text(f"t_s,lat,lon,speed_kmh\n{rows}\n", "utf-8")
    fences = written(tmp_path, feature("ban"), datum="wgs84")
    assert cli.main(["replay", str(drive), "--fences", str(fences), "--json"]) == 0
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["kind"], row["fence"], row["started_s"], row["ended_s"]) == ("forbidden", "ban", 10, 52)
    assert cli.main(["replay", str(drive), "--fences", str(fences)]) == 0
    assert capsys.readouterr().out == "drive  forbidden ban  10–52 s  peak 42, limit 0 (fence)\n"
    assert cli.main(["replay", str(drive), "--fences", str(drive)]) == 2


CITY: dict[str, Any] = {
    "companies": [{"code": "co"}],
    "vehicles": [{"code": "m1", "company": "co", "kind": "mixer", "limit_kmh": 60}],
    "passes": [
        {"code": "p", "vehicle": "m1", "fence": "ban", "starts_at": "2000-01-01", "ends_at": "2099-01-01"}
    ],
}


def known(folder: Path, city: dict[str, Any], codes: list[str | None]) -> Known:
    registry = folder / "registry.json"
    registry.write_text(json.dumps(city), "utf-8")
    fences = written(folder, feature("ban"), datum="wgs84")
    return read_known(Files(registry, fences, None), codes, 70)


def test_a_registry_says_who_drives_and_who_has_a_pass(tmp_path: Path) -> None:
    """One vehicle in two files is two rows; who is not in the registry has the limit of the command."""
    facts, watch, _ = known(tmp_path, CITY, ["m1", "m2", None, "m1"])
    rows = np.arange(4, dtype=np.int32)
    _company, kind, limit_kmh = facts.at(rows, np.zeros(4, np.int64))
    assert (kind.tolist(), limit_kmh.tolist()) == ([1, 0, 0, 1], [60, 70, 70, 60])
    assert watch is not None
    found = watch.passes.find(rows, np.ones(4, np.int32), np.full(4, to_us(datetime(2020, 1, 1, tzinfo=UTC))))
    assert (found >= 0).tolist() == [True, False, False, True]


def test_a_pass_for_a_fence_that_no_file_has_is_left_out_and_named(tmp_path: Path) -> None:
    city = CITY | {"passes": [CITY["passes"][0] | {"fence": "bann"}]}
    _, watch, notes = known(tmp_path, city, ["m1"])
    assert watch is not None
    (told,) = (note.en for note in notes)
    assert told.startswith(
        "left out: passes row 1 fence 'bann': the registry and this file have no such code"
    )


def test_without_files_nothing_is_known() -> None:
    facts, watch, _ = read_known(Files(None, None, None), [None], -1)
    assert watch is None
    assert facts.at(np.zeros(1, np.int32), np.zeros(1, np.int64))[2].tolist() == [-1]


def test_foreign_properties_are_left_aside_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = tmp_path / "drive.csv"
    drive.write_text("t_s,lat,lon,speed_kmh\n0,30.05,120.05,36\n1,30.05,120.0501,36\n", "utf-8")
    fences = written(tmp_path, feature("ban", stroke="#555", landuse="industrial"), datum="wgs84")
    assert cli.main(["replay", str(drive), "--fences", str(fences)]) == 2
    assert "fences column 'stroke, landuse': not a column of fences" in capsys.readouterr().err
    assert cli.main(["replay", str(drive), "--fences", str(fences), "--ignore-unknown"]) == 0
    assert "fences: not kept, left aside: stroke, landuse\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"type": "Polygon", "coordinates": [RING]}, "this is a bare Polygon"),
        (feature("ban", datum="wgs84") | {"geometry": None}, "fences row 1 geometry 'ban': is missing"),
        (
            feature("ban", datum="wgs84") | {"crs": {"type": "name", "properties": {"name": "EPSG:3857"}}},
            "EPSG:3857",
        ),
        (feature("ban", datum="wgs84") | {"crs": {"type": "link"}}, "its `crs` says"),
        ({"type": "Topology", "objects": {}}, "this is TopoJSON; export it as GeoJSON"),
        ({"geometryType": "esriGeometryPolygon", "features": []}, "this is Esri JSON; export it as GeoJSON"),
        ({"type": "Fence"}, "`type` 'Fence' is not of GeoJSON"),
    ],
)
def test_what_is_not_geojson_in_degrees_is_refused(
    tmp_path: Path, document: dict[str, Any], message: str
) -> None:
    path = tmp_path / "fences.geojson"
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(KerbsafeError) as refused:
        read_fences(path, None)
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4490"])
def test_a_single_feature_and_names_of_wgs_84_are_accepted(tmp_path: Path, name: str) -> None:
    path = tmp_path / "fences.geojson"
    crs = {"type": "name", "properties": {"name": name}}
    path.write_text(json.dumps(feature("ban", datum="wgs84") | {"crs": crs}), "utf-8")
    watch, notes = read_fences(path, None)
    assert (watch.fences.codes, notes) == (["ban"], ())

"""Files in the manner of strangers: what is imported of each, or what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.fleet.registry_import.files import Outcome

if TYPE_CHECKING:
    from pathlib import Path

UNCHANGED = "companies 2 unchanged; "

REGISTRIES: list[tuple[str, str, str]] = [
    ("bools-and-errors.xlsx", UNCHANGED + "vehicles 1 error", "'#N/A': is an error of the spreadsheet"),
    ("cells-spaces-fullwidth.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("company-merged-down.xlsx", UNCHANGED + "vehicles 3 create", ""),
    ("company-name-instead-of-code.xlsx", UNCHANGED + "vehicles 1 create", ""),
    ("driver-phone-float-and-dash.xlsx", UNCHANGED + "drivers 4 create", ""),
    ("duplicate-vehicle.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("empty-rows-and-total.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("excel-formula-text.csv", "vehicles 1 create", ""),
    ("excel-tab-utf16.txt", "vehicles 1 create", ""),
    (
        "formula-not-calculated.xlsx",
        UNCHANGED.removesuffix("; "),
        "车辆 row 2 车辆代码 '#FORMULA?': is a formula that was never calculated",
    ),
    ("gbk.csv", "vehicles 1 create", ""),
    ("kind-words.xlsx", UNCHANGED + "vehicles 10 create, 2 error", "车辆 row 12 车牌号: is not possible"),
    ("leading-zero-lost.csv", "vehicles 2 create", ""),
    ("numeric-codes.xlsx", "companies 1 create; vehicles 2 create", ""),
    ("ok.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("quoted-newline.csv", "vehicles 1 error", "vehicles row 2 plate: must have no line breaks"),
    ("sheet-named-车辆信息表.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("sheet1-default-name.xlsx", "vehicles 2 create", ""),
    ("sheet1-plus-empty-sheets.xlsx", "vehicles 1 create", ""),
    ("title-row-merged.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("two-row-header.xlsx", UNCHANGED + "vehicles 2 create", ""),
    ("utf8-bom-semicolon.csv", "vehicles 1 create", ""),
]


@pytest.mark.parametrize(("name", "counts", "problem"), REGISTRIES, ids=[row[0] for row in REGISTRIES])
def test_a_registry_of_a_stranger(shared_data: Path, name: str, counts: str, problem: str) -> None:
    outcome = Outcome((shared_data / "data/strangers/registry" / name).read_bytes())
    assert outcome.counts == counts
    assert problem in "".join(outcome.problems[:1])
    assert bool(outcome.problems) == bool(problem)


FENCES: list[tuple[str, str]] = [
    ("3d", ""),
    ("bare-polygon", "this is a bare Polygon, without a code and a kind; wrap it in a FeatureCollection"),
    ("clockwise", ""),
    ("coordinates-as-text", "fences row 1 geometry 'A1': has coordinates in quotation marks"),
    ("crs-3857-in-degrees", "fences: its `crs` says 'urn:ogc:def:crs:EPSG::3857', not WGS 84"),
    ("crs-utm50n-metres", "fences: its `crs` says 'urn:ogc:def:crs:EPSG::32650', not WGS 84"),
    ("crs84", ""),
    ("datum-property-and-member", "fences row 1 datum: the file says gcj02, `--datum` says wgs84"),
    ("features-empty", "fences: there are no fences in it"),
    ("geometrycollection-one-polygon", "must be a Polygon or MultiPolygon with coordinates, not 'Geometry"),
    ("hole-same-orientation", ""),
    ("kind-in-chinese", ""),
    ("lat-first", "has a position off the globe, [30.75, 120.75]; positions are [longitude, latitude]"),
    ("lat-first-within-90", "lies near a pole, at [30.75, 80.75], and in China if latitude stands first"),
    ("multipolygon-overlapping-parts", "self-intersection at [120.76, 30.755]"),
    ("multipolygon-part-inside-part", "nested shells at [120.752, 30.752]"),
    ("multipolygon-touching-edge", "self-intersection at [120.76, 30.76]"),
    ("no-properties-member", "fences row 2 code: is missing"),
    ("not-closed", "has a ring that is not closed"),
    ("null-geometry", "fences row 2 geometry 'A2': is missing; draw it, or take the feature out"),
    ("numeric-code", ""),
    ("single-feature", ""),
    ("sliver-duplicate-vertex", ""),
    ("styled-by-editor", "column '@id, landuse, stroke, stroke-width, fill, fill-opacity': not a column"),
]


@pytest.mark.parametrize(("name", "problem"), FENCES, ids=[row[0] for row in FENCES])
def test_fences_of_a_stranger(shared_data: Path, name: str, problem: str) -> None:
    data = (shared_data / f"data/strangers/geojson/{name}.geojson").read_bytes()
    outcome = Outcome(data, datum="wgs84")
    assert problem in "".join(outcome.problems)
    assert len(outcome.problems) == bool(problem)
    assert problem or outcome.counts == "fences 1 create"


def test_styles_of_an_editor_are_left_aside_on_request(shared_data: Path) -> None:
    data = (shared_data / "data/strangers/geojson/styled-by-editor.geojson").read_bytes()
    outcome = Outcome(data, datum="wgs84", ignore_unknown=True)
    assert (outcome.counts, outcome.problems) == ("fences 1 create", [])
    assert outcome.notes == [
        "fences: not kept, left aside: @id, landuse, stroke, stroke-width, fill, fill-opacity"
    ]


def test_the_ledger_of_a_safety_manager(shared_data: Path) -> None:
    data = (shared_data / "data/strangers/manager/ledger_of_a_safety_manager.xlsx").read_bytes()
    asking = Outcome(data)
    assert asking.problems[-1].startswith("车辆台账 row 3 所属公司 '恒达建材': is no code, and no company")
    assert "`--company 恒达建材=CODE`" in asking.problems[-1]
    outcome = Outcome(data, company={"恒达建材": "HD"})
    assert outcome.problems == []
    assert outcome.counts == "companies 1 create; drivers 5 create; vehicles 6 create"
    assert "车辆台账 row 9 says the same as row 4 (ZJ-F23456): left out" in outcome.notes

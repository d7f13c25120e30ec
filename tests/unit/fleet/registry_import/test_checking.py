"""Tables to entries, with everything that is wrong at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fleet.kinds import VehicleKind
from fleet.registry_import.checking import check
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import read_registry
from fleet.registry_import.recognising import recognise

if TYPE_CHECKING:
    from fleet.registry_import.checking import Checked
    from fleet.registry_import.table import Table

CODE = "must be 1 to 64 of the characters A-Z a-z 0-9 _ - (a code is not the plate)"


def table(text: str) -> Table:
    (found,) = read_registry(text.encode()).tables
    return found


def checked(text: str, kind: Kind | None = None, **options: Any) -> Checked:
    found = table(text)
    return check(found, found.kind or kind or recognise(found), choices=Choices(**options))


def problems(text: str, kind: Kind | None = None, **options: Any) -> list[str]:
    return [str(problem) for problem in checked(text, kind, **options).problems]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("code,name", Kind.COMPANIES),
        ("企业代码,企业名称,区县", Kind.COMPANIES),
        ("code,company,kind", Kind.VEHICLES),
        ("车牌号,车辆代码,所属企业,车型,备注", Kind.VEHICLES),
        ("code,limit_kmh,plate", Kind.VEHICLES),
        ("code,limit_kmh", Kind.VEHICLES),
        ("login,vehicle", Kind.DEVICES),
        ("工号,姓名,企业代码,手机", Kind.DRIVERS),
        ("code,vehicle_code,fence_code,valid_from,valid_until", Kind.PASSES),
        ("code,company,kind,limit_kmh,plaet", Kind.VEHICLES),
    ],
)
def test_columns_tell_the_kind(header: str, kind: Kind) -> None:
    assert recognise(table(header)) is kind


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("code,company", "could be drivers or vehicles; say which with `--as"),
        ("colour,wheels", "no column is known; say which with `--as companies|drivers|"),
        ("", "no column is known"),
    ],
)
def test_what_columns_do_not_tell_must_be_said(header: str, message: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        recognise(table(header))
    assert message in str(refused.value)


def test_synonyms_and_blank_cells() -> None:
    (entry,) = checked("车辆代码,企业代码,车型,限速,车牌,序号\nM-1,JX-1,搅拌车,,浙F12345,1\n").entries
    assert (entry.kind, entry.row, entry.code) == (Kind.VEHICLES, 2, "M-1")
    assert entry.given == {"company": "JX-1", "kind": VehicleKind.MIXER, "plate": "浙F12345"}


def test_a_dash_clears_what_may_be_unknown() -> None:
    (entry,) = checked("code,limit_kmh,plate\nM-1,-,-\n").entries
    assert entry.given == {"limit_kmh": None, "plate": ""}
    assert problems("code,company,kind\nM-1,-,mixer\n") == [
        "vehicles row 2 company '-': cannot be cleared: code of the company that runs it"
    ]


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = (
        "code,company,kind,limit_kmh,plate\n"
        "M-1,JX-1,mixer,60,浙F00001\n"
        "M/2,JX-1,lorry,600,浙F00002\n"
        ",JX-1,mixer,,\n"
        "M-1,JX-1,pump,,\n"
        "M-4,嘉兴,mixer,,\n"
    )
    assert problems(text) == [
        f"vehicles row 3 code 'M/2': {CODE}",
        "vehicles row 3 kind 'lorry': must be one of mixer, bulk_cement, mortar, silo_carrier, pump, other",
        "vehicles row 3 limit_kmh '600': must be a whole number of km/h from 1 to 200",
        "vehicles row 4 code: is missing: code of the vehicle, unique in the installation, not the plate",
        (
            "vehicles row 6 company '嘉兴': is no code, and no company of the registry or this file is "
            "called so; write its code, or say it with `--company 嘉兴=CODE` (a company of that code is "
            "created if there is none)"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "code,company,kind,limmit\nM-1,JX-1,mixer,60\n",
            [
                (
                    "vehicles column 'limmit': not a column of vehicles; did you mean `limit`?, or leave "
                    "aside what is not known with `--ignore-unknown`"
                )
            ],
        ),
        (
            "code,company,kind,colour\nM-1,JX-1,mixer,red\n",
            [
                (
                    "vehicles column 'colour': not a column of vehicles; "
                    "vehicles have code, company, kind, limit_kmh, driver_on_duty, plate, or leave aside "
                    "what is not known with `--ignore-unknown`"
                )
            ],
        ),
        (
            "code,company,kind,限速,limit_kmh\nM-1,JX-1,mixer,60,60\n",
            ["vehicles column 'limit_kmh': another column means the same; keep one"],
        ),
        (
            "company,kind\nJX-1,mixer\n",
            [
                (
                    "vehicles column 'code': this column is missing "
                    "(also called vehicle, vehicle_code, 车辆代码, 车辆编号, 自编号)"
                )
            ],
        ),
    ],
)
def test_a_wrong_column_is_named_with_the_nearest(text: str, expected: Any) -> None:
    assert problems(text, Kind.VEHICLES) == expected


def test_personal_values_are_not_shown() -> None:
    found = problems(f"code,company,name,phone\nD-1,JX-1,{'王' * 201},{'1' * 201}\n")
    assert found == [
        "drivers row 2 name: must be at most 200 characters",
        "drivers row 2 phone: must be at most 200 characters",
    ]


def test_a_long_value_is_shortened() -> None:
    (found,) = problems(f"code,name\n{'x' * 100},n\n")
    assert f"'{'x' * 60}...'" in found


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[120.7, 30.7], [120.71, 30.7], [120.71, 30.71], [120.7, 30.71], [120.7, 30.7]]],
}


def features(*properties: dict) -> str:
    found = [{"type": "Feature", "properties": p, "geometry": SQUARE} for p in properties]
    return json.dumps({"type": "FeatureCollection", "features": found})


def test_a_fence_without_datum_is_refused() -> None:
    assert problems(features({"code": "F-1", "kind": "site"})) == [
        (
            "fences row 1 source_datum: is missing: wgs84, gcj02 or bd09, or `--datum` for the file: "
            "many Chinese files are not WGS 84"
        )
    ]


@pytest.mark.parametrize("option", [None, "wgs84"])
def test_the_datum_comes_from_the_file_or_the_option(option: str | None) -> None:
    own = {} if option else {"datum": "wgs84"}
    (entry,) = checked(features({"code": "F-1", "kind": "site", **own}), datum=option).entries
    assert entry.given["geometry"] == SQUARE
    assert entry.given["source_datum"] == "wgs84"
    assert entry.unread == frozenset()


def test_two_datums_that_differ_are_refused() -> None:
    assert problems(features({"code": "F-1", "kind": "site", "datum": "gcj02"}), datum="wgs84") == [
        "fences row 1 datum: the file says gcj02, `--datum` says wgs84; leave out the wrong one"
    ]


def test_a_shifted_fence_is_converted() -> None:
    """People's Square of Jiaxing is 0.0044 degrees further east on a Chinese map than on WGS 84."""
    (entry,) = checked(features({"code": "F-1", "kind": "site"}), datum="gcj02").entries
    lon, lat = entry.given["geometry"]["coordinates"][0][0]
    assert lon == pytest.approx(120.7 - 0.0044, abs=5e-4)
    assert lat == pytest.approx(30.7 + 0.0022, abs=5e-4)
    assert entry.given["source_datum"] == "gcj02"


def test_a_fence_without_geometry_is_refused() -> None:
    text = json.dumps({"fences": [{"code": "F-1", "kind": "site", "datum": "wgs84"}]})
    assert problems(text) == ["fences row 1 geometry 'F-1': is missing; draw it, or take the feature out"]


def test_every_column_has_one_name_in_its_kind() -> None:
    """No header can mean two columns."""
    for layout in LAYOUTS.values():
        names = [name for column in layout.columns for name in (column.name, *column.synonyms)]
        assert len(names) == len(set(names)), layout.kind
        assert all(layout.find(name) for name in names)

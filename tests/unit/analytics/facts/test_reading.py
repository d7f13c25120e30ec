"""Tables of declared production and filed vehicles, as offices keep them."""

from __future__ import annotations

from datetime import date

from analytics.facts.measures import Measure
from analytics.facts.reading import DECLARATIONS, Understood, understand
from fleet.registry_import.reading import read_tables

KNOWN = {"company": frozenset({"hongda"}), "county": frozenset({"haiyan"})}


def read(text: str) -> Understood:
    return understand(read_tables(text.encode(), DECLARATIONS), KNOWN)


def figures(found: Understood) -> list[tuple[str, date, str, float]]:
    return [(one.said.scope, one.said.month, one.said.measure, one.said.value) for one in found.declared]


def test_a_table_in_english() -> None:
    found = read('scope,month,measure,value,source\ncity,2026-03,volume_m3,"1,595.8",bureau\n')
    assert figures(found) == [("city", date(2026, 3, 1), Measure.VOLUME_M3, 1595.8)]
    assert [one.origin for one in found.declared] == ["bureau"]
    assert found.problems == ()


def test_a_table_as_an_office_keeps_it() -> None:
    found = read(
        "范围,月份,指标,数值,来源\n全市,2026年3月,混凝土产量,15.5万方,散装办\n企业:hongda,2026/3,备案车辆,120辆,散装办\n"
        "区县:haiyan,202603,水泥供应量,8000吨,散装办\n"
    )
    march = date(2026, 3, 1)
    assert found.problems == ()
    assert figures(found) == [
        ("city", march, Measure.VOLUME_M3, 155_000.0),
        ("company:hongda", march, Measure.VEHICLES_FILED, 120.0),
        ("county:haiyan", march, Measure.VOLUME_T, 8000.0),
    ]


def test_wrong_rows_are_left_out_and_named() -> None:
    found = read(
        "scope,month,measure,value\n"
        "city,2026-03,volume_m3,100\n"
        "town,2026-03,volume_m3,1\n"
        "city,March,volume_m3,1\n"
        "city,2026-04,km,1\n"
        "city,2026-05,volume_m3,-3\n"
        "company:nobody,2026-03,volume_m3,1\n"
        "city,2026-06,volume_m3,\n"
    )
    assert figures(found) == [("city", date(2026, 3, 1), Measure.VOLUME_M3, 100.0)]
    assert [problem.row for problem in found.problems] == [3, 4, 5, 6, 7, 8]


def test_two_rows_that_contradict_each_other_are_both_left_out() -> None:
    found = read("scope,month,measure,value\ncity,2026-03,volume_m3,1\ncity,2026-03,volume_m3,2\n")
    assert figures(found) == []
    assert [place for problem in found.problems for place in problem.places] == [("", 2), ("", 3)]


def test_a_missing_column_is_named() -> None:
    found = read("scope,month,value\ncity,2026-03,1\n")
    assert [(problem.row, problem.column) for problem in found.problems] == [(None, "measure")]

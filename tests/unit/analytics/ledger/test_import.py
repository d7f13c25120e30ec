"""A list of accidents: what each row comes to, what is left out, and that twice changes nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ledger.accident import Casualty, Injury, Range, Reporter, Responsibility, Role, toll
from analytics.ledger.columns import ACCIDENTS, COLUMNS, moment, people, yuan
from analytics.ledger.history import Reason, withdraw
from analytics.ledger.planning import Fate
from analytics.ledger.reading import understand
from fleet.registry_import.column import Need
from fleet.registry_import.problem import CellError, ImportRefusedError
from fleet.registry_import.reading import read_tables
from tests.unit.analytics.ledger.cases import FLEET, at, planned, read, writer

HEADER = "事故编号,发生时间,区县,地点,车牌号,死亡人数,重伤人数,轻伤人数,责任,行驶状态\n"
ONE = HEADER + "A1,2016-03-12 08:30,海盐县,东西大道,浙F12345,1,0,2,主要,06\n"


def test_one_row_one_accident() -> None:
    plan = planned(ONE)
    (fate,) = plan.fates
    assert (fate.row, fate.code, fate.fate, fate.reason) == (2, "A1", Fate.CREATE, Reason.NEW)
    facts = plan.versions["A1"].facts
    assert facts.occurred.at == at("2016-03-12 08:30")
    assert facts.occurred.is_exact
    assert toll(facts, 7) == (Range(1, 1), Range(0, 0), 2)
    (truck,) = facts.fleet
    assert (truck.vehicle, truck.plate, truck.company, truck.manoeuvre) == ("HD-M-001", "", "HD", "06")
    assert truck.responsibility is Responsibility.MAIN
    assert facts.police_handled


def test_twice_changes_nothing_and_a_correction_is_a_version() -> None:
    ledger = {"A1": [planned(ONE).versions["A1"]]}
    again = planned(ONE, ledger, by=writer("2016-04-01"))
    assert (again.fates[0].fate, again.versions) == (Fate.UNCHANGED, {})
    changed = planned(ONE.replace("主要", "次要"), ledger, by=writer("2016-04-01"))
    assert (changed.fates[0].fate, changed.fates[0].changes) == (Fate.UPDATE, ("vehicles",))
    assert changed.versions["A1"].reason is Reason.RESPONSIBILITY


def test_what_a_later_list_does_not_say_stays() -> None:
    ledger = {"A1": [planned(ONE).versions["A1"]]}
    short = planned("事故编号,财产损失(万元)\nA1,1.5\n", ledger, by=writer("2016-04-01"))
    facts = short.versions["A1"].facts
    assert facts == replace(ledger["A1"][0].facts, loss_yuan=15_000)


def test_a_death_after_day_seven_survives_the_next_list_of_the_police() -> None:
    counts = "事故编号,发生时间,车牌号,死亡人数,重伤人数,轻伤人数\nA1,2016-03-12,浙F12345,0,1,0\n"
    first = planned(counts).versions["A1"]
    dead = planned(
        "事故编号,伤害程度,死亡时间\nA1,重伤,2016-03-24\n", {"A1": [first]}, by=writer("2016-04-01")
    ).versions["A1"]
    assert dead.reason is Reason.DEATHS_WITHIN_30_DAYS
    again = planned(counts, {"A1": [first, dead]}, by=writer("2016-04-05"))
    assert again.fates[0].fate is Fate.UNCHANGED


PERSON = "事故编号,发生时间,车牌号,伤害程度,死亡时间\n"


@pytest.mark.parametrize(
    ("first", "later"),
    [
        # who died when is not undone by a list that does not say it
        (PERSON + "A1,2016-03-12,浙F12345,死亡,2016-03-14\n", PERSON + "A1,,,死亡,\n"),
        (PERSON + "A1,2016-03-12,浙F12345,重伤,2016-03-24\n", PERSON + "A1,,,重伤,\n"),
        (PERSON + "A1,2016-03-12,浙F12345,重伤,2016-06-24\n", PERSON + "A1,,,重伤,\n"),
    ],
)
def test_a_list_that_knows_less_changes_nothing(first: str, later: str) -> None:
    ledger = {"A1": [planned(first, by=writer("2016-07-01")).versions["A1"]]}
    assert planned(later, ledger, by=writer("2016-07-02")).fates[0].fate is Fate.UNCHANGED


def test_a_new_count_of_injured_keeps_a_later_death() -> None:
    said = PERSON + "A1,2016-03-12,浙F12345,重伤,2016-03-24\n"
    first = planned(said, by=writer("2016-07-01")).versions["A1"]
    counts = "事故编号,死亡人数,重伤人数,轻伤人数\nA1,0,2,0\n"
    facts = planned(counts, {"A1": [first]}, by=writer("2016-07-02")).versions["A1"].facts
    assert toll(facts, 7) == (Range(0, 0), Range(2, 2), 0)
    assert toll(facts, 30).dead == Range(1, 1)


def test_a_firm_does_not_make_a_count_of_the_police_unsure() -> None:
    ledger = {"A1": [planned(ONE).versions["A1"]]}
    firm = planned(ONE, ledger, by=writer("2016-04-01"), reporter=Reporter.COMPANY)
    assert firm.fates[0].fate is Fate.UNCHANGED


def test_the_police_make_a_count_of_a_firm_sure() -> None:
    ledger = {"A1": [planned(ONE, reporter=Reporter.COMPANY).versions["A1"]]}
    version = planned(ONE, ledger, by=writer("2016-04-01")).versions["A1"]
    assert version.reason is Reason.DEATHS_WITHIN_7_DAYS
    assert toll(version.facts, 7).dead == Range(1, 1)


def test_counts_of_two_lists_come_together() -> None:
    first = planned("事故编号,发生时间,车牌号,死亡人数\nA1,2016-03-12,浙F12345,1\n").versions["A1"]
    more = "事故编号,重伤人数,轻伤人数\nA1,2,0\n"
    second = planned(more, {"A1": [first]}, by=writer("2016-04-01")).versions["A1"]
    assert not first.facts.casualties_known
    assert toll(second.facts, 7) == (Range(1, 1), Range(2, 2), 0)
    assert second.facts.casualties_known


def test_a_truck_that_was_registered_since_is_the_same() -> None:
    text = "事故编号,发生时间,车牌号,车辆类型\nA1,2016-03-12,浙A99999,搅拌车\n"
    ledger = {"A1": [planned(text).versions["A1"]]}
    since = replace(
        FLEET,
        plates=FLEET.plates | {"浙A99999": "HD-M-009"},
        vehicles={**FLEET.vehicles, "HD-M-009": FLEET.vehicles["HD-M-001"]},
    )
    version = planned(text, ledger, by=writer("2016-04-01"), fleet=since).versions["A1"]
    (truck,) = version.facts.fleet
    assert (truck.vehicle, truck.plate, truck.company) == ("HD-M-009", "", "HD")


def test_a_list_with_a_merged_accident_changes_nothing() -> None:
    first = planned(ONE).versions["A1"]
    gone = withdraw([first], writer("2016-03-30"))
    again = planned(ONE, {"A1": [first, gone]}, by=writer("2016-04-01"))
    assert (again.fates[0].fate, again.problems) == (Fate.UNCHANGED, ())
    other = planned(ONE.replace("主要", "次要"), {"A1": [first, gone]}, by=writer("2016-04-01"))
    assert "was withdrawn" in str(other.problems[0])


def test_an_insurer_does_not_take_an_accident_from_the_police() -> None:
    ledger = {"A1": [planned(ONE).versions["A1"]]}
    claim = planned(
        "事故编号,报案号\nA1,PA-77\n", ledger, by=writer("2016-04-01"), reporter=Reporter.INSURER
    ).versions["A1"]
    assert (claim.facts.reporter, claim.facts.police_handled, claim.facts.claim_no) == (
        Reporter.INSURER,
        True,
        "PA-77",
    )


def test_a_firm_does_not_say_within_how_many_days() -> None:
    facts = planned(ONE, reporter=Reporter.COMPANY).versions["A1"].facts
    assert toll(facts, 7).dead == Range(0, 1)
    assert not facts.police_handled


PEOPLE = (
    "事故编号,发生时间,车牌号,伤害程度,交通方式,死亡时间\n"
    "A2,2016年3月12日8时30分,浙F12345,死亡,电动自行车,2016-03-14 10:00\n"
    "A2,,浙F22222,轻伤,电动自行车,\n"
)


def test_two_trucks_and_two_people_in_two_rows() -> None:
    facts = planned(PEOPLE).versions["A2"].facts
    assert facts.companies == ("HD", "TX")
    assert facts.casualties == (
        Casualty(Injury.DEAD, Role.EBIKE, moment("2016-03-14 10:00")),
        Casualty(Injury.LIGHT, Role.EBIKE),
    )
    assert facts.occurred.at == at("2016-03-12 08:30")


def test_the_order_of_rows_is_all_the_same() -> None:
    header, one, other = PEOPLE.splitlines()
    swapped = planned(f"{header}\n{other}\n{one}\n")
    assert swapped.versions["A2"].facts == planned(PEOPLE).versions["A2"].facts


def test_a_truck_belongs_to_its_company_of_that_day() -> None:
    later = ONE.replace("2016-03-12", "2016-07-01")
    assert planned(later, by=writer("2016-07-02")).versions["A1"].facts.companies == ("TX",)


@pytest.mark.parametrize(
    ("rows", "fate", "words"),
    [
        ("A1,昨天,,,浙F12345,0,0,1,,\n", Fate.ERROR, "must be a day"),
        ("A1,2016-03-12,,,浙F12345,两人,0,1,,\n", Fate.ERROR, "number of people"),
        ("A1,,,,浙F12345,0,0,1,,\n", Fate.ERROR, "when it happened"),
        (",2016-03-12,,,浙F12345,0,0,1,,\n", Fate.ERROR, "is missing: number of the accident"),
        ("A1,2026-03-12,,,浙F12345,0,0,1,,\n", Fate.ERROR, "future"),
        ("A1,2016-03-12,,,浙A99999,0,0,1,,\n", Fate.NOT_OURS, None),
        ("A1,2016-03-12,,,,0,0,1,,\n", Fate.NOT_OURS, None),
        ("A1,2016-03-12,平湖市,,浙F12345,0,0,1,,\nA1,,海盐县,,,,,,,\n", Fate.ERROR, "another row says"),
    ],
)
def test_what_is_wrong_is_left_out_and_said(rows: str, fate: Fate, words: str | None) -> None:
    plan = planned(HEADER + rows + "B1,2016-03-12,,,浙F22222,0,0,1,,\n")
    assert plan.fates[0].fate is fate
    assert list(plan.versions) == ["B1"]
    assert [words in str(problem) for problem in plan.problems] == ([True] if words else [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("发生时间,车牌号\n2016-03-12,浙F12345\n", "事故编号"),
        ("事故编号,发生时间,天象\nA1,2016-03-12,x\n", "not a column of accidents"),
        ("事故编号,事故号,发生时间\nA1,A1,2016-03-12\n", "another column means the same"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_as_a_whole(text: str, words: str) -> None:
    plan = planned(text)
    assert plan.is_refused
    assert plan.versions == {}
    assert words in " ".join(map(str, plan.problems))


def test_a_plate_that_is_nearly_one_of_ours_is_said() -> None:
    plan = planned(ONE.replace("浙F12345", "浙F12346"))
    assert plan.fates[0].fate is Fate.NOT_OURS
    assert (
        str(plan.notes[0]) == "a plate differs in one character from one of the registry, look at it: row 2"
    )


def test_accidents_with_one_number_of_the_police_are_said() -> None:
    text = "事故编号,发生时间,车牌号,公安编号\nA1,2016-03-12,浙F12345,33-7\nA2,2016-03-12,浙F22222,33-7\n"
    (note,) = planned(text).notes
    assert str(note).startswith("several accidents have the police's number 33-7: A1, A2;")


def test_a_time_as_a_number_of_excel() -> None:
    facts = planned(ONE.replace("2016-03-12 08:30", "42441.3541666667")).versions["A1"].facts
    assert (facts.occurred.at, facts.occurred.is_exact) == (at("2016-03-12 08:30"), True)


def test_a_word_that_nobody_knows_does_not_undo_a_finding() -> None:
    ledger = {"A1": [planned(ONE).versions["A1"]]}
    assert planned(ONE.replace("主要", "??"), ledger, by=writer("2016-04-01")).versions == {}


def test_nobody_says_whose_account_it_is() -> None:
    plan = planned(ONE, reporter=None)
    assert "--reporter" in str(plan.problems[0])
    said = planned(ONE.replace("死亡人数", "报告方").replace(",1,0,2,", ",交警,0,2,"), reporter=None)
    assert said.versions["A1"].facts.reporter is Reporter.POLICE


def test_one_number_of_two_firms_is_not_one_accident() -> None:
    ledger = {"1": [planned(ONE.replace("A1,", "1,")).versions["1"]]}
    other = HEADER + "1,2016-03-12,,,浙F22222,0,0,1,,\n"
    plan = planned(other, ledger, by=writer("2016-04-01"), reporter=Reporter.COMPANY)
    assert "number of another accident" in str(plan.problems[0])
    assert (
        planned(other, ledger, by=writer("2016-04-01")).fates[0].fate is Fate.UPDATE
    )  # the police on the same day


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("A2,2016-03-12,浙F12345,2,死亡,2016-03-14\n", "is not the one stated"),
        ("A2,2016-03-12,浙F12345,2,,2016-03-14\n", "has one time of death"),
        ("A2,2016-03-12,浙F12345,,,2016-03-14\n", "does not say how many died"),
        ("A2,2016-03-12,浙F12345,1,,2016-03-24\n", "other side of day 7"),
        ("A2,2016-03-12,浙F12345,,未受伤,2016-03-14\n", "says unhurt"),
        ("A2,2016-03-12,浙F12345,,死亡,2016-03-11\n", "before the accident"),
    ],
)
def test_counts_and_people_must_agree(rows: str, words: str) -> None:
    plan = planned("事故编号,发生时间,车牌号,死亡人数,伤害程度,死亡时间\n" + rows)
    assert words in str(plan.problems[0])
    assert plan.versions == {}


def test_a_mixer_that_nobody_registered_counts_for_the_city() -> None:
    facts = (
        planned("事故编号,发生时间,车牌号,车辆类型\nA1,2016-03-12,浙A99999,混凝土搅拌车\n")
        .versions["A1"]
        .facts
    )
    assert (facts.companies, facts.fleet[0].plate, facts.casualties_known) == (("",), "浙A99999", False)


def test_no_plate_of_anybody_else_is_kept() -> None:
    text = "事故编号,发生时间,车牌号\nA1,2016-03-12,浙F12345\nA1,2016-03-12,浙A99999\n"
    facts = planned(text).versions["A1"].facts
    assert [(vehicle.is_fleet, vehicle.plate) for vehicle in facts.vehicles] == [(True, ""), (False, "")]


def test_codes_and_words_that_nobody_knows_are_kept_and_listed() -> None:
    plan = planned(ONE.replace(",主要,06", ",Z,42"))
    assert [str(note) for note in plan.notes] == [
        "responsibility: not known, taken for unknown: z",
        "codes that no table has, kept as they are: manoeuvre 42 (1)",
    ]
    (truck,) = plan.versions["A1"].facts.fleet
    assert (truck.manoeuvre, truck.responsibility) == ("42", None)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("2016-03-12 08:30", "2016-03-12T00:30:00Z"),
        ("2016/3/12 8:30", "2016-03-12T00:30:00Z"),
        ("2016年3月12日8时5分", "2016-03-12T00:05:00Z"),
        ("2016年3月12日 8时", "2016-03-12T00:00:00Z"),
        ("2016-03-12 00:00:00", "2016-03-12"),
        ("2016年3月12日", "2016-03-12"),
    ],
)
def test_times(raw: str, shown: str) -> None:
    assert str(moment(raw)) == shown


@pytest.mark.parametrize(
    ("read_cell", "raw", "value"),
    [
        (people, "3人", 3),
        (people, "无", 0),
        (people, 2.0, 2),
        (yuan, "12,000", 12_000),
        (yuan, "1.2万元", 12_000),
        (yuan, 99.6, 100),
    ],
)
def test_amounts(read_cell: Any, raw: Any, value: int) -> None:
    assert read_cell(raw) == value


@pytest.mark.parametrize(
    ("read_cell", "raw"), [(people, "-1"), (people, 1.5), (people, "很多"), (yuan, "-3"), (yuan, "１e9")]
)
def test_no_amounts(read_cell: Any, raw: Any) -> None:
    with pytest.raises(CellError):
        read_cell(raw)


def workbook() -> bytes:
    """As the police send it: a title, two lines of headers, merged cells, a sum."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["2016年一季度涉专用车辆事故一览表"])
    sheet.append(["事故编号", "发生时间", "伤亡情况", None, None, "车牌号", "责任"])
    sheet.append([None, None, "死亡人数", "重伤人数", "轻伤人数", None, None])
    sheet.append(["330402201600012", "2016-03-12 08:30", 0, 1, 0, "浙F12345", "同等"])
    sheet.append([None, None, None, None, None, "浙F22222", "同等"])
    sheet.append(["合计", None, 0, 1, 0])
    for place in ("C2:E2", "A2:A3", "B2:B3", "A4:A5", "B4:B5", "C4:C5", "D4:D5", "E4:E5"):
        sheet.merge_cells(place)
    book.create_sheet("说明").append(["无关"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_with_merged_headers_and_cells() -> None:
    said = understand(read_tables(workbook(), ACCIDENTS))
    assert said.problems == ()
    (report,) = said.reports
    assert report.code == "330402201600012"
    assert [vehicle.plate for vehicle in report.vehicles] == ["浙F12345", "浙F22222"]
    assert {name: report.given[name] for name in ("deaths", "serious", "light")} == {
        "deaths": 0,
        "serious": 1,
        "light": 0,
    }


def test_gbk_is_read_and_said() -> None:
    said = understand(read_tables(ONE.encode("gbk"), ACCIDENTS))
    assert [report.code for report in said.reports] == ["A1"]
    assert "GB18030" in str(said.notes[0])


def test_a_number_that_excel_has_shortened_is_refused() -> None:
    book = openpyxl.Workbook()
    book.active.append(["事故编号", "发生时间"])
    book.active.append([330402201600000123, "2016-03-12"])
    file = io.BytesIO()
    book.save(file)
    said = understand(read_tables(file.getvalue(), ACCIDENTS))
    assert "lost digits in Excel" in str(said.problems[0])


cells = st.text(alphabet="A1浙F2345,\n\"' 主要死亡0:-年月日", max_size=12)


@given(st.lists(st.lists(cells, min_size=1, max_size=10), max_size=6))
def test_no_table_of_strangers_makes_it_fall(rows: list[list[str]]) -> None:
    try:
        plan = planned(HEADER + "\n".join(",".join(row) for row in rows))
    except ImportRefusedError:
        return
    assert set(plan.versions) <= {fate.code for fate in plan.fates}


@given(st.binary(max_size=200))
def test_no_bytes_of_strangers_make_it_fall(data: bytes) -> None:
    for file in (data, HEADER.encode() + data, HEADER.encode("gbk") + data):
        try:
            understand(read_tables(file, ACCIDENTS))
        except ImportRefusedError:
            continue


known = st.tuples(
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["浙F12345,", "浙F22222,", "浙A99999,", ",", ",搅拌车", "浙A99999,搅拌车"]),
    st.sampled_from(["", "0", "1"]),
    st.sampled_from(["", "主要", "无责", "未认定"]),
)


@given(st.lists(known, max_size=6), st.lists(known, max_size=6))
def test_any_list_twice_changes_nothing(first: list, second: list) -> None:
    ledger: dict[str, list] = {}
    for number, said in enumerate((first, second, second)):
        text = "事故编号,发生时间,车牌号,车辆类型,死亡人数,责任\n" + "".join(
            f"{code},2016-03-12,{plate},{dead},{share}\n" for code, plate, dead, share in said
        )
        plan = planned(text, ledger, by=writer(f"2016-04-0{number + 1}"))
        if number == 2:
            assert plan.versions == {}
        for code, version in plan.versions.items():
            ledger.setdefault(code, []).append(version)


person = st.tuples(
    st.sampled_from(["A", "B"]),
    st.sampled_from(["死亡", "重伤", "轻伤", "未受伤", ""]),
    st.sampled_from(["", "2016-03-14", "2016-03-24"]),
    *[st.sampled_from(["", "0", "1"])] * 3,
)


@given(st.lists(st.lists(person, max_size=4), min_size=2, max_size=4))
def test_any_people_twice_change_nothing(lists: list) -> None:
    ledger: dict[str, list] = {}
    for number, said in enumerate(each for each in lists for _ in range(2)):
        text = "事故编号,伤害程度,死亡时间,死亡人数,30日内死亡,重伤人数,发生时间,车牌号\n" + "".join(
            f"{','.join(row)},2016-03-12,浙F12345\n" for row in said
        )
        reporter = (Reporter.POLICE, Reporter.COMPANY)[number // 2 % 2]
        plan = planned(text, ledger, by=writer(f"2016-05-{number + 1:02}"), reporter=reporter)
        if number % 2:
            assert plan.versions == {}
        for code, version in plan.versions.items():
            ledger.setdefault(code, []).append(version)


def test_reading_alone_knows_nothing_of_the_registry() -> None:
    assert [report.code for report in read(ONE).reports] == ["A1"]


def test_the_page_shows_every_column() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "accidents.md").read_text("utf-8")
    table = page.partition("<!-- table: columns -->\n")[2].partition("<!-- end -->")[0]
    needed = {Need.ALWAYS: "always", Need.WHEN_NEW: "when new", Need.NO: ""}
    rows = [
        f"| `{each.name}` | {' '.join(each.synonyms)} | {each.meaning.en} | {needed[each.need]} |"
        for each in COLUMNS
    ]
    assert table.splitlines()[2:] == rows

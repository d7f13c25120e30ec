"""The whole report: the same bytes twice, the same verdict as the command, and nothing that looks whole."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import openpyxl
import pypdfium2
import pytest

from analytics.facts.fact import Source
from analytics.facts.measures import Measure
from analytics.report.as_html import as_html
from analytics.report.as_json import as_json
from analytics.report.composing import compose
from analytics.report.document import Boxes, Bullets, Figure, Note, Paragraph, Table
from analytics.report.making import make
from analytics.report.periods import Stage, day_end
from analytics.report.report_input import ReportError
from analytics.statistics import answers
from analytics.statistics.phrasing import forbidden_words
from fleet.schedule import CIVIL_ZONE
from tests.unit.analytics.report.city import (
    accident,
    ledger,
    month_facts,
    report_input,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.report.document import Document
    from fleet.language import Words

pytest.importorskip("typst", reason="the report extra is not installed")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return make(report_input(simulated=True))


@pytest.fixture(scope="module")
def document() -> Document:
    return compose(report_input())


def texts(document: Document) -> Iterator[Words]:
    """Yield every text that a reader sees."""
    yield document.title
    for name, value in document.cover:
        yield from (name, value)
    for section in document.sections:
        yield section.title
        for block in section.blocks:
            match block:
                case Paragraph(text) | Note(text):
                    yield text
                case Bullets(heading, items):
                    yield from (heading, *items)
                case Boxes(boxes):
                    for box in boxes:
                        yield from (
                            box.heading,
                            box.wording,
                            *(part for pair in box.numbers for part in pair),
                        )
                case Table() | Figure():
                    table = block.data if isinstance(block, Figure) else block
                    yield from (block.title, table.title, *(column.heading for column in table.columns))
                    yield from (cell.shown for row in table.rows for cell in row)


def table_of(document: Document, key: str) -> Table:
    return next(table for table in document.tables if table.key == key)


# -- the same bytes


def test_the_same_input_gives_the_same_bytes_in_every_format(files: dict[str, bytes]) -> None:
    again = make(report_input(simulated=True))
    assert sorted(again) == [
        "manifest.json",
        "report.en.html",
        "report.en.pdf",
        "report.en.xlsx",
        "report.json",
        "report.zh.html",
        "report.zh.pdf",
        "report.zh.xlsx",
    ]
    assert [name for name in files if files[name] != again[name]] == []


def test_the_order_of_facts_and_accidents_changes_nothing(document: Document) -> None:
    given = report_input()
    turned = replace(given, facts=given.facts[::-1], ledger=dict(reversed(list(given.ledger.items()))))
    assert as_json(compose(turned)) == as_json(document)


def test_the_manifest_has_the_hash_of_every_file_and_of_what_was_known(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in files.items()
        if name != "manifest.json"
    }
    assert (manifest["report"], manifest["as_of_day"], manifest["stage"]) == (
        "2020-08-flash",
        "2020-09-05",
        "flash",
    )
    assert manifest["versions"]["rules"] == {"scope": 1, "severity": 1}
    assert manifest["inputs"]["accident_versions"]["count"] == 88


# -- the verdict


@pytest.mark.parametrize("month", [date(2016, 5, 1), date(2019, 6, 1), date(2020, 8, 1), date(2021, 2, 1)])
def test_the_verdict_is_that_of_kerbsafe_rates_verdict(month: date) -> None:
    document = compose(report_input(month))
    assert document.verdict_file is not None
    # As the command reads it: from JSON.
    told = answers.verdict(json.loads(json.dumps(document.verdict_file)))
    boxes = next(block for block in document.sections[0].blocks if isinstance(block, Boxes)).boxes
    assert [box.wording.zh for box in boxes] == [
        told["wording"]["zh"],
        told["accidents"]["wording"]["zh"],
        told["deaths"]["wording"]["zh"],
    ]
    assert boxes[0].wording.en == told["wording"]["en"]


def test_in_the_target_year_the_year_to_date_is_judged() -> None:
    current = compose(report_input()).verdict_file
    assert current is not None
    run = current["current"]
    assert (run["from"], run["to"], run["as_of"]) == ("2020-01-01", "2020-08-31", "2020-09-05")
    # 1.648 Mm³ a month for eight months, of 20 planned.
    assert (run["accidents"], run["exposure"], run["exposure_remaining"]) == (8, 13_184_000, 6_816_000)
    # The runs before were those of 2016 to July 2020, each as known on the fifth of the next month.
    assert len(current["earlier"]) == 55
    assert current["earlier"][-1]["as_of"] == "2020-08-05"


def test_a_denominator_that_comes_on_the_twelfth_makes_the_report_of_the_twelfth() -> None:
    late = [
        replace(fact, known_from=fact.known_from + timedelta(days=9))
        if fact.measure is Measure.VOLUME_M3
        else fact
        for fact in month_facts()
    ]
    verdict = compose(report_input(facts=late, as_of=day_end(date(2020, 9, 20)))).verdict_file
    assert verdict is not None
    assert [run["as_of"] for run in verdict["earlier"]][-2:] == ["2020-07-12", "2020-08-12"]


def test_a_denominator_of_the_day_on_which_the_next_report_is_due_makes_none_of_its_own() -> None:
    # July's volume came in the morning of 5 September, when August's report is due.
    morning = datetime.combine(date(2020, 9, 5), time(9), CIVIL_ZONE)
    late = [
        replace(fact, known_from=morning) if fact.month == date(2020, 7, 1) else fact
        for fact in month_facts()
    ]
    verdict = compose(report_input(facts=late)).verdict_file
    assert verdict is not None
    assert verdict["earlier"][-1]["as_of"] == "2020-07-05"


def test_a_baseline_of_zero_is_named_and_nothing_is_measured_by_it() -> None:
    base = report_input().baseline
    assert base is not None
    document = compose(report_input(baseline=replace(base, accidents=0, fatal_accidents=0, deaths=0)))
    boxes = next(block for block in document.sections[0].blocks if isinstance(block, Boxes)).boxes
    assert {box.wording.zh for box in boxes} == {"基数为零，降幅无法定义；改用多年平均基数"}
    attention = document.sections[0].blocks[-1]
    assert isinstance(attention, Bullets)
    assert attention.items[0].zh == "预警图无法计算：基数为零，不存在减半的路径。"


def test_facts_that_came_in_bulk_make_no_earlier_reports() -> None:
    now = day_end(date(2020, 9, 20))
    bulk = [replace(fact, known_from=now) for fact in month_facts()]
    verdict = compose(report_input(facts=bulk, as_of=now)).verdict_file
    assert verdict is not None
    assert verdict["earlier"] == []


def test_before_the_target_year_twelve_months_are_judged_and_none_of_the_baselines_year() -> None:
    runs = [compose(report_input(month)).verdict_file for month in (date(2016, 5, 1), date(2019, 6, 1))]
    assert [(run["current"]["from"], run["current"]["to"]) for run in runs if run] == [
        ("2016-01-01", "2016-05-31"),
        ("2018-07-01", "2019-06-30"),
    ]


def test_after_the_target_year_its_final_data_are_judged() -> None:
    given = report_input(date(2021, 4, 1), Stage.FLASH)
    verdict = compose(given).verdict_file
    assert verdict is not None
    assert (verdict["current"]["from"], verdict["current"]["to"]) == ("2020-01-01", "2020-12-31")
    assert verdict["current"]["final"] is True


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"baseline": None}, "没有已批准的基数"),
        ({"policy": None}, "没有已批准的判定规则"),
        ({"ledger_from": date(2020, 3, 1)}, "台账自2020-03-01起登记"),
    ],
)
def test_without_what_it_rests_on_there_is_no_verdict_and_the_first_page_says_why(
    change: dict[str, object], why: str
) -> None:
    document = compose(report_input(**change))
    boxes = next(block for block in document.sections[0].blocks if isinstance(block, Boxes)).boxes
    assert len(boxes) == 1
    assert why in boxes[0].wording.zh
    assert document.verdict_file is None


def test_a_month_without_its_denominator_is_named_and_no_rate_is_made_up() -> None:
    facts = [
        fact for fact in month_facts() if (fact.measure, fact.month) != (Measure.VOLUME_M3, date(2020, 5, 1))
    ]
    document = compose(report_input(facts=facts))
    boxes = next(block for block in document.sections[0].blocks if isinstance(block, Boxes)).boxes
    assert boxes[0].wording.zh == "本期不作判断：2020年5月的分母未记录。"
    rates = {row[0].shown.zh: row for row in table_of(document, "rates").rows}
    year_to_date = rates["A1 起/百万方"][3]
    assert (year_to_date.shown.zh, year_to_date.raw) == ("未记录", (None, None, None))


# -- what cannot be reported


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"as_of": day_end(date(2020, 8, 31))}, "not closed as of 2020-08-31: its first figures are due"),
        ({"facts": month_facts(last=date(2020, 7, 1))}, "no fact of city is recorded for it"),
        ({"ledger": {}}, "the ledger of accidents is empty as of 2020-09-05"),
        ({"stage": Stage.FINAL}, "the stage final of 2020-08 is due as of 2021-04-30"),
        ({"month": date(2020, 8, 5)}, "is not the first day of a month"),
    ],
)
def test_what_is_no_whole_report_is_refused_in_words(change: dict[str, object], said: str) -> None:
    with pytest.raises(ReportError, match=re.escape(said)):
        compose(replace(report_input(), **change))  # type: ignore[arg-type]


def test_what_became_known_later_is_not_in_the_report() -> None:
    given = report_input()
    late = version(accident("2020-08-20T10:00"), "2020-09-20T09:00")
    later = replace(given, ledger=given.ledger | {"LATE": [late]})
    assert as_json(compose(later)) == as_json(compose(given))


# -- words


def test_no_text_says_more_than_small_counts_can_show(document: Document) -> None:
    assert [found for text in texts(document) for found in forbidden_words(text.zh + " " + text.en)] == []


def test_every_text_is_there_in_both_languages(document: Document) -> None:
    empty = [text for text in texts(document) if bool(text.zh.strip()) != bool(text.en.strip())]
    assert empty == []


def test_no_percentage_on_a_base_under_ten() -> None:
    base = report_input().baseline
    assert base is not None
    small = replace(base, accidents=8, fatal_accidents=3, deaths=3)
    document = compose(report_input(baseline=small))
    summary, target = document.sections[:2]
    boxes = next(block for block in summary.blocks if isinstance(block, Boxes)).boxes
    said = [box.wording.zh + str(box.numbers) for box in boxes]
    said += [block.text.zh for block in target.blocks if isinstance(block, Paragraph)]
    assert [text for text in said if "%" in text] == []


# -- files


def test_the_pdf_has_the_headline_and_its_mark_on_every_page(files: dict[str, bytes]) -> None:
    for language, title, mark, verdict in (
        ("zh", "全市专用车辆道路交通安全月报", "模拟数据", "存在不达标风险"),
        ("en", "Road safety of special vehicles", "SIMULATED DATA", "at risk of missing the target"),
    ):
        pdf = pypdfium2.PdfDocument(files[f"report.{language}.pdf"])
        pages = [pdf[number].get_textpage().get_text_range() for number in range(len(pdf))]
        assert title in pages[0]
        assert verdict in pages[1].replace("\r\n", "")
        assert [number for number, page in enumerate(pages) if mark not in page] == []
        # Beside its header and its number a page has something to say.
        assert [number for number, page in enumerate(pages) if len(page) < 200] == []
        assert pdf.get_metadata_dict()["CreationDate"].startswith("D:20200905")


def test_the_workbook_has_real_numbers_and_dates_and_no_formula(files: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["report.zh.xlsx"]))
    assert book.sheetnames[:3] == ["报告", "目标表", "逐年事故率"]
    years = list(book["逐年事故率"].iter_rows(min_row=3, values_only=True))
    assert years[0] == ("时段", "事故起数", "产量（百万方）", "事故率（起/百万方）", "区间：低", "区间：高")
    assert years[1][:3] == ("2015年", 20, 15.958)
    assert years[1][3] == pytest.approx(20 / 15.958)
    months = list(book["逐月累积和"].iter_rows(min_row=4, values_only=True))
    assert months[-1][:2] == (datetime(2020, 8, 1), 1)  # noqa: DTZ001 - a cell has no zone
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    # A company that is called like a formula is a text.
    assert "=丙混凝土公司" in [cell.value for cell in cells if cell.data_type == "s"]


def test_what_is_not_recorded_is_said_in_the_workbook(files: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(files["report.zh.xlsx"]))
    tonnes = next(
        row
        for row in book["分母与事故率"].iter_rows(min_row=4, values_only=True)
        if row[0] == "砂浆、水泥（吨）"
    )
    assert tonnes[1:4] == ("未记录", None, None)


def test_the_page_loads_nothing_from_elsewhere(files: dict[str, bytes]) -> None:
    page = files["report.zh.html"].decode()
    assert re.findall(r'(?:src|href)="(?!data:image/svg|#)[^"]*"', page) == []
    assert "<script" not in page
    assert page.count('class="mark"') == 1
    # Every figure says what it shows.
    assert re.findall(r'<img alt=""', page) == []


def test_names_of_companies_cannot_become_markup() -> None:
    given = report_input()
    bad = given.names | {"company:alpha": given.names["company:alpha"]._replace(zh="<b>甲</b>&")}
    page = as_html(compose(replace(given, names=bad)), "zh").decode()
    assert "&lt;b&gt;甲&lt;/b&gt;&amp;" in page
    assert "<b>甲" not in page


def test_a_simulated_fact_marks_the_report() -> None:
    facts = [replace(fact, source=Source.SIMULATED) for fact in month_facts()]
    assert compose(report_input(facts=facts)).simulated is True
    assert compose(report_input()).simulated is False


# -- counties


def test_the_report_of_a_county_counts_its_own() -> None:
    given = report_input(scope="county:02", baseline=None)
    document = compose(given)
    assert document.number == "2020-08-county-02-flash"
    assert "companies" not in [section.key for section in document.sections]
    row = table_of(document, "counts").rows[0]
    # The ledger names it 港区; its code is 02.
    expected = sum(
        one[0].facts.county == "港区" and one[0].facts.occurred.day >= date(2019, 9, 1)
        for one in ledger().values()
    )
    assert row[5].raw == (expected, expected)

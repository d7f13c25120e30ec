"""Each section from small inputs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from analytics.ledger.accident import Responsibility
from analytics.ledger.history import Reason
from analytics.report import cells
from analytics.report.context import Context, context_of
from analytics.report.document import Bullets, Paragraph, Table
from analytics.report.judging import EarlyWarning
from analytics.report.nowcasting import late_reports
from analytics.report.periods import Stage, day_end
from analytics.report.sections.accidents import accident_section
from analytics.report.sections.counties import companies_section, counties_section
from analytics.report.sections.indicators import indicator_section
from analytics.report.sections.loop import loop_section
from analytics.report.sections.pattern import pattern_section
from analytics.report.sections.quality import quality_section
from analytics.report.sections.restatements import effect, restatements
from analytics.report.sections.summary import summary_section
from analytics.report.sections.systems import systems_section
from analytics.report.sections.windows import month_sentence, windows_section
from tests.unit.analytics.report.city import (
    MONTH,
    accident,
    hurt,
    ledger,
    moment,
    month_facts,
    report_input,
    version,
)

if TYPE_CHECKING:
    from analytics.ledger.history import Version
    from analytics.report.document import Section

Ledger = dict[str, list["Version"]]


def context(accidents: Ledger | None = None, **more: Any) -> Context:
    """Return what sections read, of a ledger of a few accidents."""
    return context_of(report_input(**({} if accidents is None else {"ledger": accidents}), **more))


def one(when: str, recorded: str = "2020-09-01T09:00", **more: Any) -> list[Version]:
    return [version(accident(when, **more), recorded)]


def rows(section: Section | None, key: str) -> list[tuple[str, ...]]:
    """Return what a table shows in Chinese."""
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table) and block.key == key)
    return [tuple(cell.shown.zh for cell in row) for row in table.rows]


def raw(section: Section | None, key: str) -> list[tuple[Any, ...]]:
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table) and block.key == key)
    return [tuple(cell.raw for cell in row) for row in table.rows]


THREE = {
    "A": one("2020-08-03T08:10", casualties=hurt("dead", died=moment("2020-08-04"))),
    "B": one("2020-08-09T14:00", responsibility=Responsibility.PENDING, county="02"),
    "C": one("2019-08-20T22:00", recorded="2019-08-22T10:00", responsibility=Responsibility.MINOR),
}


# -- counts


def test_counts_of_the_windows_beside_the_baseline() -> None:
    found = rows(windows_section(context(THREE)), "counts")
    assert found[:4] == [
        # month, same month last year, year to date, same months last year, twelve months, baseline
        ("伤亡事故 A1（起）", "2", "1", "2", "1", "2", "20"),
        ("其中同等及以上责任 A2（起）", "1—2", "0", "1—2", "0", "1—2", "未记录"),
        ("其中死亡事故 A3（起）", "1", "0", "1", "0", "1", "5"),
        ("7日内死亡（人）", "1", "0", "1", "0", "1", "6"),
    ]


def test_before_the_ledger_was_kept_nothing_is_recorded_rather_than_nothing_happened() -> None:
    found = rows(windows_section(context(THREE, ledger_from=date(2020, 1, 1))), "counts")
    assert found[0] == ("伤亡事故 A1（起）", "2", "未记录", "2", "未记录", "未记录", "20")


def test_people_of_whom_nobody_has_said_that_they_are_all_are_open_to_more() -> None:
    accidents = {"A": one("2020-08-03T08:10", casualties=hurt("light"), casualties_known=False)}
    found = raw(windows_section(context(accidents)), "counts")
    assert found[6][1] == (1, None)  # lightly hurt: one, or more
    assert found[0][1] == (1, 1)


def test_fatal_accidents_are_never_more_than_accidents() -> None:
    for month in (date(2018, 3, 1), date(2019, 12, 1), MONTH):
        found = raw(windows_section(context(month=month)), "counts")
        assert all(a3 <= a1 for a1, a3 in zip(found[0][1:6], found[2][1:6], strict=True))


def test_the_months_sentence_compares_with_the_same_month_and_judges_nothing() -> None:
    decided = {name: THREE[name] for name in ("A", "C")}
    assert month_sentence(context(decided)).zh == (
        "2020年8月发生专用车辆事故1起(1起死亡事故)，死亡1人；与上年同月相比，事故均为1起，没有变化，"
        "死亡由0人变为1人，增加1人。单月件数少，不据此判断趋势。"
    )


# -- the list


def test_the_list_has_no_names_and_says_what_nobody_has_said() -> None:
    accidents = {
        "A": one("2020-08-03T08:10", casualties=hurt("dead", "light", died=moment("2020-08-04"))),
        "B": one(
            "2020-08-09", responsibility=None, county="", road_class="", casualties=(), casualties_known=False
        ),
    }
    found = rows(accident_section(context(accidents)), "accidents")
    assert [row[:6] for row in found] == [
        ("A", "08-03 08:10", "市本级", "一般城市道路", "搅拌车", "右转弯"),
        ("B", "2020-08-09", "未记录", "未记录", "搅拌车", "右转弯"),
    ]
    assert [row[6:] for row in found] == [
        ("电动自行车×2", "1/0/1", "主要", "A1 A2 A3"),
        ("未记录", "0/0/0+", "未认定", "A1? A2? A3?"),
    ]


def test_a_month_without_accidents_says_that_none_is_recorded() -> None:
    section = accident_section(context({"C": THREE["C"]}))
    (none,) = section.blocks
    assert isinstance(none, Paragraph)
    assert none.text.zh == "台账中本月没有伤亡事故记录；未上报的事故不在其中。"


# -- pattern


def test_the_pattern_is_counted_by_day_and_hour_of_the_city() -> None:
    found = rows(pattern_section(context(THREE)), "hours")
    # Monday 3 August 08:10, Sunday 9 August 14:00, Tuesday 20 August 2019 22:00.
    assert found[0] == ("周一", "·", "·", "1", "·", "·", "·", "·", "·", "·")
    assert found[6] == ("周日", "·", "·", "·", "·", "1", "·", "·", "·", "·")
    assert found[1][8] == "1"


# -- counties and companies


def test_counties_add_up_to_the_city() -> None:
    found = raw(counties_section(context()), "counties")
    counties, city = found[:-1], found[-1]
    for column in (1, 2, 3):
        assert sum(row[column][0] for row in counties) == city[column][0]
    assert sum(row[4][0] for row in counties) == pytest.approx(city[4][0])


def test_an_accident_of_no_county_has_a_row_of_its_own() -> None:
    found = rows(counties_section(context({**THREE, "D": one("2020-08-11T09:00", county="")})), "counties")
    assert [(row[0], row[1]) for row in found] == [
        ("市本级", "1"),
        ("港区", "1"),
        ("北县", "0"),
        ("未注明", "1"),
        ("全市", "3"),
    ]


def test_a_county_by_its_code_and_by_its_name_is_one_county() -> None:
    accidents = {"A": one("2020-08-03T08:10", county="02"), "B": one("2020-08-04T08:10", county="港区")}
    found = rows(counties_section(context(accidents)), "counties")
    assert [(row[0], row[1]) for row in found] == [
        ("市本级", "0"),
        ("港区", "2"),
        ("北县", "0"),
        ("全市", "2"),
    ]


def test_companies_stand_in_the_order_of_codes_and_not_of_rates() -> None:
    section = companies_section(context())
    found = rows(section, "companies")
    assert [row[0] for row in found] == ["甲混凝土公司", "乙混凝土公司", "=丙混凝土公司"]
    assert {row[7] for row in found} <= {"高于", "低于", "无法区分"}


def test_a_company_without_denominator_has_its_count_and_no_rate() -> None:
    facts = [fact for fact in month_facts() if fact.scope != "company:beta"]
    accidents = ledger() | {"B1": one("2020-08-05T10:00", company="beta")}
    found = rows(companies_section(context(accidents, facts=facts)), "companies_without_exposure")
    assert [(row[0], row[2]) for row in found] == [("乙混凝土公司", "未记录")]


# -- indicators and bulletin figures


def test_leading_indicators_have_denominator_interval_and_evaluable_share() -> None:
    found = {row[0]: row[1:] for row in rows(indicator_section(context()), "indicators")}
    assert found["右转必停路口未停（次/千次应停右转）"] == (
        "60000",
        "300",
        "298—302",
        "300",
        "300",
        "77.8%",
        "C",
    )
    assert found["超速（次/千公里）"][0:2] == ("2400", "0.8")


def test_bulletin_figures_of_the_city_with_their_changes() -> None:
    facts = [
        replace(fact, value=27_000.0)
        if (fact.scope, fact.month, fact.measure) == ("city", date(2020, 7, 1), Measure.VEHICLE_DAYS_ONLINE)
        else fact
        for fact in month_facts()
    ]
    found = {row[0]: row[1:] for row in rows(systems_section(context(facts=facts)), "kpis")}
    assert found["上线率"] == ("95.1%", "91.7%", "+3.4个百分点", "95.1%", "0.0个百分点")
    assert found["车均超速次数"][2] == "0"
    assert found["入网率"][0] == "95.0%"  # 29,450 vehicle-days in 31 days are 950 vehicles of 1,000 filed
    assert found["车均疲劳时长（小时）"][0] == "0.158"


def test_a_share_of_fewer_than_ten_is_given_as_both_numbers() -> None:
    assert cells.share(3, 7).shown.zh == "3/7"
    assert cells.share(7, 10).shown.zh == "70.0%"
    assert cells.share(0, 0).shown.zh == "无可计对象"
    assert cells.share(None, 10).shown.zh == "未记录"


def test_what_nothing_measures_is_not_recorded() -> None:
    found = dict(rows(systems_section(context()), "coverage"))
    assert found["右转时摄像头正常工作的比例"] == "71.4%"
    assert found["驾驶人培训（人次、学时）"] == "未记录"


def test_exactly_nine_in_ten_is_not_below_the_line() -> None:
    def handled(resolved: float) -> str:
        facts = [
            replace(fact, value=resolved)
            if (fact.scope, fact.month, fact.measure) == ("city", MONTH, Measure.ALERTS_RESOLVED)
            else fact
            for fact in month_facts()
        ]
        return rows(loop_section(context(facts=facts)), "loop")[-1][5]

    assert handled(4_500.0) == "达到"
    assert handled(4_499.0) == "低于"


# -- early warning


def test_the_early_warning_counts_against_the_way_to_the_target() -> None:
    warning = context().warning
    assert isinstance(warning, EarlyWarning)
    assert (warning.months[0], warning.months[-1], len(warning.months)) == (date(2017, 9, 1), MONTH, 36)
    # 20 / 15.958 Mm³, times 0.5^(5.125/5) but not below a half, on 1.648 Mm³, over ln 2.
    assert warning.references[-1] == pytest.approx(20 / 15.958 * 0.5 * 1.648 / 0.693147, rel=1e-6)


def test_many_accidents_turn_it_red_and_the_first_page_says_so() -> None:
    accidents = ledger() | {f"X{day}": one(f"2020-08-{day:02d}T10:00") for day in range(10, 20)}
    section = summary_section(context(accidents))
    said = [item.zh for block in section.blocks if isinstance(block, Bullets) for item in block.items]
    assert any(text.startswith("预警为红色") for text in said)


# -- late reports and restatements


def test_a_late_report_is_expected_from_how_late_those_before_were() -> None:
    given = report_input()
    found = late_reports(given, context_of(given).now, "m3", MONTH)
    assert found is not None
    assert (found.reported, found.interval95[0]) == (1, 1)
    assert 0.9 < found.complete < 1
    assert found.expected > 1


def test_flash_figures_say_what_the_month_may_come_to_and_later_ones_do_not() -> None:
    def said(**more: Any) -> list[str]:
        blocks = summary_section(context(**more)).blocks
        return [item.zh for block in blocks if isinstance(block, Bullets) for item in block.items]

    assert any(text.startswith("本月已报1起；按以往迟报情况，最终预计1.04起") for text in said())
    assert not any("迟报情况" in text for text in said(stage=Stage.FIRST))


def test_too_few_past_reports_tell_nothing() -> None:
    given = report_input(ledger=THREE)
    assert late_reports(given, context_of(given).now, "m3", MONTH) is None


LATE = version(accident("2020-07-20T10:00"), "2020-08-20T09:00", reason=Reason.LATE)


def test_a_late_report_is_a_restatement_with_its_reason() -> None:
    found = restatements(context(ledger() | {"LATE": [LATE]}))
    assert [(each.item.zh, each.old.zh, each.new.zh, each.reason.zh) for each in found] == [
        ("事故LATE", "台账中没有", "2020-07-20，市本级，A1 A2；死亡0（30日内0），重伤0，轻伤1", "迟报")
    ]


def test_restatements_are_numbered_in_the_report() -> None:
    section = quality_section(context(ledger() | {"LATE": [LATE]}))
    assert rows(section, "restatements")[0][0] == "2020-08-flash-01"


def test_a_new_accident_of_the_month_itself_is_no_restatement() -> None:
    assert restatements(context(ledger() | {"NEW": one("2020-08-20T10:00")})) == []


def test_a_death_on_day_twenty_restates_the_month_before() -> None:
    first = accident("2020-07-10T10:00", hurt("serious"))
    died = replace(first, casualties=hurt("dead", died=moment("2020-07-30")))
    versions = [
        version(first, "2020-07-11T09:00"),
        version(died, "2020-08-10T09:00", 2, Reason.DEATHS_WITHIN_30_DAYS),
    ]
    (found,) = restatements(context(ledger() | {"D": versions}))
    assert (found.old.zh, found.new.zh, found.reason.zh) == (
        "2020-07-10，市本级，A1 A2；死亡0（30日内0），重伤1，轻伤0",
        "2020-07-10，市本级，A1 A2；死亡0（30日内1），重伤1，轻伤0",
        "第8—30日死亡",
    )


def test_a_corrected_denominator_is_a_restatement() -> None:
    known = day_end(date(2020, 8, 25))
    facts = month_facts()
    july = next(
        fact
        for fact in facts
        if (fact.scope, fact.month, fact.measure) == ("city", date(2020, 7, 1), Measure.VOLUME_M3)
    )
    facts = [
        *(fact for fact in facts if fact != july),
        replace(july, known_to=known),
        MonthFact("city", july.month, july.measure, 1_700_000.0, None, Source.DECLARED, known),
    ]
    (found,) = restatements(context(facts=facts))
    assert (found.item.zh, found.old.zh, found.new.zh) == (
        "全市2020年7月混凝土产量（方）",
        "1,648,000",
        "1,700,000",
    )


def test_what_restatements_do_to_the_conclusion_is_said() -> None:
    quiet = effect(context(ledger() | {"LATE": [LATE]}))
    assert quiet is not None
    assert quiet.zh.startswith("2020年7月的结论不变：")
    many = {
        f"L{day}": [version(accident(f"2020-07-{day:02d}T10:00"), "2020-08-20T09:00")] for day in range(1, 11)
    }
    loud = effect(context(ledger() | many))
    assert loud is not None
    assert loud.zh.startswith("2020年7月的结论由“")


def test_of_the_same_month_every_stage_is_compared_with_the_one_before() -> None:
    late = version(accident("2020-08-20T10:00"), "2020-09-20T09:00", reason=Reason.LATE)
    accidents = ledger() | {"LATE": [late]}
    flash = report_input(ledger=accidents)
    first = report_input(stage=Stage.FIRST, ledger=accidents, previous_as_of=flash.as_of)
    assert restatements(context_of(flash)) == []
    assert [each.item.zh for each in restatements(context_of(first))] == ["事故LATE"]

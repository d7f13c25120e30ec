"""The whole report: its cover and its sections in order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.facts.fact import Source
from analytics.report.cells import same
from analytics.report.context import context_of
from analytics.report.document import Document
from analytics.report.judging import Judgement
from analytics.report.periods import STAGE_CHANGES, STAGE_NAMES, the_month
from analytics.report.report_input import ReportInput, civil_day, require_closed, require_stage
from analytics.report.sections.accidents import accident_section
from analytics.report.sections.counties import companies_section, counties_section
from analytics.report.sections.indicators import indicator_section
from analytics.report.sections.loop import loop_section
from analytics.report.sections.method import method_section
from analytics.report.sections.pattern import pattern_section
from analytics.report.sections.quality import quality_section
from analytics.report.sections.summary import summary_section
from analytics.report.sections.systems import systems_section
from analytics.report.sections.target import target_section
from analytics.report.sections.windows import windows_section
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.report.context import Context

#: In the order of the printed report; the city's alone has companies, which work in several counties.
_SECTIONS = (
    summary_section,
    target_section,
    windows_section,
    accident_section,
    pattern_section,
    counties_section,
    companies_section,
    indicator_section,
    systems_section,
    loop_section,
    quality_section,
    method_section,
)


def compose(given: ReportInput) -> Document:
    """Return the report; raises `ReportError` where no whole one can be made."""
    require_closed(given)
    require_stage(given)
    context = context_of(given)
    sections = (build(context) for build in _SECTIONS)
    return Document(
        number=given.number,
        title=_title(given),
        period=the_month(given.month).name,
        as_of=given.as_of,
        simulated=is_simulated(given),
        cover=_cover(context),
        sections=tuple(section for section in sections if section is not None),
        verdict_file=context.judgement.case if isinstance(context.judgement, Judgement) else None,
    )


def is_simulated(given: ReportInput) -> bool:
    """Say whether any of it is made up."""
    return given.simulated or any(fact.source is Source.SIMULATED for fact in given.facts)


def _title(given: ReportInput) -> Words:
    place = given.name(given.scope)
    return Words(f"Road safety of special vehicles: {place.en}", f"{place.zh}专用车辆道路交通安全月报")


def _cover(context: Context) -> tuple[tuple[Words, Words], ...]:
    given, unit = context.given, context.unit
    stage = STAGE_NAMES[given.stage]
    changes = STAGE_CHANGES[given.stage]
    return (
        (Words("Report no.", "报告编号"), same(given.number)),
        (Words("As known on", "数据截至"), _moment(given.as_of)),
        (Words("Stage", "阶段"), Words(f"{stage.en}: {changes.en}", f"{stage.zh}：{changes.zh}")),
        (Words("Scope", "范围"), _scope(given)),
        (Words("Denominator", "分母"), Words(unit.what_en, f"{unit.what_zh}（率的单位：{unit.zh}）")),
        (Words("Deaths counted", "死亡统计口径"), _deaths(given)),
        (Words("Baseline", "基数"), _baseline(given)),
        (Words("Policy", "判定规则"), _policy(given)),
        (Words("Prepared / reviewed / signed", "编制 / 审核 / 签发"), same("________ / ________ / ________")),
    )


def _moment(at: datetime) -> Words:
    day, local = civil_day(at), at.astimezone(CIVIL_ZONE)
    if (local - timedelta(microseconds=1)).date() != local.date():
        return Words(f"{day}, end of day", f"{day.year}年{day.month}月{day.day}日24时")
    return Words(f"{day} {local:%H:%M:%S}", f"{day.year}年{day.month}月{day.day}日{local:%H:%M:%S}")


def _scope(given: ReportInput) -> Words:
    place = given.name(given.scope)
    if given.baseline is None:
        return place
    return Words(f"{place.en}; {given.baseline.scope}", f"{place.zh}；{given.baseline.scope}")


def _deaths(given: ReportInput) -> Words:
    days = 7 if given.baseline is None else given.baseline.death_window_days
    other = 30 if days == 7 else 7  # noqa: PLR2004 - the two windows there are
    return Words(
        f"within {days} days of the accident; those within {other} days beside them",
        f"事故发生后{days}日内死亡；并列{other}日内死亡",
    )


def _baseline(given: ReportInput) -> Words:
    if given.baseline is None:
        return Words(
            "none is approved for this scope: no verdict is given", "本范围没有已批准的基数，不作判断"
        )
    base = given.baseline
    return Words(
        f"{base.year}, {base.id} version {base.version}; {base.source}; "
        f"approved by {base.approved_by} on {base.approved_at}",
        f"{base.year}年，{base.id}第{base.version}版；来源：{base.source}；"
        f"{base.approved_by}于{base.approved_at}批准",
    )


def _policy(given: ReportInput) -> Words:
    if given.policy is None:
        return Words("none is approved: no verdict is given", "没有已批准的判定规则，不作判断")
    policy = given.policy
    return Words(
        f"version {policy.version}, approved by {policy.approved_by} on {policy.approved_at}",
        f"{policy.version}版，{policy.approved_by}于{policy.approved_at}批准",
    )

"""When, where and how accidents happen: counts of up to 36 months, never percentages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analytics.ledger.codes import MANOEUVRES, ROAD_CLASSES
from analytics.ledger.scopes import NO, Scope, in_scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Kind, Note, Paragraph, Section, Table
from analytics.report.judging import MAX_MONTHS
from analytics.report.periods import Window, shift
from analytics.report.sections.accidents import ROLES
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.ledger.accident import Facts
    from analytics.report.context import Context

_TITLE = Words("Pattern", "事故规律")
_WEEKDAYS = tuple(
    Words(en, zh)
    for en, zh in zip(
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
        strict=True,
    )
)
_HOURS_OF_BAND = 3
_BANDS = tuple(range(0, 24, _HOURS_OF_BAND))


def pattern_section(context: Context) -> Section:
    """Return the section."""
    window = _window(context)
    period = window.period
    found = [
        facts
        for facts in context.now.accidents.values()
        if period.first <= facts.occurred.day <= period.last and in_scope(facts, Scope.A1) != NO
    ]
    if not found:
        none = Words(
            f"No accident with anybody hurt is recorded for {window.name.en}.",
            f"{window.name.zh}台账中没有伤亡事故记录。",
        )
        return Section("pattern", _TITLE, (Paragraph(none),))
    note = Words(
        f"{len(found)} accidents of {window.name.en}, those undecided among them. Counts only: a cell says "
        "little by itself. An accident of two vehicles or people counts in each of their rows.",
        f"{window.name.zh}共{len(found)}起（含尚未查明的）。只列起数，单个格子不足以下结论。"
        "一起事故涉及多车或多人时，在各相应行分别计入。",
    )
    return Section("pattern", _TITLE, (Note(note), _hours(found), _how(found)))


def _window(context: Context) -> Window:
    month = context.given.month
    first = shift(month, 1 - MAX_MONTHS)
    start = context.now.ledger_from
    return Window(min(month, max(first, start)) if start else first, month)


def _hours(found: Sequence[Facts]) -> Table:
    exact = [facts.occurred.at.astimezone(CIVIL_ZONE) for facts in found if facts.occurred.is_exact]
    seen = Counter((at.weekday(), at.hour // _HOURS_OF_BAND) for at in exact)
    days_only = Counter(facts.occurred.day.weekday() for facts in found if not facts.occurred.is_exact)
    columns = [Column(Words("Day", "星期"))]
    columns += [Column(cells.same(f"{hour:02d}–{hour + _HOURS_OF_BAND:02d}"), Kind.COUNT) for hour in _BANDS]
    columns.append(Column(Words("time not recorded", "时间未记录"), Kind.COUNT, weight=1.4))
    rows = [
        (
            cells.text(name),
            *(_dot(seen[weekday, band]) for band in range(len(_BANDS))),
            _dot(days_only[weekday]),
        )
        for weekday, name in enumerate(_WEEKDAYS)
    ]
    return Table(
        "hours", Words("By day of the week and hour", "按星期和时段（起）"), tuple(columns), tuple(rows)
    )


def _dot(number: int) -> Cell:
    """Show an empty cell of the grid by a dot: the eye then finds the others."""
    return Cell(cells.same(str(number) if number else "·"), (number,))


def _how(found: Sequence[Facts]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for heading, groups in (
        (Words("Manoeuvre", "行驶状态"), [_manoeuvres(facts) for facts in found]),
        (Words("Road", "道路类型"), [_roads(facts) for facts in found]),
        (Words("Others hurt", "伤亡对象"), [_people(facts) for facts in found]),
    ):
        counts = Counter(group for one in groups for group in one)
        rows += [
            (cells.text(heading), cells.text(name), cells.count(number))
            for name, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].en))
        ]
    columns = (
        Column(Words("Aspect", "方面")),
        Column(Words("What", "类别"), weight=2),
        Column(Words("Accidents", "起数"), Kind.COUNT),
    )
    return Table(
        "how",
        Words("By manoeuvre, road and who was hurt", "按行驶状态、道路和伤亡对象"),
        columns,
        tuple(rows),
    )


def _manoeuvres(facts: Facts) -> set[Words]:
    return {
        MANOEUVRES.label(each.manoeuvre) if each.manoeuvre else cells.NOT_RECORDED for each in facts.fleet
    }


def _roads(facts: Facts) -> set[Words]:
    return {ROAD_CLASSES.label(facts.road_class) if facts.road_class else cells.NOT_RECORDED}


def _people(facts: Facts) -> set[Words]:
    return {ROLES[person.role] for person in facts.casualties} or {cells.NOT_RECORDED}

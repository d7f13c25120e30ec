"""Closed loop: alerts raised, and those that a person has resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.facts.measures import Measure
from analytics.report import cells
from analytics.report.document import Cell, Column, Kind, Note, Section, Table
from analytics.report.report_input import COUNTY
from fleet.language import Words

if TYPE_CHECKING:
    from analytics.report.context import Context

#: Below it the handling of violations is a punishable state; exactly 90 % is not below.
_MIN_HANDLED = 0.9


def loop_section(context: Context) -> Section:
    """Return the section."""
    counties = context.now.scopes(COUNTY) if context.given.is_city else []
    rows = tuple(_row(context, scope) for scope in (*counties, context.given.scope))
    columns = (
        Column(Words("Scope", "范围"), weight=1.5),
        Column(Words("Alerts", "报警"), Kind.COUNT),
        Column(Words("Resolved", "已处置"), Kind.COUNT),
        Column(Words("Open", "未处置"), Kind.COUNT),
        Column(Words("Share", "处置率"), Kind.SHARE),
        Column(Words("90% line", "90%线")),
    )
    note = Words(
        "Resolved by a person; what ended by itself is not. Orders, inspections and their deadlines: "
        "not recorded.",
        "已处置指人工处置，报警自行结束的不计。整改通知、检查及其时限：未记录。",
    )
    table = Table("loop", Words("Alerts of the month", "当月报警处置"), columns, rows)
    return Section("loop", Words("Closed loop", "闭环处置"), (table, Note(note)))


def _row(context: Context, scope: str) -> tuple[Cell, ...]:
    given = context.given
    alerts, resolved = (
        context.now.amount(measure, context.month, scope).value
        for measure in (Measure.ALERTS, Measure.ALERTS_RESOLVED)
    )
    still_open = None if alerts is None or resolved is None else alerts - resolved
    return (
        cells.text(given.name(scope)),
        *(
            cells.unknown() if value is None else cells.count(round(value))
            for value in (alerts, resolved, still_open)
        ),
        cells.share(resolved, alerts),
        _against_line(alerts, resolved),
    )


def _against_line(alerts: float | None, resolved: float | None) -> Cell:
    if alerts is None or resolved is None:
        return cells.unknown()
    if not alerts:
        return cells.text(cells.NOTHING_TO_COUNT)
    is_met = resolved >= _MIN_HANDLED * alerts
    return cells.text(Words("met", "达到") if is_met else Words("below", "低于"))

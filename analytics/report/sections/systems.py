"""The figures that monthly bulletins print, by county, and how far the systems reach."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, NamedTuple

from analytics.facts.measures import Measure
from analytics.report import cells
from analytics.report.document import Cell, Column, Kind, Note, Section, Table
from analytics.report.periods import shift, the_month
from analytics.report.report_input import COUNTY
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.report.context import Context
    from analytics.report.periods import Window

_SECONDS_OF_HOUR = 3600


class _Figures(NamedTuple):
    """The figures of one scope and month; None: not recorded."""

    vehicles_filed: float | None
    vehicles: float | None
    vehicle_days: float | None
    online: float | None
    fixes: float | None
    valid: float | None
    km: float | None
    unseen: float | None
    drifting: float | None
    speedings: float | None
    fatigue_s: float | None
    alerts: float | None
    resolved: float | None


class _Kpi(NamedTuple):
    """One figure of the bulletin: a share, or an amount a vehicle."""

    name: Words
    definition: Words
    cell: Callable[[_Figures], Cell]
    is_share: bool


def _per_vehicle(amount: float | None, vehicles: float | None) -> Cell:
    if amount is None or vehicles is None:
        return cells.unknown()
    return cells.number(amount / vehicles, 3) if vehicles > 0 else Cell(cells.NOTHING_TO_COUNT, (None,))


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / _SECONDS_OF_HOUR


KPIS = (
    _Kpi(
        Words("Connected", "入网率"),
        Words("vehicles registered / vehicles filed", "登记入网车辆数/备案车辆数"),
        lambda f: cells.share(f.vehicles, f.vehicles_filed),
        True,
    ),
    _Kpi(
        Words("Online", "上线率"),
        Words("vehicle-days heard / vehicle-days", "上线车日/登记车日"),
        lambda f: cells.share(f.online, f.vehicle_days),
        True,
    ),
    _Kpi(
        Words("Valid data", "数据合格率"),
        Words("fixes fit to be used / fixes received", "可用定位/收到定位"),
        lambda f: cells.share(f.valid, f.fixes),
        True,
    ),
    _Kpi(
        Words("Track complete", "轨迹完整率"),
        Words("km seen / km seen and bridged", "有轨迹里程/（有轨迹里程+推算里程）"),
        lambda f: cells.share(f.km, _sum(f.km, f.unseen)),
        True,
    ),
    _Kpi(
        Words("Drifting", "漂移率"),
        Words("vehicles seen to drift / vehicles", "出现漂移车辆数/入网车辆数"),
        lambda f: cells.share(f.drifting, f.vehicles),
        True,
    ),
    _Kpi(
        Words("Speedings a vehicle", "车均超速次数"),
        Words("speedings / vehicles", "超速次数/入网车辆数"),
        lambda f: _per_vehicle(f.speedings, f.vehicles),
        False,
    ),
    _Kpi(
        Words("Fatigue a vehicle, h", "车均疲劳时长（小时）"),
        Words("hours beyond the permitted / vehicles", "超出规定的驾驶小时/入网车辆数"),
        lambda f: _per_vehicle(_hours(f.fatigue_s), f.vehicles),
        False,
    ),
    _Kpi(
        Words("Alerts handled", "处置率"),
        Words("alerts resolved by a person / alerts", "人工处置报警/报警总数"),
        lambda f: cells.share(f.resolved, f.alerts),
        True,
    ),
)
#: What the outline of a report asks for and nothing measures yet: said, so that it is not taken for zero.
_UNMEASURED = (
    Words("Blind-spot cameras fitted", "盲区监控安装率"),
    Words("Passes valid", "通行证有效率"),
    Words("Training: persons and hours", "驾驶人培训（人次、学时）"),
    Words("Monitors per 100 vehicles", "每百辆车专职监控人员"),
)


def systems_section(context: Context) -> Section:
    """Return the section."""
    blocks: list[Table | Note] = [_changes_table(context)]
    if context.given.is_city and (counties := context.now.scopes(COUNTY)):
        blocks.append(_county_table(context, counties))
    definitions = Words(
        "; ".join(f"{kpi.name.en}: {kpi.definition.en}" for kpi in KPIS),
        "；".join(f"{kpi.name.zh}＝{kpi.definition.zh}" for kpi in KPIS),
    )
    blocks += [
        Note(
            Words(
                definitions.en + ". A share of fewer than ten is given as both numbers.",
                definitions.zh + "。分母不足10的，列出两数而不计百分比。",
            )
        ),
        _coverage_table(context),
    ]
    return Section("systems", Words("Systems and bulletin figures", "系统运行与通报指标"), tuple(blocks))


def _figures(context: Context, window: Window, scope: str | None = None) -> _Figures:
    def value(measure: Measure) -> float | None:
        return context.now.amount(measure, window, scope).value

    month = window.first_month
    days = calendar.monthrange(month.year, month.month)[1]
    vehicle_days = value(Measure.VEHICLE_DAYS)
    return _Figures(
        vehicles_filed=value(Measure.VEHICLES_FILED),
        vehicles=None if vehicle_days is None else vehicle_days / days,
        vehicle_days=vehicle_days,
        online=value(Measure.VEHICLE_DAYS_ONLINE),
        fixes=value(Measure.FIXES),
        valid=value(Measure.FIXES_VALID),
        km=value(Measure.KM),
        unseen=value(Measure.KM_UNSEEN),
        drifting=value(Measure.VEHICLES_DRIFTING),
        speedings=value(Measure.SPEEDINGS),
        fatigue_s=value(Measure.FATIGUE_S),
        alerts=value(Measure.ALERTS),
        resolved=value(Measure.ALERTS_RESOLVED),
    )


def _changes_table(context: Context) -> Table:
    month = context.month
    windows = (month, the_month(shift(context.given.month, -1)), month.year_before())
    found = [_figures(context, window) for window in windows]
    columns = (
        Column(Words("Figure", "指标"), weight=1.6),
        Column(month.name, Kind.NUMBER),
        Column(Words("Month before", "上月"), Kind.NUMBER),
        Column(Words("Change", "环比"), Kind.NUMBER),
        Column(Words("Year before", "上年同月"), Kind.NUMBER),
        Column(Words("Change", "同比"), Kind.NUMBER),
    )
    rows = []
    for kpi in KPIS:
        now, last, year = (kpi.cell(each) for each in found)
        rows.append((cells.text(kpi.name), now, last, _change(now, last, kpi), year, _change(now, year, kpi)))
    return Table("kpis", Words("Bulletin figures", "通报指标"), columns, tuple(rows))


def _change(now: Cell, then: Cell, kpi: _Kpi) -> Cell:
    """Return the difference: of shares in percentage points, where both may be given in per cent."""
    new, old = now.raw[0], then.raw[0]
    if not isinstance(new, float | int) or not isinstance(old, float | int):
        return Cell(Words("—", "—"), (None,))
    difference = new - old
    if not kpi.is_share:
        return Cell(cells.same(_signed(cells.shown(abs(difference), 2), difference)), (difference,))
    if "/" in now.shown.en + then.shown.en:
        return Cell(Words("—", "—"), (difference,))
    points = _signed(f"{100 * abs(difference):.1f}", difference)
    return Cell(Words(f"{points} pp", f"{points}个百分点"), (difference,))


def _signed(amount: str, difference: float) -> str:
    """Put a sign before what is shown of an amount, unless that is zero."""
    if not amount.strip("0."):
        return amount
    return ("+" if difference > 0 else "−") + amount


def _county_table(context: Context, counties: list[str]) -> Table:
    columns = (
        Column(Words("County", "区县"), weight=1.2),
        *(Column(kpi.name, Kind.SHARE if kpi.is_share else Kind.NUMBER) for kpi in KPIS),
    )
    rows = []
    for scope in (*counties, context.given.scope):
        found = _figures(context, context.month, scope)
        name = Words("City", "全市") if scope == context.given.scope else context.given.name(scope)
        rows.append((cells.text(name), *(kpi.cell(found) for kpi in KPIS)))
    return Table(
        "kpis_by_county", Words("Bulletin figures by county", "各区县通报指标"), columns, tuple(rows)
    )


def _coverage_table(context: Context) -> Table:
    def value(measure: Measure) -> float | None:
        return context.now.amount(measure, context.month).value

    rows = [
        (
            cells.text(Words("Right turns with a working camera", "右转时摄像头正常工作的比例")),
            cells.share(value(Measure.RIGHT_TURNS_ARMED), value(Measure.RIGHT_TURNS_EVALUABLE)),
        ),
        (
            cells.text(
                Words("Km at intervals fine enough to judge a turn", "定位间隔足以评价转弯的里程比例")
            ),
            cells.share(value(Measure.KM_FINE), value(Measure.KM)),
        ),
        *((cells.text(name), cells.unknown()) for name in _UNMEASURED),
    ]
    columns = (Column(Words("What", "项目"), weight=2), Column(Words("Share", "比例"), Kind.SHARE))
    return Table("coverage", Words("Reach of the systems", "系统覆盖情况"), columns, tuple(rows))

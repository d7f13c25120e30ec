"""The accidents of the month, one by one and without names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analytics.ledger.accident import (
    DOMESTIC_WINDOW_DAYS,
    Facts,
    Range,
    Responsibility,
    Role,
    toll,
)
from analytics.ledger.codes import MANOEUVRES, ROAD_CLASSES
from analytics.ledger.scopes import NO, UNDECIDED, Scope, in_scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Kind, Note, Paragraph, Section, Table
from analytics.report.knowledge import county_scope
from fleet.language import Words, listed
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from analytics.report.context import Context

RESPONSIBILITIES = {
    Responsibility.FULL: Words("full", "全部"),
    Responsibility.MAIN: Words("main", "主要"),
    Responsibility.EQUAL: Words("equal", "同等"),
    Responsibility.MINOR: Words("minor", "次要"),
    Responsibility.NONE: Words("none", "无责任"),
    Responsibility.PENDING: Words("not found yet", "未认定"),
    Responsibility.UNDETERMINABLE: Words("cannot be found", "无法认定"),
}
ROLES = {
    Role.PEDESTRIAN: Words("pedestrian", "行人"),
    Role.CYCLIST: Words("cyclist", "自行车"),
    Role.EBIKE: Words("e-bike", "电动自行车"),
    Role.MOTORCYCLE: Words("motorcycle", "摩托车"),
    Role.CAR: Words("car", "汽车"),
    Role.OWN_DRIVER: Words("own driver", "本车驾驶人"),
    Role.OWN_PASSENGER: Words("own passenger", "本车乘员"),
    Role.WORKER: Words("worker", "作业人员"),
    Role.UNKNOWN: Words("not stated", "未注明"),
}
KINDS = {
    "mixer": Words("mixer", "搅拌车"),
    "bulk_cement": Words("bulk cement truck", "散装水泥车"),
    "mortar": Words("mortar truck", "砂浆车"),
    "silo_carrier": Words("silo carrier", "背罐车"),
    "pump": Words("pump truck", "泵车"),
    "other": Words("other", "其他"),
}
_TITLE = Words("Accidents of the month", "本月事故清单")


def accident_section(context: Context) -> Section:
    """Return the section."""
    period = context.month.period
    found = {
        code: facts
        for code, facts in context.now.accidents.items()
        if period.first <= facts.occurred.day <= period.last and in_scope(facts, Scope.A1) != NO
    }
    if not found:
        return Section("accidents", _TITLE, (Paragraph(_NONE),))
    ordered = sorted(found.items(), key=lambda pair: (pair[1].occurred.at, pair[0]))
    rows = tuple(_row(context, code, facts) for code, facts in ordered)
    return Section("accidents", _TITLE, (Table("accidents", _TITLE, _COLUMNS, rows), Note(_NOTE)))


_NONE = Words(
    "The ledger has no accident of this month with anybody hurt. What nobody has reported is not in it.",
    "台账中本月没有伤亡事故记录；未上报的事故不在其中。",
)
_NOTE = Words(
    "No names, plates or companies. A question mark: not decided yet. Hurt: dead within 7 days / seriously / "
    "lightly; + where nobody has said that these are all.",
    "不列姓名、号牌和企业。“?”表示尚未查明。伤亡依次为7日内死亡/重伤/轻伤；“+”表示是否为全部人数尚无说明。",
)
_COLUMNS = (
    Column(Words("No.", "编号"), weight=1.6),
    Column(Words("Time", "时间"), Kind.DATE, weight=1.2),
    Column(Words("County", "区县"), weight=1.3),
    Column(Words("Road", "道路类型"), weight=1.4),
    Column(Words("Vehicle", "车辆")),
    Column(Words("Manoeuvre", "行驶状态")),
    Column(Words("Hurt were", "伤亡对象"), weight=1.1),
    Column(Words("How many", "死/重/轻"), weight=0.9),
    Column(Words("Responsibility", "本方责任"), weight=1.1),
    Column(Words("Class", "类别"), weight=0.8),
)


def _row(context: Context, code: str, facts: Facts) -> tuple[Cell, ...]:
    county = county_scope(facts.county, context.given)
    vehicles = [KINDS.get(each.kind, Words(each.kind, each.kind)) for each in facts.fleet if each.kind]
    manoeuvres = [MANOEUVRES.label(each.manoeuvre) for each in facts.fleet if each.manoeuvre]
    people = Counter(person.role for person in facts.casualties)
    shares = [RESPONSIBILITIES[each.responsibility or Responsibility.PENDING] for each in facts.fleet]
    return (
        cells.text(cells.same(code)),
        _when(facts),
        _said([context.given.name(county)] if county else []),
        _said([ROAD_CLASSES.label(facts.road_class)] if facts.road_class else []),
        _said(vehicles),
        _said(manoeuvres),
        _said([_people(ROLES[role], number) for role, number in sorted(people.items())]),
        _hurt(facts),
        _said(list(dict.fromkeys(shares))),
        _classes(facts),
    )


def _when(facts: Facts) -> Cell:
    local = facts.occurred.at.astimezone(CIVIL_ZONE)
    if not facts.occurred.is_exact:
        return cells.day(local.date())
    return Cell(cells.same(f"{local:%m-%d %H:%M}"), (local.replace(tzinfo=None),))


def _said(parts: list[Words]) -> Cell:
    return cells.text(listed(parts)) if parts else cells.unknown()


def _people(role: Words, number: int) -> Words:
    return role if number == 1 else Words(f"{role.en} ×{number}", f"{role.zh}×{number}")


def _hurt(facts: Facts) -> Cell:
    found = toll(facts, DOMESTIC_WINDOW_DAYS)
    light = Range(found.light, found.light)
    zh, en = (
        "/".join(cells.counted(each).shown.to(language) for each in (found.dead, found.serious, light))
        for language in ("zh", "en")
    )
    more = "" if facts.casualties_known else "+"
    return cells.text(Words(en + more, zh + more))


def _classes(facts: Facts) -> Cell:
    found = ((scope, in_scope(facts, scope)) for scope in Scope)
    shown = [f"{scope}{'?' if answer == UNDECIDED else ''}" for scope, answer in found if answer != NO]
    return cells.text(cells.same(" ".join(shown)))

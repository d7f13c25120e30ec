"""What an import does, or would do, for people and as JSON. Personal values are never shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from fleet.kinds import VehicleKind
from fleet.language import Words, listed
from fleet.registry_import.column import Kind
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.planning import Fate
from fleet.registry_import.problem import plain
from fleet.registry_import.values import name_of
from fleet.schedule import Window
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.language import Language
    from fleet.registry_import.planning import Change, Plan, RowFate
    from fleet.registry_import.problem import Problem

_LONGEST_SHOWN = 60


def rows_as_json(plan: Plan) -> list[dict[str, Any]]:
    """Return every row's fate."""
    return [
        {
            "table": row.kind,
            "row": row.row,
            "code": row.code,
            "fate": row.fate,
            "valid_from": _start(row),
            "changes": [
                {"column": change.column}
                if _is_personal(row.kind, change)
                else {
                    "column": change.column,
                    "before": _plain(change.before),
                    "after": _plain(change.after),
                }
                for change in row.changes
            ],
        }
        for row in plan.fates
    ]


def problems_as_json(problems: tuple[Problem, ...], wanted: Language) -> list[dict[str, Any]]:
    """Return what is wrong with a file."""
    return [
        {
            "table": problem.table,
            "row": problem.row,
            "column": problem.column,
            "value": problem.value,
            "message": problem.message.to(wanted),
        }
        for problem in problems
    ]


def repairs_as_json(plan: Plan) -> list[dict[str, Any]]:
    """Return what was mended in geometries, with the areas in square metres."""
    return [
        {
            "row": mended.row,
            "code": mended.code,
            "fault": mended.repair.fault,
            "area_before_m2": round(mended.repair.area_before_m2),
            "area_after_m2": round(mended.repair.area_after_m2),
        }
        for mended in plan.repairs
    ]


_FATES = {
    Fate.CREATE: Words("create", "新增"),
    Fate.UPDATE: Words("update", "更新"),
    Fate.UNCHANGED: Words("unchanged", "不变"),
    Fate.ERROR: Words("error", "有误"),
}


def row_lines(plan: Plan) -> Iterator[Words]:
    """Yield a line a row: `vehicles row 2 M-1: update limit_kmh 60 -> 50, from 2026-01-31T00:01:00Z`."""
    for row in plan.fates:
        line = Words(
            f"{row.kind} row {row.row} {row.code}: ",
            f"{LAYOUTS[row.kind].label.zh} 第 {row.row} 行 {row.code}：",
        ).then(_FATES[row.fate])
        if row.fate is Fate.UPDATE:
            line = line.then(plain(" ")).then(listed(_change(row.kind, change) for change in row.changes))
            start = _start(row)
            line = line.then(Words(f", from {start}", f"，自 {start} 起") if start else plain(""))
        yield line


def repair_lines(plan: Plan) -> Iterator[Words]:
    """Yield a line for each geometry that was mended."""
    for mended in plan.repairs:
        yield (
            Words(f"fences row {mended.row} ", f"围栏 第 {mended.row} 行 ")
            .then(plain(f"{mended.code}: "))
            .then(mended.repair.words)
        )


def count_line(plan: Plan) -> Words:
    """Return how many rows of each kind have which fate: `vehicles: 3 create, 1 update`."""
    parts = []
    for kind, counts in plan.counts().items():
        told = listed(plain(f"{count} ").then(_FATES[fate]) for fate, count in counts.items() if count)
        parts.append(LAYOUTS[kind].label.then(Words(": ", "：")).then(told))
    if not parts:
        return Words("no rows", "没有数据行")
    return Words("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def topic_changes(plan: Plan) -> int:
    """Return how many vehicles change company or devices change vehicle, which need another ACL."""
    moves = {(Kind.VEHICLES, "company"), (Kind.DEVICES, "vehicle")}
    return sum(
        row.fate is Fate.UPDATE and any((row.kind, change.column) in moves for change in row.changes)
        for row in plan.fates
    )


def _start(row: RowFate) -> str | None:
    return None if row.valid_from_us is None else f"{to_datetime(row.valid_from_us):%Y-%m-%dT%H:%M:%SZ}"


def _change(kind: Kind, change: Change) -> Words:
    label = next(column.label for column in LAYOUTS[kind].columns if column.name == change.column)
    if _is_personal(kind, change):
        return label
    return label.then(plain(f" {_short(change.before)} -> {_short(change.after)}"))


def _is_personal(kind: Kind, change: Change) -> bool:
    return any(column.name == change.column and column.personal for column in LAYOUTS[kind].columns)


def _plain(value: Any) -> Any:
    """Return a field's value as JSON has it."""
    if isinstance(value, tuple):
        return [window.to_json() if isinstance(window, Window) else window for window in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, date):
        return value.isoformat()
    return name_of(value) if isinstance(value, VehicleKind) else value


def _short(value: Any) -> str:
    text = "none" if value is None else str(_plain(value))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"

"""Rows that speak of one thing: what they say is put together, and named where it differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet.entities import Vehicle
from fleet.language import Words, listed
from fleet.registry_import.column import Kind
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.problem import Problem, plain, row_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fleet.registry_import.entry import Entry
    from fleet.registry_import.planning import Registered


@dataclass(frozen=True, slots=True)
class Joined:
    """One entry a thing."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    #: Rows that said nothing new, and what others added.
    notes: tuple[Words, ...]


def join(entries: Iterable[Entry]) -> Joined:
    """Put together the entries of each code; a later row may add to the first, and not contradict it."""
    first: dict[tuple[Kind, str], Entry] = {}
    problems: list[Problem] = []
    notes: list[Words] = []
    for entry in entries:
        before = first.setdefault((entry.kind, entry.code), entry)
        if before is entry:
            continue
        differing = [
            name
            for name, value in entry.given.items()
            if name in before.given and before.given[name] != value
        ]
        if differing == ["driver_on_duty"]:
            # Two take turns, and who drives is not said.
            notes.append(_TWO_DRIVERS.fill(row=_place(entry), other=_place(before, entry), code=entry.code))
            before = replace(before, given={**before.given, "driver_on_duty": None})
            differing = []
        elif differing:
            problems.append(_problem(before, entry, differing))
        elif news := [name for name in entry.given if name not in before.given]:
            notes.append(
                _ADDS.fill(row=_place(entry), columns=_labels(entry.kind, news), other=_place(before, entry))
            )
        else:
            notes.append(_SAME.fill(row=_place(entry), other=_place(before, entry), code=entry.code))
        first[entry.kind, entry.code] = replace(
            before, given={**entry.given, **before.given}, unread=before.unread | entry.unread | {*differing}
        )
    return Joined(tuple(first.values()), tuple(problems), tuple(notes))


_SAME = Words("{row} says the same as {other} ({code}): left out", "{row}与{other}相同（{code}），略过")
_ADDS = Words("{row} adds {columns} to {other}", "{row}为{other}补充{columns}")
_DIFFERS = Words(
    "is in {row} too, with another {columns}; keep one", "与{row}重复，但{columns}不同；请只保留一行"
)
_TWO_DRIVERS = Words(
    "{row} and {other} name two drivers of {code}: nobody is put on duty",
    "{row}与{other}为 {code} 写了两名驾驶员：不设当班驾驶员",
)


def _problem(before: Entry, entry: Entry, differing: Sequence[str]) -> Problem:
    message = _DIFFERS.fill(row=_place(before, entry), columns=_labels(entry.kind, differing))
    key = LAYOUTS[entry.kind].key.name
    others = ((before.table or before.kind, before.row),)
    return Problem(entry.table or entry.kind, entry.row, key, entry.code, message, others)


def _labels(kind: Kind, names: Sequence[str]) -> Words:
    return listed(column.label for column in LAYOUTS[kind].columns if column.name in names)


def _place(entry: Entry, seen_from: Entry | None = None) -> Words:
    """Return where an entry stands; its table only where that is another one."""
    if not entry.table or (seen_from is not None and seen_from.table == entry.table):
        return row_words(entry.row)
    return plain(f"{entry.table} ").then(row_words(entry.row))


def repeated_plates(entries: Sequence[Entry], registered: Registered) -> list[Problem]:
    """Return the vehicles whose plate is that of another, in the file or in the registry."""
    vehicles = [entry for entry in entries if entry.kind is Kind.VEHICLES]
    changed = {entry.code for entry in vehicles if "plate" in entry.given}
    owners: dict[str, Words] = {}
    rows: dict[str, tuple[tuple[str, int], ...]] = {}
    for code, record in registered.get(Kind.VEHICLES, {}).items():
        if isinstance(record, Vehicle) and record.plate and code not in changed:
            owners[record.plate] = Words(f"vehicle {code} of the registry", f"平台中的车辆 {code}")
    problems = []
    for entry in vehicles:
        plate = entry.given.get("plate")
        if plate and plate in owners:
            message = _SAME_PLATE.fill(owner=owners[plate])
            others = rows.get(plate, ())
            problems.append(Problem(entry.table or entry.kind, entry.row, "plate", None, message, others))
        elif plate:
            owners[plate] = _place(entry)
            rows[plate] = ((entry.table or entry.kind, entry.row),)
    return problems


_SAME_PLATE = Words(
    "is the plate of {owner} too; mend one, or clear the old one with `-`",
    "与{owner}的车牌相同；请改正其一，或用 `-` 清空旧的",
)

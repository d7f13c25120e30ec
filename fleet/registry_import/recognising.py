"""What a table holds, and which column each of its headers names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.language import Words, listed
from fleet.registry_import.column import NOTHING, Kind, Layout, Need, nearest, normalise
from fleet.registry_import.layout import IGNORED, LAYOUTS, NOT_KEPT
from fleet.registry_import.problem import Problem, plain, refuse, shown
from fleet.registry_import.shared_columns import TELEPHONES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from fleet.registry_import.column import Column
    from fleet.registry_import.table import Table

#: How many unknown headers are told one by one.
_MAX_TOLD = 20
_DRIVER = {column.name: column for column in LAYOUTS[Kind.DRIVERS].columns}
#: What a table of vehicles may call the name of its driver: not `name`, which may be the vehicle's.
_DRIVER_NAMES = {"driver", "驾驶员", "司机", "驾驶人", *_DRIVER["name"].synonyms}
_DRIVER_WORDS: Mapping[str, Column] = {
    **dict.fromkeys(_DRIVER["code"].synonyms, _DRIVER["code"]),
    **{
        word: _DRIVER[name]
        for name in ("phone", "qualified_until")
        for word in (name, *_DRIVER[name].synonyms)
    },
    **dict.fromkeys(_DRIVER_NAMES, _DRIVER["name"]),
}


@dataclass(frozen=True, slots=True)
class Headers:
    """Which column each header of a table names."""

    kind: Kind
    columns: Mapping[str, Column]
    #: What a table of vehicles says of the driver of each; empty: nothing.
    of_driver: Mapping[str, Column]
    #: Headers that are left aside: what is not kept, and what is unknown.
    aside: tuple[str, ...]
    problems: tuple[Problem, ...]

    def words(self, *, without: str | None) -> Words:
        """Return what each header was taken for: `车牌号 = plate, 驾驶员 = driver's name`."""
        own = [_taken(header, column.label) for header, column in self.columns.items() if header != without]
        driver = Words("driver's ", "驾驶员")
        theirs = [_taken(header, driver.then(column.label)) for header, column in self.of_driver.items()]
        return listed([*own, *theirs])


def _taken(header: str, label: Words) -> Words:
    return plain(f"{shown(header)} = ").then(label)


def recognise(table: Table) -> Kind:
    """Return the kind of a table that does not say it, by its columns and, between kinds, by its name.

    A kind fits if it knows every header; a table that could be of two kinds is refused.
    """
    headers = [header for header in table.headers if normalise(header) not in IGNORED | NOT_KEPT]
    possible = [kind for kind in LAYOUTS if _has(LAYOUTS[kind], headers, {Need.ALWAYS})] or list(LAYOUTS)
    strange = {kind: sum(not _knows(kind, header, headers) for header in headers) for kind in possible}
    fewest = min(strange.values())
    fitting = [kind for kind in possible if strange[kind] == fewest]
    complete = [kind for kind in fitting if _has(LAYOUTS[kind], headers, {Need.ALWAYS, Need.WHEN_NEW})]
    chosen = complete if len(complete) == 1 else fitting
    named = [kind for kind in chosen if any(word in table.name for word in LAYOUTS[kind].sheets)]
    chosen = named if len(named) == 1 else chosen
    if len(chosen) == 1 and fewest < len(headers):
        return chosen[0]
    likely = _COULD_BE.fill(
        kinds=Words(" or ".join(chosen), "、".join(LAYOUTS[kind].label.zh for kind in chosen))
    )
    ask = _SAY_WHICH.fill(kinds="|".join(Kind))
    raise refuse((likely if fewest < len(headers) else _NONE_KNOWN).then(ask), table=table.name)


_COULD_BE = Words("these columns could be {kinds}", "这些列可能是 {kinds}")
_NONE_KNOWN = Words("no column is known", "没有认识的列")
_SAY_WHICH = Words("; say which with `--as {kinds}`", "；请用 `--as {kinds}` 指明")


def is_likely(table: Table) -> bool:
    """Say whether a table has at least two columns that one kind knows: whether it may be for us."""
    return any(sum(_knows(kind, header, table.headers) for header in table.headers) > 1 for kind in LAYOUTS)


def _knows(kind: Kind, header: str, headers: Collection[str]) -> bool:
    if LAYOUTS[kind].find(header) is not None:
        return True
    return kind is Kind.VEHICLES and normalise(header) in _DRIVER_WORDS and _have_drivers(headers)


def _have_drivers(headers: Iterable[str]) -> bool:
    return any(normalise(header) in _DRIVER_NAMES for header in headers)


def _has(layout: Layout, headers: Iterable[str], needs: Collection[Need]) -> bool:
    """Say whether the headers name every column of which there is such a need; a name will do for a code."""
    found = {column.name for header in headers if (column := layout.find(header)) is not None}
    if layout.name in found:
        found.add(layout.key.name)
    return all(column.name in found for column in layout.columns if column.need in needs)


def read_headers(table: Table, kind: Kind, *, ignore_unknown: bool) -> Headers:
    """Return the column of each header, and the headers that have none or share one."""
    layout = LAYOUTS[kind]
    with_drivers = kind is Kind.VEHICLES and _have_drivers(table.headers)
    columns: dict[str, Column] = {}
    of_driver: dict[str, Column] = {}
    aside: list[str] = []
    unknown: list[str] = []
    problems = []
    for header in table.headers:
        word = normalise(header)
        column = layout.find(header)
        theirs = _DRIVER_WORDS.get(word) if with_drivers and column is None else None
        found, taken = (theirs, of_driver) if theirs is not None else (column, columns)
        if found is None:
            if word in NOT_KEPT | TELEPHONES:
                aside.append(header)
            elif word not in IGNORED:
                unknown.append(header)
        elif found in taken.values():
            problems.append(_header_problem(table, layout, header, _SAME_MEANING))
        else:
            taken[header] = found
    if ignore_unknown:
        aside += unknown
    else:
        problems += _unknown_problems(table, layout, unknown)
    return Headers(kind, columns, of_driver, tuple(aside), tuple(problems))


_SAME_MEANING = Words("another column means the same; keep one", "另有一列含义相同；请只保留一列")
_UNKNOWN = Words("not a column of {kind}", "不是{of_kind}的列")
_KNOWN_ONES = Words("; {kind} have {columns}", "；{of_kind}的列有 {columns}")
_LEAVE_ASIDE = Words(
    ", or leave aside what is not known with `--ignore-unknown`", "；或用 `--ignore-unknown` 略过"
)


def _unknown_problems(table: Table, layout: Layout, unknown: Sequence[str]) -> list[Problem]:
    known = [name for column in layout.columns for name in (column.name, *column.synonyms)]
    names = {"kind": layout.kind, "of_kind": layout.label.zh}
    others = _KNOWN_ONES.fill(columns=listed(column.label for column in layout.columns), **names)
    near = {header: nearest(header, known) for header in unknown[:_MAX_TOLD]}
    problems = [
        _header_problem(table, layout, header, _UNKNOWN.fill(**names).then(remedy).then(_LEAVE_ASIDE))
        for header, remedy in near.items()
        if remedy.en
    ]
    far = [header for header in unknown if not near.get(header, NOTHING).en]
    if far:
        more = f" … {len(far)}" if len(far) > _MAX_TOLD else ""
        told = ", ".join(shown(header) for header in far[:_MAX_TOLD]) + more
        message = _UNKNOWN.fill(**names).then(others).then(_LEAVE_ASIDE)
        problems.append(Problem(table.name or layout.kind, None, told, None, message))
    return problems


def _header_problem(table: Table, layout: Layout, header: str, message: Words) -> Problem:
    return Problem(table.name or layout.kind, None, shown(header), None, message)

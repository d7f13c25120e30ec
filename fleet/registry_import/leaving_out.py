"""A file without its faulty rows: what is wrong is named and left out, and the rest is planned.

A row that refers to one that was left out is left out too, and so are all rows that contradict one another:
which of them is right, nobody but a person can say. What is wrong with a table as a whole, such as a column
that is not known, refuses the file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.language import Words
from fleet.registry_import.checking import MAX_PROBLEMS
from fleet.registry_import.planning import Fate, RowFate, plan, sort_fates
from fleet.registry_import.recognising import recognise
from fleet.registry_import.understanding import understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.registry_import.column import Kind
    from fleet.registry_import.entry import Choices
    from fleet.registry_import.planning import Plan, Registered, Starts
    from fleet.registry_import.problem import Problem
    from fleet.registry_import.table import Table


def plan_rest(
    tables: Sequence[Table],
    registered: Registered,
    when: Starts,
    choices: Choices,
    kind: Kind | None = None,
    *,
    all_or_nothing: bool = False,
) -> Plan:
    """Plan the import of tables without their faulty rows.

    The rows left out are in the plan's `left_out`, one problem a fault, and have the fate of an error. With
    `all_or_nothing`, or where no row can be taken out to mend it, everything wrong is in `problems`, and
    nothing is to be applied.
    """
    whole = made = _plan(tables, registered, when, choices, kind)
    left_out: list[Problem] = []
    while made.problems:
        rest = [] if all_or_nothing else _without(tables, kind, made.problems)
        if not rest:
            return whole
        left_out += made.problems if made is whole else (_follows(problem) for problem in made.problems)
        tables, made = rest, _plan(rest, registered, when, choices, kind)
    kept = {(fate.kind, fate.code) for fate in made.fates}
    errors = [
        RowFate(fate.kind, fate.row, fate.code, Fate.ERROR)
        for fate in whole.fates
        if (fate.kind, fate.code) not in kept
    ]
    return replace(made, fates=sort_fates([*errors, *made.fates]), left_out=tuple(left_out))


def _plan(
    tables: Sequence[Table], registered: Registered, when: Starts, choices: Choices, kind: Kind | None
) -> Plan:
    said = understand(tables, registered, choices, kind)
    made = plan(said.entries, registered, when, said.problems)
    return replace(made, repairs=said.repairs, notes=said.notes)


def _without(tables: Sequence[Table], kind: Kind | None, problems: Sequence[Problem]) -> list[Table]:
    """Return the tables without the rows of the problems; none if that cannot mend the file."""
    if len(problems) > MAX_PROBLEMS or any(problem.row is None for problem in problems):
        return []
    places = {place for problem in problems for place in problem.places}
    rest: list[Table] = []
    for table in tables:
        label = table.name or table.kind or kind or recognise(table)
        # A row of the only table may say something of two kinds, a vehicle and its driver.
        faulty = {row for name, row in places if name == label or len(tables) == 1}
        rows = tuple(row for row in table.rows if row.number not in faulty)
        unread = tuple(problem for problem in table.problems if problem.row not in faulty)
        if rows or not table.rows:
            rest.append(replace(table, rows=rows, problems=unread))
    return rest if _size(rest) < _size(tables) and any(table.rows for table in rest) else []


def _size(tables: Sequence[Table]) -> int:
    return sum(len(table.rows) + len(table.problems) for table in tables)


def _follows(problem: Problem) -> Problem:
    """Return a problem that is there only because other rows were left out."""
    return replace(problem, message=problem.message.then(_FOLLOWS))


_FOLLOWS = Words(" (a row it depends on may be among those left out)", "（所依据的行可能已被略过）")

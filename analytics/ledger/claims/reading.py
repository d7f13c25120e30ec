"""A list of claims to what it says of each: several rows of one number are one claim.

An insurer has a row for each kind of insurance that pays: their amounts are added. All else must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analytics.ledger.claims.columns import BY_NAME, LEXICON
from analytics.ledger.headers import choose
from fleet.language import Words
from fleet.registry_import.problem import CellError, Problem, shown
from fleet.registry_import.table import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.registry_import.column import Column
    from fleet.registry_import.table import Contents, Row, Table

_SAYS_NOTHING = frozenset({"-", "--", "/", "—", "无", "不详", "未知"})
_MAX_PROBLEMS = 1_000


@dataclass(slots=True)
class ClaimSaid:
    """What a file says of one claim."""

    code: str
    #: Table and number of each row.
    rows: list[tuple[str, int]] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    #: Amount by kind of insurance.
    paid: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClaimsSaid:
    """What a file says, what is wrong with it, and how it was read."""

    claims: tuple[ClaimSaid, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Words, ...]


def understand(contents: Contents, *, ignore_unknown: bool = False) -> ClaimsSaid:
    """Return the claims of a file. One with a faulty row is not among them."""
    reader = _Reader()
    for table in contents.tables:
        reader.read(table, ignore_unknown=ignore_unknown)
    faulty = {place for problem in reader.problems for place in problem.places}
    claims = [claim for claim in reader.claims.values() if not faulty & set(claim.rows)]
    return ClaimsSaid(tuple(claims), tuple(reader.problems), (*contents.notes, *reader.notes))


def _says_nothing(column: Column) -> frozenset[str]:
    """Return what says nothing: of people 无 says that there are none."""
    return _SAYS_NOTHING - {"无"} if column.name in {"dead", "hurt"} else _SAYS_NOTHING


class _Reader:
    """Collects the claims of a file."""

    def __init__(self) -> None:
        self.claims: dict[str, ClaimSaid] = {}
        self.problems: list[Problem] = []
        self.notes: list[Words] = []

    def read(self, table: Table, *, ignore_unknown: bool) -> None:
        columns, problems, notes = choose(table, LEXICON, ignore_unknown=ignore_unknown)
        self.notes += [*table.notes, *notes]
        self.problems += [*table.problems, *problems]
        if "code" not in {column.name for column in columns.values()}:
            return
        for row in table.rows:
            self._row(table, row, columns)
            if len(self.problems) >= _MAX_PROBLEMS:
                self.problems.append(Problem(table.name, None, "", None, _TOO_MANY.fill(row=row.number)))
                return

    def _row(self, table: Table, row: Row, columns: Mapping[str, Column]) -> None:
        given = self._cells(table, row, columns)
        code = given.pop("code", None)
        if code is None:
            if not any(problem.row == row.number for problem in self.problems):
                self._problem(table, row, "code", None, _MISSING.fill(meaning=BY_NAME["code"].meaning))
            return
        said = self.claims.setdefault(code, ClaimSaid(code))
        said.rows.append((table.name, row.number))
        coverage = given.pop("coverage", "")
        if "paid_yuan" in given:
            paid = given.pop("paid_yuan")
            if said.paid.setdefault(coverage, paid) != paid:
                self._contradiction(table, row, said, "paid_yuan", paid)
        for name, value in given.items():
            if said.given.setdefault(name, value) != value:
                self._contradiction(table, row, said, name, None if name == "plate" else value)

    def _cells(self, table: Table, row: Row, columns: Mapping[str, Column]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for header, column in columns.items():
            raw = row.cells.get(header)
            if is_blank(raw) or (isinstance(raw, str) and raw.strip() in _says_nothing(column)):
                continue
            if column.name == "paid_yuan" and "万" in header and "万" not in shown(raw):
                raw = f"{raw}万"
            try:
                given[column.name] = column.parse(raw)
            except CellError as fault:
                self._problem(table, row, header, None if column.name == "plate" else raw, fault.words)
        return given

    def _contradiction(self, table: Table, row: Row, said: ClaimSaid, name: str, value: object) -> None:
        message = _CONTRADICTS.fill(code=said.code)
        self.problems.append(
            Problem(
                table.name,
                row.number,
                name,
                None if value is None else shown(value),
                message,
                tuple(said.rows[:-1]),
            )
        )

    def _problem(self, table: Table, row: Row, column: str, value: object, message: Words) -> None:
        told = None if value is None else shown(value)
        self.problems.append(Problem(table.name, row.number, column, told, message))


_MISSING = Words("is missing: {meaning}", "缺少：{meaning}")
_TOO_MANY = Words("reading ended at row {row}, after so many problems", "问题过多，读到第 {row} 行为止")
_CONTRADICTS = Words(
    "another row says something else of claim {code}; which is right?",
    "与报案号 {code} 的另一行不一致；请核对",
)

"""A list of accidents to reports: one an accident, from as many rows as the file has of it.

A row says something of the accident, of one vehicle in it, of one person hurt, or of all three. What a row
leaves blank, or merges with the row above, other rows of the same number may say; where two say different
things, the accident is left out and both are named. Nothing here knows what is registered or recorded.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analytics.ledger.accident import Casualty, Injury, Moment, Responsibility, Role
from analytics.ledger.columns import (
    BY_NAME,
    LEXICON,
    RESPONSIBILITIES,
    ROLES,
    UNHURT,
)
from analytics.ledger.headers import choose
from fleet.language import Words, listed
from fleet.registry_import.problem import CellError, Problem, plain, shown
from fleet.registry_import.table import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleet.registry_import.column import Column
    from fleet.registry_import.table import Contents, Row, Table

#: What a row says of the vehicle and of the person; the rest it says of the accident.
_OF_VEHICLE = ("plate", "company", "kind", "manoeuvre", "responsibility")
_OF_PERSON = ("injury", "role", "died")
_SAYS_NOTHING = frozenset({"-", "--", "/", "—", "无", "不详", "未知"})
_MAX_PROBLEMS = 1_000


@dataclass(frozen=True, slots=True)
class VehicleSaid:
    """What rows say of one vehicle."""

    plate: str = ""
    company: str = ""
    kind: str = ""
    manoeuvre: str = ""
    responsibility: Responsibility | None = None


@dataclass(slots=True)
class Report:
    """What a file says of one accident."""

    code: str
    #: Table and number of each row.
    rows: list[tuple[str, int]] = field(default_factory=list)
    #: Facts of the accident, and the counts of people, by name of the column.
    given: dict[str, Any] = field(default_factory=dict)
    vehicles: list[VehicleSaid] = field(default_factory=list)
    people: list[Casualty] = field(default_factory=list)
    #: Whether a row says of a person how badly hurt, if only that nobody was.
    lists_people: bool = False
    #: Who was hurt and when they died, where rows give no person's injury.
    role: Role = Role.UNKNOWN
    died: Moment | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What a file says, what is wrong with it, and how it was read."""

    reports: tuple[Report, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Words, ...]


def understand(contents: Contents, *, ignore_unknown: bool = False) -> Understood:
    """Return the reports of a file. A report with a faulty row is not among them."""
    reader = _Reader()
    for table in contents.tables:
        reader.read(table, ignore_unknown=ignore_unknown)
    faulty = {place for problem in reader.problems for place in problem.places}
    reports = [report for report in reader.reports.values() if not faulty & set(report.rows)]
    strange = [
        _NOT_READ.fill(column=BY_NAME[name].label, words=listed(plain(shown(word)) for word in words))
        for name, words in reader.strange.items()
    ]
    return Understood(tuple(reports), tuple(reader.problems), (*contents.notes, *reader.notes, *strange))


_NOT_READ = Words("{column}: not known, taken for unknown: {words}", "{column}：不认识，按未知处理：{words}")


class _Reader:
    """Collects the reports of a file."""

    def __init__(self) -> None:
        self.reports: dict[str, Report] = {}
        self.problems: list[Problem] = []
        self.notes: list[Words] = []
        self.strange: dict[str, dict[str, None]] = {}

    def read(self, table: Table, *, ignore_unknown: bool) -> None:
        self.notes += table.notes
        self.problems += table.problems
        columns, problems, notes = choose(table, LEXICON, ignore_unknown=ignore_unknown)
        self.problems += problems
        self.notes += notes
        if "code" not in {column.name for column in columns.values()}:
            return
        for row in table.rows:
            self._row(table, row, columns)
            if len(self.problems) >= _MAX_PROBLEMS:
                self.problems.append(Problem(table.name, None, "", None, _TOO_MANY.fill(row=row.number)))
                return

    def _row(self, table: Table, row: Row, columns: Mapping[str, Column]) -> None:
        given: dict[str, Any] = {}
        for header, column in columns.items():
            raw = row.cells.get(header)
            if is_blank(raw):
                continue
            if column.name == "loss_yuan" and "万" in header and "万" not in shown(raw):
                raw = f"{raw}万"
            try:
                given[column.name] = column.parse(raw)
            except CellError as fault:
                hidden = column.name == "plate"
                self._problem(table, row, header, None if hidden else shown(raw), fault.words)
        code = given.pop("code", None)
        if code is None:
            if not any(problem.places and problem.row == row.number for problem in self.problems):
                meaning = BY_NAME["code"].meaning
                self._problem(table, row, "code", None, _MISSING.fill(meaning=meaning))
            return
        report = self.reports.setdefault(code, Report(code))
        report.rows.append((table.name, row.number))
        if given.get("injury") == UNHURT and "died" in given:
            self._problem(table, row, "injury", None, _UNHURT_AND_DEAD)
        self._accident(table, row, report, given)
        self._vehicle(report, given)
        self._person(report, given)

    def _accident(self, table: Table, row: Row, report: Report, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            if name in _OF_VEHICLE or name in _OF_PERSON:
                continue
            before = report.given.setdefault(name, value)
            if before != value:
                message = _CONTRADICTS.fill(code=report.code)
                self._problem(table, row, name, shown(value), message, report.rows[:-1])

    def _vehicle(self, report: Report, given: Mapping[str, Any]) -> None:
        said = {name: given[name] for name in _OF_VEHICLE if given.get(name)}
        for name in ("plate", "company"):
            if said.get(name) in _SAYS_NOTHING:
                del said[name]
        if "responsibility" in said:
            word = unicodedata.normalize("NFKC", said["responsibility"]).casefold()
            said["responsibility"] = RESPONSIBILITIES.get(word)
            if word not in RESPONSIBILITIES:
                self._note_strange("responsibility", word)
        if not said:
            return
        vehicle = VehicleSaid(**said)
        known = [other for other in report.vehicles if vehicle.plate and other.plate == vehicle.plate]
        if not known:
            report.vehicles.append(vehicle)
            return
        (other,) = known
        more = {name: getattr(vehicle, name) or getattr(other, name) for name in _OF_VEHICLE}
        report.vehicles[report.vehicles.index(other)] = VehicleSaid(**more)

    def _person(self, report: Report, given: Mapping[str, Any]) -> None:
        role = Role.UNKNOWN
        if word := given.get("role"):
            role = ROLES.get(unicodedata.normalize("NFKC", word).casefold(), Role.UNKNOWN)
            if role is Role.UNKNOWN:
                self._note_strange("role", word)
        injury, died = given.get("injury"), given.get("died")
        if injury is None:
            report.role = role if role is not Role.UNKNOWN else report.role
            report.died = died or report.died
            return
        report.lists_people = True
        if injury != UNHURT:
            report.people.append(Casualty(Injury(injury), role, died))

    def _note_strange(self, name: str, word: str) -> None:
        self.strange.setdefault(name, {})[word] = None

    def _problem(
        self,
        table: Table,
        row: Row,
        column: str,
        value: str | None,
        message: Words,
        others: Iterable[tuple[str, int]] = (),
    ) -> None:
        self.problems.append(Problem(table.name, row.number, column, value, message, tuple(others)))


_MISSING = Words("is missing: {meaning}", "缺少：{meaning}")
_TOO_MANY = Words("reading ended at row {row}, after so many problems", "问题过多，读到第 {row} 行为止")
_UNHURT_AND_DEAD = Words("says unhurt, and a time of death", "写明未受伤，却有死亡时间")
_CONTRADICTS = Words(
    "another row says something else of accident {code}; which is right?",
    "与事故 {code} 的另一行不一致；请核对",
)

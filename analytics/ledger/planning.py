"""Reports against the ledger: the fate of every row, and the versions to write. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.ledger.accident import LedgerError, Reporter, unknown_codes
from analytics.ledger.columns import BY_NAME
from analytics.ledger.history import (
    Reason,
    Version,
    Writer,
    changed_fields,
    known_at,
    revise,
)
from analytics.ledger.history import (
    report as first_version,
)
from analytics.ledger.merging import fleet_names, is_nearly_ours, merged
from fleet.language import Words, listed
from fleet.registry_import.problem import CellError, Problem, plain, row_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from analytics.ledger.accident import Facts
    from analytics.ledger.merging import Fleet
    from analytics.ledger.reading import Report, Understood

#: How far apart two accounts of one accident may put it.
_MAX_DAYS_APART = 3


class Fate(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    #: No vehicle of the fleet is in it.
    NOT_OURS = "not_ours"
    #: It happened on a day that was not asked for.
    OUTSIDE_PERIOD = "outside_period"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RowFate:
    """What becomes of one row of the file."""

    table: str
    row: int
    code: str
    fate: Fate
    reason: Reason | None = None
    #: Names of the facts that change.
    changes: tuple[str, ...] = ()


def count_fates(fates: Sequence[RowFate]) -> dict[Fate, int]:
    """Return how many accidents or claims have each fate; of those left out, how many rows."""
    whole = Counter(fate for _, fate in {(each.code, each.fate) for each in fates if each.code})
    return {fate: whole[fate] for fate in Fate if fate is not Fate.ERROR} | {
        Fate.ERROR: sum(each.fate is Fate.ERROR for each in fates)
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """Every row's fate, and what is to be written."""

    fates: tuple[RowFate, ...]
    #: By code of the accident.
    versions: Mapping[str, Version]
    problems: tuple[Problem, ...]
    notes: tuple[Words, ...]

    @property
    def is_refused(self) -> bool:
        """Whether the file as a whole cannot be read: nothing of it is recorded."""
        return any(problem.row is None for problem in self.problems)

    def counts(self) -> dict[Fate, int]:
        """Return how many accidents have each fate; of those left out, how many rows."""
        return count_fates(self.fates)


@dataclass(frozen=True, slots=True)
class Known:
    """What a file is compared with."""

    #: Versions of each accident, by its code.
    ledger: Mapping[str, Sequence[Version]]
    fleet: Fleet
    writer: Writer
    #: Whose account the file is, where it does not say so.
    reporter: Reporter | None
    #: Accidents of the ledger by the number that the police gave them.
    police_numbers: Mapping[str, Collection[str]] = field(default_factory=dict)
    #: First and last civil day that the file is to be of; None: any.
    days: tuple[date, date] | None = None


def plan(said: Understood, known: Known) -> Plan:
    """Return every row's fate."""
    planner = _Planner(known)
    fates = [fate for report in said.reports for fate in planner.fates(report)]
    problems = (*said.problems, *planner.problems)
    placed = {(fate.table, fate.row) for fate in fates}
    lost = {place for problem in problems for place in problem.places} - placed
    fates += [RowFate(table, row, "", Fate.ERROR) for table, row in lost]
    fates.sort(key=lambda fate: (fate.table, fate.row))
    reports = [report for report in said.reports if is_nearly_ours(report, known.fleet)]
    nearly = [report.rows[0][1] for report in reports][:_MAX_CITED]
    unknown = Counter(code for version in planner.versions.values() for code in unknown_codes(version.facts))
    notes = (
        *said.notes,
        *([_NEARLY.fill(rows=listed(map(row_words, nearly)))] if nearly else ()),
        *([_UNKNOWN_CODES.fill(codes=listed(_cited(unknown)))] if unknown else ()),
        *_same_numbers(planner.versions, known.police_numbers),
    )
    versions = {} if any(problem.row is None for problem in problems) else planner.versions
    return Plan(tuple(fates), versions, problems, notes)


_MAX_CITED = 20
_NEARLY = Words(
    "a plate differs in one character from one of the registry, look at it: {rows}",
    "车牌号与平台登记的某一车牌仅差一字，请核对：{rows}",
)
_UNKNOWN_CODES = Words(
    "codes that no table has, kept as they are: {codes}", "代码表中没有的代码，按原样保存：{codes}"
)


def _same_numbers(versions: Mapping[str, Version], known: Mapping[str, Collection[str]]) -> Iterator[Words]:
    """Yield, of each number of the police that several accidents have, which these are."""
    having: dict[str, set[str]] = defaultdict(set)
    for number, codes in known.items():
        having[number] |= set(codes)
    for code, version in versions.items():
        having[version.facts.police_no].add(code)
    having.pop("", None)
    for number, codes in sorted(having.items()):
        if len(codes) > 1:
            yield _SAME_NUMBER.fill(number=number, codes=listed(map(plain, sorted(codes))))


_SAME_NUMBER = Words(
    "several accidents have the police's number {number}: {codes}; if they are one, merge them "
    "(`kerbsafe accidents merge`)",
    "多起事故的公安编号同为 {number}：{codes}；如为同一起，请合并（`kerbsafe accidents merge`）",
)


def _cited(unknown: Counter[tuple[str, str]]) -> Iterator[Words]:
    for (name, code), times in sorted(unknown.items()):
        yield BY_NAME[name].label.then(plain(f" {code} ({times})"))


class _Planner:
    """Collects the versions to write, and what is wrong."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.versions: dict[str, Version] = {}
        self.problems: list[Problem] = []

    def fates(self, said: Report) -> list[RowFate]:
        """Return the fate of each row of one accident."""
        try:
            fate, reason, changes = self._fate(said)
        except (CellError, LedgerError) as fault:
            (table, row), *others = dict.fromkeys(said.rows)
            self.problems.append(Problem(table, row, "", said.code, fault.words, tuple(others)))
            fate, reason, changes = Fate.ERROR, None, ()
        return [RowFate(table, row, said.code, fate, reason, changes) for table, row in said.rows]

    def _fate(self, said: Report) -> tuple[Fate, Reason | None, tuple[str, ...]]:
        versions = self.known.ledger.get(said.code, ())
        writer = self.known.writer
        base = known_at(versions, writer).facts if versions else None
        facts = merged(base, said, self.known.fleet, self.known.reporter)
        if self.known.days is not None:
            first, last = self.known.days
            if not first <= facts.occurred.day <= last:
                return Fate.OUTSIDE_PERIOD, None, ()
        if base is None:
            if not facts.fleet:
                return Fate.NOT_OURS, None, ()
            version: Version | None = first_version(facts, writer)
        else:
            self._check_same(base, facts, said)
            version = revise(versions, facts, writer)
        if version is None:
            return Fate.UNCHANGED, None, ()
        self.versions[said.code] = version
        if base is None:
            return Fate.CREATE, version.reason, ()
        return Fate.UPDATE, version.reason, tuple(changed_fields(base, facts))

    def _check_same(self, base: Facts, facts: Facts, said: Report) -> None:
        """Raise if one number seems to name two accidents: firms number theirs 1, 2, 3 each."""
        before = {vehicle.name for vehicle in base.fleet if vehicle.name}
        named = fleet_names(said, facts.occurred.at, self.known.fleet)
        apart = abs((base.occurred.day - facts.occurred.day).days)
        # On the same day the police may come to name another vehicle.
        same = not (before and named) or bool(before & named) or (apart == 0 and _is_police(base, facts))
        if apart > _MAX_DAYS_APART or not same or (apart and not before & named):
            raise CellError(_ANOTHER.fill(day=base.occurred.day.isoformat()))


def _is_police(*accounts: Facts) -> bool:
    return all(facts.reporter is Reporter.POLICE for facts in accounts)


_ANOTHER = Words(
    "is the number of another accident, of {day}: give this one a number of its own",
    "该编号属于 {day} 的另一起事故；请为本起另编号",
)

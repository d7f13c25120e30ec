"""Entries against what is registered: the fate of every row, or everything that is wrong. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fleet.entities import BEGINNING_US, NOTICE_S, Fence, Pass, RegistryError
from fleet.kinds import FenceKind
from fleet.language import Words
from fleet.registry_import.column import NOTHING, Kind, Need, nearest
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.problem import Problem
from fleet.units import MICROSECONDS, to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fleet.registry_import.column import Column, Record
    from fleet.registry_import.entry import Entry, RowRepair

#: What is registered: by kind and code, the record in force when the import begins to count.
Registered = dict[Kind, dict[str, "Record"]]


class Fate(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Starts:
    """From when new versions count, microseconds since 1970."""

    #: Changes of what is registered.
    change_us: int
    #: Fences and passes that are new. Vehicles and drivers that are new count from the beginning.
    new_us: int


@dataclass(frozen=True, slots=True)
class Change:
    """A field that a row changes."""

    column: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RowFate:
    """What becomes of a row, and the record that it makes; None for an error."""

    kind: Kind
    row: int
    code: str
    fate: Fate
    record: Record | None = None
    changes: tuple[Change, ...] = ()
    #: Start of the version that the row adds, microseconds since 1970; None if it adds none.
    valid_from_us: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Every row's fate. With a problem nothing is applied."""

    fates: tuple[RowFate, ...]
    problems: tuple[Problem, ...]
    #: What is wrong with rows that were left out; the others are applied.
    left_out: tuple[Problem, ...] = ()
    #: What was mended in geometries that were not valid.
    repairs: tuple[RowRepair, ...] = ()
    #: How the file was read, where that is not plain.
    notes: tuple[Words, ...] = ()

    def counts(self) -> dict[Kind, dict[Fate, int]]:
        """Return how many rows of each kind have each fate."""
        found: dict[Kind, dict[Fate, int]] = {}
        for fate in self.fates:
            of_kind = found.setdefault(fate.kind, dict.fromkeys(Fate, 0))
            of_kind[fate.fate] += 1
        return found


def starts(now_us: int, asked_us: int | None, *, sandbox: bool, anything_received: bool) -> Starts:
    """Return from when new versions count, or refuse a start that would change what was judged.

    Without a start asked for, changes count `NOTICE_S` from now. A start in the past is allowed in a
    sandbox, and while nothing was received yet; then new fences and passes count from the beginning.
    """
    earliest_us = now_us + NOTICE_S * MICROSECONDS
    if asked_us is not None and asked_us < BEGINNING_US:
        raise RegistryError(_BEFORE_ALL.fill(first=_shown(BEGINNING_US)))
    if asked_us is not None and asked_us < earliest_us and anything_received and not sandbox:
        raise RegistryError(
            _TOO_EARLY.fill(asked=_shown(asked_us), notice=NOTICE_S, earliest=_shown(earliest_us))
        )
    change_us = earliest_us if asked_us is None else asked_us
    return Starts(change_us, BEGINNING_US if asked_us is None and not anything_received else change_us)


_BEFORE_ALL = Words(
    "--valid-from is before {first}, when the first facts begin", "--valid-from 早于最初的生效时间 {first}"
)
_TOO_EARLY = Words(
    "--valid-from {asked} is too early: facts change at least {notice} s ahead, {earliest} or later, "
    "so that what was judged stays judged",
    "--valid-from {asked} 太早：变更至少提前 {notice} 秒，即 {earliest} 或以后，已判定的才不会改变",
)


def _shown(time_us: int) -> str:
    return f"{to_datetime(time_us):%Y-%m-%dT%H:%M:%SZ}"


def plan(
    entries: Sequence[Entry], registered: Registered, when: Starts, problems: Sequence[Problem] = ()
) -> Plan:
    """Give every entry its fate. `problems` are those already found; their rows come as errors."""
    known = {kind: set(registered.get(kind, ())) for kind in Kind}
    for entry in entries:
        known[entry.kind].add(entry.code)
    planner = _Planner(registered, known, when, list(problems))
    fates = [planner.fate(entry) for entry in sorted(entries, key=_order)]
    return Plan(tuple(fates), tuple(sorted(planner.problems, key=lambda problem: problem.row or 0)))


def sort_fates(fates: Iterable[RowFate]) -> tuple[RowFate, ...]:
    """Return fates in the order of what refers to what, and of rows."""
    return tuple(sorted(fates, key=_order))


def _order(entry: Entry | RowFate) -> tuple[int, int]:
    return list(Kind).index(entry.kind), entry.row


@dataclass(frozen=True, slots=True)
class _Planner:
    """What entries are compared with, and the problems that this finds."""

    registered: Registered
    known: Mapping[Kind, set[str]]
    when: Starts
    problems: list[Problem]

    def fate(self, entry: Entry) -> RowFate:
        """Return what becomes of one entry."""
        current = self.registered.get(entry.kind, {}).get(entry.code)
        faults = [*self._missing(entry, current), *self._dangling(entry)]
        if faults or entry.unread:
            self.problems.extend(faults)
            return RowFate(entry.kind, entry.row, entry.code, Fate.ERROR)
        record = _record(entry, current)
        contradiction = _contradiction(record)
        if contradiction is not None:
            column, message = contradiction
            self.problems.append(Problem(entry.table or entry.kind, entry.row, column, None, message))
            return RowFate(entry.kind, entry.row, entry.code, Fate.ERROR)
        return self._outcome(entry, current, record)

    def _outcome(self, entry: Entry, current: Record | None, record: Record) -> RowFate:
        layout = LAYOUTS[entry.kind]
        changes = _changes(current, record)
        if current is None:
            start_us = self._new_start_us(entry.kind) if layout.versioned else None
            return RowFate(entry.kind, entry.row, entry.code, Fate.CREATE, record, changes, start_us)
        effective = {column.name for column in layout.columns if column.effective}
        start_us = self.when.change_us if effective & {change.column for change in changes} else None
        fate = Fate.UPDATE if changes else Fate.UNCHANGED
        return RowFate(entry.kind, entry.row, entry.code, fate, record, changes, start_us)

    def _new_start_us(self, kind: Kind) -> int:
        # Nothing was stored of an unregistered vehicle, so its facts change no judgement that was made;
        # a new fence or pass would.
        return BEGINNING_US if kind in {Kind.VEHICLES, Kind.DRIVERS} else self.when.new_us

    def _missing(self, entry: Entry, current: Record | None) -> list[Problem]:
        """Return the columns that a new row must have and this one has not."""
        if current is not None:
            return []
        return [
            Problem(entry.table or entry.kind, entry.row, column.name, None, _missing(entry.kind, column))
            for column in LAYOUTS[entry.kind].columns
            if column.need is Need.WHEN_NEW and column.name not in entry.given.keys() | entry.unread
        ]

    def _dangling(self, entry: Entry) -> list[Problem]:
        """Return the codes that name nothing, neither in the registry nor in the file."""
        found = []
        for column in LAYOUTS[entry.kind].columns:
            code = entry.given.get(column.name)
            if column.refers_to is not None and code is not None and code not in self.known[column.refers_to]:
                hinted = len(self.problems) < _MAX_HINTS
                remedy = nearest(code, self.known[column.refers_to]) if hinted else NOTHING
                message = _NO_SUCH.fill(kind=LAYOUTS[column.refers_to].label).then(
                    remedy if remedy.en else _IMPORT_FIRST
                )
                found.append(Problem(entry.table or entry.kind, entry.row, column.name, code, message))
        return found


_NO_SUCH = Words(
    "the registry and this file have no such code among {kind}", "平台和本文件的{kind}中都没有此代码"
)
_IMPORT_FIRST = Words("; import it first, or put it into this file", "；请先导入，或加入本文件")
#: To find the nearest of many codes takes long.
_MAX_HINTS = 20
#: What can be said beside the file.
_OPTIONS = {
    (Kind.VEHICLES, "company"): Words("; or say `--company CODE`", "；也可用 `--company 代码`"),
    (Kind.DRIVERS, "company"): Words("; or say `--company CODE`", "；也可用 `--company 代码`"),
    (Kind.VEHICLES, "kind"): Words(
        "; or say `--vehicle-kind KIND` for all that lack it", "；也可用 `--vehicle-kind` 统一指定"
    ),
}


def _missing(kind: Kind, column: Column) -> Words:
    words = Words("is missing: {meaning}", "缺少：{meaning}").fill(meaning=column.meaning)
    return words.then(_OPTIONS.get((kind, column.name), NOTHING))


def _record(entry: Entry, current: Record | None) -> Record:
    if current is not None:
        given = dict(entry.given)
        # The datum is that of the file that the geometry came from: the same geometry did not come anew.
        if isinstance(current, Fence) and given.get("geometry") == current.geometry:
            given.pop("source_datum", None)
        return replace(current, **given)
    layout = LAYOUTS[entry.kind]
    return layout.record(**{layout.key.name: entry.code, **entry.given})


def _contradiction(record: Record) -> tuple[str, Words] | None:
    """Return the column and the fault of a record whose fields do not go together."""
    match record:
        case Fence(kind=FenceKind.SPEED_ZONE, limit_kmh=None):
            return "limit_kmh", Words("is missing: a speed_zone must have a limit", "缺少：限速区必须有限速")
        case Pass(starts_at=starts_at, ends_at=ends_at) if ends_at <= starts_at:
            start = f"{starts_at:%Y-%m-%dT%H:%M:%SZ}"
            return "ends_at", Words(f"is not after starts_at ({start})", f"不晚于生效时间（{start}）")
        case _:
            return None


def _changes(current: Record | None, record: Record) -> tuple[Change, ...]:
    """Return the fields that differ; of a new record those that differ from their defaults."""
    changes = []
    for field in fields(record):
        before = getattr(current, field.name, None) if current is not None else field.default
        after = getattr(record, field.name)
        if before != after:
            changes.append(Change(field.name, before if current is not None else None, after))
    return tuple(changes)

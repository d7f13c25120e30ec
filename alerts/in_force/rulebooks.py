"""Versions of the rulebook in force one after another, as arrays for the engine. Pure.

A row is a version and the overrides that apply: one for each combination that some vehicle can be under.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from alerts.in_force import layers
from alerts.in_force.layers import (
    CLASS_LIMIT,
    HOURS,
    MODE,
    MODES,
    RULES,
    VEHICLE_KINDS,
    Combination,
    HourLimit,
    Override,
)
from alerts.words.transitions import LIVE, Rule
from fleet import schedule
from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from alerts.in_force.layers import Value

_NOBODYS = -1


class RulebookError(KerbsafeError):
    """A rulebook document has faults; the message names every one, as does `faults`."""

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (message,)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One validated version."""

    version: str
    #: In force for fixes measured from this time on, microseconds since 1970.
    valid_from_us: int
    #: What holds where nothing else is said: values by path, as "speeding.hold_s".
    base: Mapping[str, Value]
    overrides: tuple[Override, ...]
    document: str

    @property
    def numbers(self) -> Mapping[str, Mapping[str, float]]:
        """The numbers of each section, where nothing else is said."""
        return {section: _numbers_of(self.base, section) for section in _sections(self.base)}

    @property
    def class_limit_kmh(self) -> Mapping[str, float]:
        """The limit of each kind of vehicle, where nothing else is said."""
        return {kind: number(self.base, f"{CLASS_LIMIT}.{kind}") for kind in VEHICLE_KINDS}

    def of(self, company: str | None, kind: str | None) -> Combination:
        """Return what the version says of a vehicle of a company (its code) and a kind."""
        return layers.combine(self.base, layers.applying(self.overrides, company, kind))

    def in_mode(self, mode: str) -> list[str]:
        """Return the rules that are in a mode somewhere: for all, or by some override."""
        layers_said = (self.base, *(one.said for one in self.overrides))
        return [rule for rule in RULES if any(said.get(f"{MODE}.{rule}") == mode for said in layers_said)]

    def named_companies(self) -> list[str]:
        """Return the codes of the companies of which something else is said than of the others."""
        named = {one.name for one in self.overrides if one.level is layers.Level.COMPANY}
        return sorted(named.union(*(one.companies for one in self.overrides)))


def combinations(book: Rulebook) -> list[Combination]:
    """Return every combination of overrides that some vehicle can be under, that of none first."""
    chains: dict[tuple[Override, ...], None] = {}
    for company in (None, *book.named_companies()):
        for kind in (None, *VEHICLE_KINDS):
            chains[layers.applying(book.overrides, company, kind)] = None
    return [layers.combine(book.base, chain) for chain in chains]


def number(said: Mapping[str, Value], path: str) -> float:
    """Return the number at a path of a document."""
    return cast("float", said[path])


def _sections(said: Mapping[str, Value]) -> dict[str, list[str]]:
    """Return the names of the numbers of each section: paths of two parts that are no modes."""
    found: dict[str, list[str]] = {}
    for path, value in said.items():
        section, _, name = path.partition(".")
        if isinstance(value, float) and "." not in name:
            found.setdefault(section, []).append(name)
    return found


def _numbers_of(said: Mapping[str, Value], section: str) -> dict[str, float]:
    return {name: number(said, f"{section}.{name}") for name in _sections(said)[section]}


class Rulebooks:
    """Versions in force one after another, as arrays for the engine.

    A row is a version and the overrides that apply; the first row of a version is that of none. Rows are in
    the order of the versions, so that one more version later leaves them what they are.
    """

    def __init__(
        self, versions: Iterable[Rulebook], companies: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Take the versions, and the ids of companies by code: of one without, nothing else is said."""
        self.versions = sorted(versions, key=lambda book: book.valid_from_us)
        if not self.versions:
            raise RulebookError("there is no rulebook; give at least one version")
        self._from_us = np.array([book.valid_from_us for book in self.versions], np.int64)
        if len(np.unique(self._from_us)) < len(self.versions):
            raise RulebookError("two rulebook versions begin at the same time; move one of them")
        of_version = [combinations(book) for book in self.versions]
        sizes = np.array([len(found) for found in of_version])
        self._first = np.r_[0, np.cumsum(sizes)[:-1]].astype(np.int32)
        self._version = np.repeat(np.arange(len(sizes)), sizes)
        #: Since when each row's version is in force.
        self.valid_from_us = self._from_us[self._version]
        #: Row of each version, company slot and kind; None: the version says it all.
        self._rows = self._slots = None
        if len(self._version) > len(sizes):
            self._rows, self._slots = self._index(of_version, companies)
        self._fill([one.said for found in of_version for one in found])

    def _index(
        self, of_version: Sequence[Sequence[Combination]], companies: Mapping[str, int]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return rows by version, company slot and kind; and the slot of each company id, moved by one."""
        named = sorted({code for book in self.versions for code in book.named_companies()})
        rows = np.empty((len(self.versions), 1 + len(named), len(VEHICLE_KINDS)), np.int32)
        for version, (book, found) in enumerate(zip(self.versions, of_version, strict=True)):
            place = {one.overrides: self._first[version] + index for index, one in enumerate(found)}
            for slot, company in enumerate((None, *named)):
                for kind, word in enumerate(VEHICLE_KINDS):
                    rows[version, slot, kind] = place[book.of(company, word).overrides]
        # Slot 0, of companies of which nothing else is said, is also that of no company and of unknown ids.
        slots = np.zeros(3 + max((companies.get(code, 0) for code in named), default=0), np.int32)
        for slot, code in enumerate(named, 1):
            if code in companies:
                slots[companies[code] + 1] = slot
        return rows, slots

    def _fill(self, said: Sequence[Mapping[str, Value]]) -> None:
        self._tables: dict[str, NDArray[np.void]] = {}
        self._places: dict[str, NDArray[np.intp]] = {}
        for section in _sections(said[0]):
            self._tables[section], self._places[section] = _table(section, said)
        limits = [[number(one, f"{CLASS_LIMIT}.{kind}") for kind in VEHICLE_KINDS] for one in said]
        self._class_limit_kmh = np.array(limits, np.float64)
        hours = [cast("tuple[HourLimit, ...]", one[HOURS]) for one in said]
        self._has_hours = any(hours)
        kinds_of_week = list(dict.fromkeys(hours))
        self._weeks = np.array([layers.limits_of_week(one) for one in kinds_of_week])
        self._week = np.array([kinds_of_week.index(one) for one in hours])
        self._modes = np.full((len(said), max(Rule) + 1), MODES.index("live"), np.int8)
        for row, one in enumerate(said):
            for name in RULES:
                self._modes[row, Rule[name.upper()]] = MODES.index(str(one[f"{MODE}.{name}"]))
        self._has_off = bool((self._modes == MODES.index("off")).any())

    def at(
        self,
        time_us: NDArray[np.int64],
        company_id: NDArray[np.integer[Any]] | int = _NOBODYS,
        kind: NDArray[np.integer[Any]] | int = 0,
    ) -> NDArray[np.int32]:
        """Return the row in force at each time for a company (-1 none) and kind (index into `VEHICLE_KINDS`).

        Before the first version, the first. Without company the version's own row, for `OF_EVERYBODY`.
        """
        index = np.searchsorted(self._from_us, time_us, side="right") - 1
        version = np.maximum(index, 0).astype(np.int32)
        if self._rows is None or self._slots is None:
            return version
        if isinstance(company_id, int):
            return np.asarray(self._first[version])
        slot = self._slots.take(company_id.astype(np.intp) + 1, mode="clip")
        return np.asarray(self._rows[version, slot, kind])

    def in_force(self, time_us: int) -> Rulebook:
        """Return the version in force at a time."""
        return self.versions[max(int(np.searchsorted(self._from_us, time_us, side="right")) - 1, 0)]

    def numbers(self, section: str, row: NDArray[np.int32]) -> NDArray[np.void]:
        """Return the numbers of a section for each row; one for all if they agree."""
        table = self._tables[section]
        if len(table) > 1 and len(row):
            place = self._places[section][row]
            if not (place == place[0]).all():
                return np.asarray(table[place])
            one: NDArray[np.void] = table[place[0]]
            return one
        only: NDArray[np.void] = table[0]
        return only

    def now(self, section: str, now_us: int) -> NDArray[np.void]:
        """Return the numbers of a section as they hold at a time where nothing else is said."""
        return self.numbers(section, self.at(np.array([now_us], np.int64)))

    def class_limit_kmh(self, row: NDArray[np.int32], kind: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Return the limit of each vehicle kind (index into `VEHICLE_KINDS`) in each row, km/h."""
        return np.asarray(self._class_limit_kmh[row, kind])

    def hour_limit_kmh(
        self, row: NDArray[np.int32], time_us: NDArray[np.int64]
    ) -> NDArray[np.float64] | None:
        """Return the limit of the hour in each row, km/h, NaN where none; None if there is none anywhere."""
        if not self._has_hours:
            return None
        return np.asarray(self._weeks[self._week[row], schedule.minute_of_week(time_us)])

    def version(self, row: int) -> str:
        """Return the name of a row's version."""
        return str(self.versions[self._version[row]].version)

    def mode(self, row: int, rule: Rule) -> str:
        """Return `live`, or `shadow:<version>`: what the store calls the mode of an episode of a row."""
        mode = MODES[self._modes[row, rule]]
        return LIVE if mode == "live" else f"{mode}:{self.version(row)}"

    def counts(
        self, row: NDArray[np.integer[Any]], rule: NDArray[np.integer[Any]]
    ) -> NDArray[np.bool_] | None:
        """Mark the episodes of rows and rules that are not off; None if nothing is off anywhere."""
        return np.asarray(self._modes[row, rule] != MODES.index("off")) if self._has_off else None


def _table(section: str, said: Sequence[Mapping[str, Value]]) -> tuple[NDArray[np.void], NDArray[np.intp]]:
    """Return the distinct numbers of a section, and for each row which of them are its own."""
    dtype = np.dtype([(name, "f8") for name in _numbers_of(said[0], section)])
    rows = [tuple(_numbers_of(one, section).values()) for one in said]
    distinct = {values: place for place, values in enumerate(dict.fromkeys(rows))}
    return np.array(list(distinct), dtype), np.array([distinct[values] for values in rows], np.intp)

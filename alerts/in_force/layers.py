"""What a rulebook document says: its base, and what it says otherwise of cities, companies and kinds.

Everything is read whole, and every fault is named. Numbers are kept flat, by their path in the document
("speeding.hold_s"), so that putting one layer over another is one update.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.words.transitions import Rule
from fleet.schedule import MINUTES_OF_WEEK, Schedule, ScheduleError, minutes_of_week, parse_schedule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    #: Name of a number -> its meaning, and the lowest and highest that make sense.
    Known = Mapping[str, tuple[str, float, float]]

#: Vehicle kinds in the order of `fleet.registry.VehicleKind`, which this pure module does not import.
VEHICLE_KINDS = ("other", "mixer", "bulk_cement", "mortar", "silo_carrier", "pump")
#: What becomes of the episodes of a rule: alerts, rows that alert nobody, nothing.
MODES = ("live", "shadow", "off")
#: Rules that can be in shadow or off. The visits of sites are a register, not a rule.
RULES = tuple(rule.name.lower() for rule in Rule if rule != Rule.SITE)
LIMIT_LOW_KMH, LIMIT_HIGH_KMH = 5, 200
CLASS_LIMIT, HOURS, MODE = "speeding.class_limit_kmh", "speeding.hours", "mode"
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_NAME = 64


class HourLimit(NamedTuple):
    """A limit in some hours of the week."""

    when: Schedule
    limit_kmh: float
    #: The windows as they were written.
    text: str


Value = float | str | tuple[HourLimit, ...]


class Level(IntEnum):
    """What an override is of. A later one rules over an earlier one."""

    CITY = 1
    COMPANY = 2
    KIND = 3


@dataclass(frozen=True, slots=True, eq=False)
class Override:
    """What a document says otherwise of some vehicles; equal to itself alone."""

    level: Level
    #: Of the city, the company (its code) or the kind.
    name: str
    said: Mapping[str, Value]
    #: Companies of a city.
    companies: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands in the document."""
        return f"{self.level.name.lower()}.{self.name}"

    def is_of(self, company: str | None, kind: str | None) -> bool:
        """Say whether it applies to the vehicles of a company, or of a kind."""
        match self.level:
            case Level.CITY:
                return company in self.companies
            case Level.COMPANY:
                return company == self.name
        return kind == self.name


class Reader:
    """Reads the tables of one document; remembers every fault."""

    def __init__(
        self, sections: Mapping[str, Known], own: Iterable[str], on_trial: Collection[str] = ()
    ) -> None:
        """Take the numbers of each section, the sections that hold for everybody, and the rules on trial."""
        self.faults: list[str] = []
        self._on_trial = on_trial
        self._sections = sections
        self._own = frozenset(own)

    def base(self, content: Mapping[str, Any]) -> dict[str, Value]:
        """Read what holds where nothing else is said: every number must be there."""
        said: dict[str, Value] = {
            f"{MODE}.{rule}": "shadow" if rule in self._on_trial else "live" for rule in RULES
        }
        said[HOURS] = ()
        given = dict(content)
        said |= self._modes(MODE, given.pop(MODE, {}))
        self._class_limit_is_there(given)
        for section in self._sections:
            table = given.pop(section, None)
            if isinstance(table, dict):
                said |= self._section(section, table, complete=True)
            else:
                self.faults.append(f"section [{section}] is missing")
        self.faults += [f"`{name}` is not a section; there are {', '.join(self._sections)}" for name in given]
        return said

    def overrides(self, content: dict[str, Any]) -> tuple[Override, ...]:
        """Take the tables of cities, companies and kinds out of a document."""
        found = []
        for level in Level:
            given = content.pop(level.name.lower(), {})
            if not isinstance(given, dict):
                self.faults.append(
                    f"`{level.name.lower()}` is a table of tables, as in [{level.name.lower()}.NAME.speeding]"
                )
                continue
            found += [made for name, table in given.items() if (made := self._override(level, name, table))]
        self._one_city_a_company(found)
        return tuple(found)

    def _override(self, level: Level, name: str, table: object) -> Override | None:
        place = f"{level.name.lower()}.{name}"
        if fault := _name_fault(level, name):
            self.faults.append(f"`{place}`: {fault}")
        if not isinstance(table, dict):
            self.faults.append(f"`{place}` is a table of sections, as in [{place}.speeding]")
            return None
        given = dict(table)
        companies = self._companies(place, given.pop("companies", None)) if level is Level.CITY else ()
        said = self._modes(f"{place}.{MODE}", given.pop(MODE, {}))
        for section, numbers in given.items():
            if section in self._own:
                self.faults.append(
                    f"`{place}.{section}`: [{section}] holds for every vehicle alike; take it out"
                )
            elif section not in self._sections:
                there = [name for name in self._sections if name not in self._own]
                self.faults.append(f"`{place}.{section}` is not a section; there are {', '.join(there)}")
            elif not isinstance(numbers, dict):
                self.faults.append(f"`{place}.{section}` is a table of numbers")
            else:
                said |= self._section(section, numbers, complete=False, place=f"{place}.{section}")
        return Override(level, name, said, companies)

    def _companies(self, place: str, given: object) -> tuple[str, ...]:
        if not isinstance(given, list) or not given:
            self.faults.append(
                f'`{place}.companies` is missing: the codes of the city\'s companies, as in ["acme"]'
            )
            return ()
        bad = [code for code in given if not isinstance(code, str) or not _CODE.fullmatch(code)]
        self.faults += [f"`{place}.companies`: {code!r} is not the code of a company" for code in bad]
        return tuple(code for code in given if code not in bad)

    def _one_city_a_company(self, overrides: Sequence[Override]) -> None:
        city: dict[str, str] = {}
        for one in overrides:
            for code in one.companies:
                if code in city:
                    self.faults.append(
                        f"company {code!r} is in `{city[code]}` and in `{one.place}`; leave it in one"
                    )
                city[code] = one.place

    def _class_limit_is_there(self, given: Mapping[str, Any]) -> None:
        speeding = given.get("speeding")
        if not isinstance(speeding, dict) or not isinstance(speeding.get("class_limit_kmh"), dict):
            self.faults.append(f"`{CLASS_LIMIT}` is missing: a table of kind = km/h")

    def _section(
        self, section: str, table: Mapping[str, Any], *, complete: bool, place: str | None = None
    ) -> dict[str, Value]:
        """Read the numbers of a section; all must be there if it is to be `complete`."""
        place = place or section
        given, said = dict(table), dict[str, Value]()
        if section == "speeding":
            said |= self._hours(f"{place}.hours", given.pop("hours", None))
            limits = given.pop("class_limit_kmh", None)
            if isinstance(limits, dict):
                of_kind = dict.fromkeys(VEHICLE_KINDS, ("limit of the kind", LIMIT_LOW_KMH, LIMIT_HIGH_KMH))
                said |= self._numbers(CLASS_LIMIT, of_kind, limits, complete, f"{place}.class_limit_kmh")
            elif limits is not None and not complete:
                self.faults.append(f"`{place}.class_limit_kmh` is a table of kind = km/h")
        return said | self._numbers(section, self._sections[section], given, complete, place)

    def _numbers(
        self, path: str, known: Known, given: Mapping[str, Any], complete: bool, place: str
    ) -> dict[str, Value]:
        read: dict[str, Value] = {}
        for name, (meaning, low, high) in known.items():
            value = given.get(name)
            if value is None:
                if complete:
                    self.faults.append(f"`{place}.{name}` is missing ({meaning}; {low:g} to {high:g})")
            elif isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                self.faults.append(
                    f"`{place}.{name}` is {value!r}, must be a number from {low:g} to {high:g} ({meaning})"
                )
            else:
                read[f"{path}.{name}"] = float(value)
        self.faults += [
            f"`{place}.{name}` is unknown; there are {', '.join(known)}"
            for name in given
            if name not in known
        ]
        return read

    def _modes(self, place: str, given: object) -> dict[str, Value]:
        if not isinstance(given, dict):
            self.faults.append(f'`{place}` is a table of rule = "live", "shadow" or "off"')
            return {}
        read: dict[str, Value] = {}
        for rule, mode in given.items():
            if rule not in RULES:
                self.faults.append(f"`{place}.{rule}` is not a rule; there are {', '.join(RULES)}")
            elif mode not in MODES:
                self.faults.append(f"`{place}.{rule}` is {mode!r}, must be one of {', '.join(MODES)}")
            else:
                read[f"{MODE}.{rule}"] = str(mode)
        return read

    def _hours(self, place: str, given: object) -> dict[str, Value]:
        if given is None:
            return {}
        if not isinstance(given, list):
            self.faults.append(f'`{place}` is a list of {{when = "daily 22:00-06:00", limit_kmh = 50}}')
            return {}
        return {
            HOURS: tuple(
                read
                for n, one in enumerate(given, 1)
                if (read := self._hour(f"{place}[{n}]", one)) is not None
            )
        }

    def _hour(self, place: str, one: object) -> HourLimit | None:
        if not isinstance(one, dict) or set(one) != {"when", "limit_kmh"} or not isinstance(one["when"], str):
            self.faults.append(f'`{place}` is not like {{when = "daily 22:00-06:00", limit_kmh = 50}}')
            return None
        known = {"limit_kmh": ("limit in these hours", LIMIT_LOW_KMH, LIMIT_HIGH_KMH)}
        limit = self._numbers("", known, {"limit_kmh": one["limit_kmh"]}, complete=True, place=place)
        try:
            when = parse_schedule(one["when"])
        except ScheduleError as error:
            self.faults.append(f"`{place}.when`: {error}")
            return None
        return HourLimit(when, float(one["limit_kmh"]), one["when"]) if limit else None


def _name_fault(level: Level, name: str) -> str | None:
    match level:
        case Level.KIND if name not in VEHICLE_KINDS:
            return f"there is no such kind of vehicle; there are {', '.join(VEHICLE_KINDS)}"
        case Level.COMPANY if not _CODE.fullmatch(name):
            return "not the code of a company: 1 to 64 letters, digits, `_` or `-`"
        case Level.CITY if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            return f"a city's name is 1 to {_LONGEST_NAME} printable characters"
    return None


def version_fault(version: object) -> str | None:
    """Return what is wrong with the name of a version."""
    if not isinstance(version, str) or not version.strip():
        return '`version` is missing: give it a name, e.g. version = "2026-1"'
    if not version.isprintable() or len(version) > _LONGEST_NAME:
        return f"`version` is 1 to {_LONGEST_NAME} printable characters"
    return None


class Combination(NamedTuple):
    """What a document says of the vehicles to which just these overrides apply, the weakest first."""

    overrides: tuple[Override, ...]
    said: Mapping[str, Value]

    def origin(self, path: str) -> str:
        """Return which layer a value comes from: the last that names it."""
        return next((one.place for one in reversed(self.overrides) if path in one.said), "default")


def combine(base: Mapping[str, Value], overrides: Iterable[Override]) -> Combination:
    """Put overrides over the base: default < city < company < kind."""
    ordered = tuple(sorted(overrides, key=lambda one: one.level))
    said = dict(base)
    for one in ordered:
        said |= one.said
    return Combination(ordered, said)


def applying(overrides: Iterable[Override], company: str | None, kind: str | None) -> tuple[Override, ...]:
    """Return the overrides that apply to a vehicle of a company and a kind."""
    return tuple(one for one in overrides if one.is_of(company, kind))


def limits_of_week(hours: Sequence[HourLimit]) -> NDArray[np.float64]:
    """Return the lowest limit in force in each minute of the civil week, km/h; NaN where there is none."""
    limit_kmh = np.full(MINUTES_OF_WEEK, np.nan)
    for one in hours:
        within = minutes_of_week(one.when)
        limit_kmh[within] = np.fmin(limit_kmh[within], one.limit_kmh)
    return limit_kmh

"""Rulebooks: versioned, effective-dated documents that hold every number of every rule.

A document is TOML, validated whole: all its faults are reported together. Several versions make the
`Rulebooks` that the engine reads as arrays, a row a version.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alerts import motion
from alerts.rules import fence, right_turn, speeding
from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DEFAULT_PATH = Path(__file__).with_name("rulebook_default.toml")

#: Vehicle kinds in the order of `fleet.registry.VehicleKind`, which this pure module does not import.
KINDS = ("other", "mixer", "bulk_cement", "mortar", "silo_carrier", "pump")

_LIVE = {
    "horizon_s": ("older than this on arrival, a fix waits for the settler", 10, 3600),
    "ahead_s": ("further ahead of our clock than this, a fix waits for the settler", 1, 3600),
}
#: Section of the document -> its numbers.
SECTIONS: Mapping[str, Mapping[str, tuple[str, float, float]]] = {
    "live": _LIVE,
    "motion": motion.PARAMETERS,
    "speeding": speeding.PARAMETERS,
    "right_turn": right_turn.PARAMETERS,
    "fence": fence.PARAMETERS,
}
_LIMIT_LOW_KMH, _LIMIT_HIGH_KMH = 5, 200
_ALWAYS_US = -(2**62)


class RulebookError(KerbsafeError):
    """A rulebook document has faults; the message names every one."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One validated version."""

    version: str
    #: In force for fixes measured from this time on, microseconds since 1970.
    valid_from_us: int
    numbers: Mapping[str, Mapping[str, float]]
    class_limit_kmh: Mapping[str, float]
    document: str


def parse(document: str, *, valid_from_us: int = _ALWAYS_US) -> Rulebook:
    """Validate a TOML document. Raise `RulebookError` that names every fault and its remedy."""
    try:
        content = tomllib.loads(document)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(f"the rulebook is not TOML: {error}") from error
    return replace(_validated(content, document), valid_from_us=valid_from_us)


def _validated(content: dict[str, Any], document: str) -> Rulebook:
    faults: list[str] = []
    version = content.pop("version", None)
    if not isinstance(version, str) or not version.strip():
        faults.append('`version` is missing: give it a name, e.g. version = "2026-1"')
    limits = _class_limits(content, faults)
    numbers = {section: _section(section, content.pop(section, None), faults) for section in SECTIONS}
    faults += [f"`{name}` is not a section; there are {', '.join(SECTIONS)}" for name in content]
    if faults:
        raise RulebookError("the rulebook has faults: " + "; ".join(faults))
    return Rulebook(str(version), _ALWAYS_US, numbers, limits, document)


def recorded(document: str, *, valid_from_us: int) -> Rulebook:
    """Return a version that an earlier Kerbsafe has recorded and validated.

    Numbers of rules that it did not know yet are those of the rulebook that ships; what is there must hold.
    """
    shipped = tomllib.loads(DEFAULT_PATH.read_text("utf-8"))
    content = tomllib.loads(document)
    for section, numbers in shipped.items():
        if isinstance(numbers, dict):
            content[section] = numbers | content.get(section, {})
    return replace(_validated(content, document), valid_from_us=valid_from_us)


def _class_limits(content: dict[str, Any], faults: list[str]) -> Mapping[str, float]:
    section = content.get("speeding")
    given = section.pop("class_limit_kmh", None) if isinstance(section, dict) else None
    if not isinstance(given, dict):
        faults.append("`speeding.class_limit_kmh` is missing: a table of kind = km/h")
        return {}
    numbers = dict.fromkeys(KINDS, ("limit of the kind", _LIMIT_LOW_KMH, _LIMIT_HIGH_KMH))
    return _numbers("speeding.class_limit_kmh", numbers, given, faults)


def _section(section: str, given: Any, faults: list[str]) -> Mapping[str, float]:
    if not isinstance(given, dict):
        faults.append(f"section [{section}] is missing")
        return {}
    return _numbers(section, SECTIONS[section], given, faults)


def _numbers(
    place: str, known: Mapping[str, tuple[str, float, float]], given: dict[str, Any], faults: list[str]
) -> Mapping[str, float]:
    read = {}
    for name, (meaning, low, high) in known.items():
        value = given.get(name)
        if value is None:
            faults.append(f"`{place}.{name}` is missing ({meaning}; {low:g} to {high:g})")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            faults.append(
                f"`{place}.{name}` is {value!r}, must be a number from {low:g} to {high:g} ({meaning})"
            )
        else:
            read[name] = float(value)
    faults += [
        f"`{place}.{name}` is unknown; there are {', '.join(known)}" for name in given if name not in known
    ]
    return read


def default() -> Rulebook:
    """Return the rulebook that ships with Kerbsafe."""
    return parse(DEFAULT_PATH.read_text("utf-8"))


class Rulebooks:
    """Versions in force one after another, as arrays for the engine."""

    def __init__(self, versions: Sequence[Rulebook]) -> None:
        if not versions:
            raise RulebookError("there is no rulebook; give at least one version")
        self.versions = sorted(versions, key=lambda book: book.valid_from_us)
        self.valid_from_us = np.array([book.valid_from_us for book in self.versions], np.int64)
        if len(np.unique(self.valid_from_us)) < len(self.versions):
            raise RulebookError("two rulebook versions begin at the same time; move one of them")
        self._tables = {name: _table(name, self.versions) for name in SECTIONS}
        self._class_limit_kmh = np.array(
            [[book.class_limit_kmh[kind] for kind in KINDS] for book in self.versions], np.float64
        )

    def at(self, time_us: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the index of the version in force at each time; before the first, the first."""
        index = np.searchsorted(self.valid_from_us, time_us, side="right") - 1
        return np.maximum(index, 0).astype(np.int32)

    def numbers(self, section: str, version: NDArray[np.int32]) -> NDArray[np.void]:
        """Return the numbers of a section for each version index; one row for all if they agree."""
        table = self._tables[section]
        if len(table) == 1 or (version == version[0]).all():
            row: NDArray[np.void] = table[version[0] if len(version) else 0]
            return row
        return np.asarray(table[version])

    def class_limit_kmh(
        self, version: NDArray[np.int32], kind: NDArray[np.integer[Any]]
    ) -> NDArray[np.float64]:
        """Return the limit of each vehicle kind (index into `KINDS`) in each version, km/h."""
        return np.asarray(self._class_limit_kmh[version, kind])


def _table(section: str, versions: Sequence[Rulebook]) -> NDArray[np.void]:
    dtype = np.dtype([(name, "f8") for name in SECTIONS[section]])
    return np.array(
        [tuple(book.numbers[section][name] for name in SECTIONS[section]) for book in versions], dtype
    )

"""Rulebooks: versioned, effective-dated documents that hold every number of every rule.

A document is TOML, validated whole: all its faults are reported together. It says everything once, and
otherwise only what differs for a city's companies, one company, or one kind of vehicle (`layers`). Several
versions make the `Rulebooks` that the engine reads.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alerts.engine import rule_table
from alerts.folding import motion
from alerts.in_force import layers
from alerts.in_force.rulebooks import Rulebook, RulebookError, combinations, number
from alerts.rules import device
from alerts.rules.camera import blind_spot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DEFAULT_PATH = Path(__file__).with_name("default.toml")

VEHICLE_KINDS = layers.VEHICLE_KINDS

_LIVE = {
    "horizon_s": ("older than this on arrival, a fix waits for the settler", 10, 3600),
    "ahead_s": ("further ahead of our clock than this, a fix waits for the settler", 1, 3600),
}
#: Section of the document -> its numbers.
SECTIONS: Mapping[str, Mapping[str, tuple[str, float, float]]] = {
    "live": _LIVE,
    "motion": motion.PARAMETERS,
    **{section: numbers for rule in rule_table.RULES.values() for section, numbers in rule.numbers.items()},
    "blind_spot": blind_spot.PARAMETERS,
    "offline": device.OFFLINE,
    "clock_drift": device.CLOCK_DRIFT,
    "not_watched_live": device.NOT_WATCHED_LIVE,
}
#: Sections that hold for every vehicle alike: they say what a trip is, and what is in time.
OF_EVERYBODY = ("live", "motion")
#: Numbers of which the first must not exceed the second.
ORDERED = (
    ("motion.chord_s", "motion.coarse_s"),
    ("motion.rest_s", "motion.parked_s"),
    *(pair for rule in rule_table.RULES.values() for pair in rule.ordered),
)
#: Rules that are in shadow where a document does not say otherwise.
ON_TRIAL = frozenset(
    rule.name.lower() for row in rule_table.RULES.values() if row.on_trial for rule in row.judges
)
_ALWAYS_US = -(2**62)


def parse(document: str, *, valid_from_us: int = _ALWAYS_US) -> Rulebook:
    """Validate a TOML document. Raise `RulebookError` that names every fault and its remedy."""
    book = replace(_validated(content(document), document), valid_from_us=valid_from_us)
    _refuse(_out_of_order(book))
    return book


#: What reading takes grows with the square of the parts of a key, line by line: bounded before it is read.
LARGEST = 250_000
_LONGEST_LINE = 10_000
_DOTS = 60


def content(document: str) -> dict[str, Any]:
    """Return what a TOML document says, not validated. Raise `RulebookError` if it is none."""
    if len(document) > LARGEST:
        raise RulebookError(f"{len(document)} characters, and no rulebook is longer than {LARGEST}")
    for place, line in enumerate(document.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise RulebookError(f"line {place} of the rulebook is longer than {_LONGEST_LINE} characters")
        if line.count(".") > _DOTS and not line.lstrip().startswith("#"):
            raise RulebookError(f"line {place} of the rulebook has more than {_DOTS} dots, as no key has")
    try:
        return tomllib.loads(document)
    except tomllib.TOMLDecodeError as error:
        raise RulebookError(f"the rulebook is not TOML: {error}") from error
    except RecursionError as error:
        raise RulebookError("the rulebook is not one: its values nest too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise RulebookError(f"the rulebook is not one: {error}") from error


def _validated(content: dict[str, Any], document: str) -> Rulebook:
    reader = layers.Reader(SECTIONS, OF_EVERYBODY, ON_TRIAL)
    version = content.pop("version", None)
    if fault := layers.version_fault(version):
        reader.faults.append(fault)
    overrides = reader.overrides(content)
    base = reader.base(content)
    _refuse(reader.faults)
    return Rulebook(str(version), _ALWAYS_US, base, overrides, document)


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise RulebookError("the rulebook has faults: " + "; ".join(faults), faults)


def _out_of_order(book: Rulebook) -> list[str]:
    """Name pairs of numbers that contradict each other, in the base or where overrides meet."""
    faults: dict[str, None] = {}
    for combination in combinations(book):
        said = combination.said
        for low, high in ORDERED:
            if number(said, low) > number(said, high):
                of = {combination.origin(low), combination.origin(high)} - {"default"}
                where = f" (where {' and '.join(sorted(of))} applies)" if of else ""
                faults[
                    f"`{low}` is {number(said, low):g}, more than `{high}`, {number(said, high):g}{where}"
                ] = None
    return list(faults)


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


def default() -> Rulebook:
    """Return the rulebook that ships with Kerbsafe."""
    return parse(DEFAULT_PATH.read_text("utf-8"))

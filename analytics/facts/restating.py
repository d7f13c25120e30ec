"""What becomes of the facts that stand when others are said. Pure.

The same figure again changes nothing; another one closes what stood and follows it; what is not said any more
is closed without a successor, for then it is not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from analytics.facts.fact import MonthFact, Source
from analytics.facts.measures import Measure
from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

#: What people declare; everything else is measured.
DECLARABLE = frozenset({Measure.VOLUME_M3, Measure.VOLUME_T, Measure.VEHICLES_FILED})
#: The database's clock tells no two moments apart that are closer.
_NEXT = timedelta(microseconds=1)


class FactError(KerbsafeError):
    """A fact cannot be recorded as it is."""


@dataclass(frozen=True, slots=True)
class Said:
    """A figure of a month, as it is to be recorded."""

    #: `city`, or `county:`, `company:`, `plant:`, `vehicle:` with a code.
    scope: str
    #: The first day of the month.
    month: date
    measure: Measure
    value: float
    #: None: nothing was to be seen, it is declared.
    coverage: float | None = None
    source: Source = Source.DECLARED

    @property
    def key(self) -> Key:
        """Which figure it is."""
        return Key(self.month, self.scope, self.measure)


class Key(NamedTuple):
    """A figure of a month: one value of it holds at a time."""

    month: date
    scope: str
    measure: Measure


class Restatement(NamedTuple):
    """What is to be written."""

    #: New, or another than stood.
    added: list[Said]
    #: What holds no longer, superseded or not.
    closed: list[Key]
    unchanged: int
    #: When all this begins to be known: later than everything that it supersedes.
    known_from: datetime


def require_sound(said: Iterable[Said]) -> None:
    """Raise FactError for a figure that is none, and for a measured one that somebody only declares."""
    for each in said:
        place = f"{each.scope} {each.month:%Y-%m} {each.measure}"
        if not (math.isfinite(each.value) and each.value >= 0):
            raise FactError(f"{place}: {each.value} is no count and no sum; give a number from 0 on")
        if each.month.day != 1:
            raise FactError(f"{place}: {each.month} is no month; give its first day")
        if each.source is Source.DECLARED and each.measure not in DECLARABLE:
            raise FactError(
                f"{place}: is measured, nobody declares it; declared are {', '.join(sorted(DECLARABLE))}"
            )


def restate(
    said: Sequence[Said], standing: Mapping[Key, MonthFact], now: datetime, *, gone: Iterable[Key] = ()
) -> Restatement:
    """Compare figures with what stands of the same keys; `gone` are not known any more.

    Raises
    ------
    FactError
        For two values of one figure, and for a simulated or declared one where a measured one stands.
    """
    given: dict[Key, Said] = {}
    for each in said:
        if given.setdefault(each.key, each) != each:
            raise FactError(f"{each.scope} {each.month:%Y-%m} {each.measure}: two values are given")
    added, closed = [], [key for key in gone if key in standing and key not in given]
    for key, each in given.items():
        stood = standing.get(key)
        if stood is not None and _same(stood, each):
            continue
        if stood is not None and stood.source is Source.MEASURED and each.source is not Source.MEASURED:
            raise FactError(f"{key.scope} {key.month:%Y-%m} {key.measure}: is measured; it stays as it is")
        added.append(each)
        closed += [key] if stood is not None else []
    after = (standing[key].known_from + _NEXT for key in closed)
    return Restatement(added, closed, len(given) - len(added), max(now, *after) if closed else now)


def _same(stood: MonthFact, said: Said) -> bool:
    return (stood.value, stood.coverage, stood.source) == (said.value, said.coverage, said.source)

"""One fact of one month, as known from some time on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from analytics.facts.measures import Measure


class Source(StrEnum):
    """Where a figure comes from: from the positions of vehicles, or from what somebody declared."""

    MEASURED = "measured"
    DECLARED = "declared"
    #: Made by a generator of examples; whatever shows it says so.
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class MonthFact:
    """How much of one measure a scope had in a month. What has no fact is not recorded, and never zero."""

    #: `city`, or `county:`, `company:`, `plant:`, `vehicle:` with a code.
    scope: str
    #: The first day of the month.
    month: date
    measure: Measure
    value: float
    #: Share of what ought to have been seen that was, 0 to 1; None: a declared figure, nothing is to be seen.
    coverage: float | None
    source: Source
    known_from: datetime
    #: None: it still holds.
    known_to: datetime | None = None

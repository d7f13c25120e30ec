"""What the office is told of an accident, and when: a first account, then deaths, then whose fault it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from simulators.history.truth import Accident, History

#: The office writes at the end of its day.
_WRITTEN = time(17)


@dataclass(frozen=True, slots=True)
class Account:
    """All that the office knew of an accident from a moment on.

    Attributes
    ----------
    known_at
        When it was told, and wrote it down.
    light, serious
        Hurt and alive by then; who will die is among the serious.
    died
        The day of each death until then.
    responsibility
        "" while nobody has found it.
    """

    code: str
    known_at: datetime
    happened: datetime
    company: str
    vehicle: str
    county: str
    manoeuvre: str
    role: str
    light: int
    serious: int
    died: tuple[date, ...]
    responsibility: str


def accounts(history: History) -> list[Account]:
    """Return every account, in the order in which they were written."""
    found = [account for accident in history.accidents for account in _of(accident)]
    return sorted(found, key=lambda account: (account.known_at, account.code))


def _of(accident: Accident) -> list[Account]:
    if accident.reported is None or accident.found is None:
        return []
    died = [accident.day + timedelta(days=day) for day in accident.death_days]
    # A death is known the day after.
    told = {accident.reported, accident.found, *(day + timedelta(days=1) for day in died)}
    return [_by(accident, day, died) for day in sorted(told) if day >= accident.reported]


def _by(accident: Accident, day: date, died: list[date]) -> Account:
    known = tuple(each for each in died if each < day or each == accident.day)
    return Account(
        code=accident.code,
        known_at=max(datetime.combine(day, _WRITTEN, CIVIL_ZONE), accident.happened + timedelta(hours=1)),
        happened=accident.happened,
        company=accident.company,
        vehicle=accident.vehicle,
        county=accident.county,
        manoeuvre=accident.manoeuvre,
        role=accident.role,
        light=accident.light,
        serious=accident.serious + len(died) - len(known),
        died=known,
        responsibility=accident.responsibility
        if accident.found is not None and day >= accident.found
        else "",
    )

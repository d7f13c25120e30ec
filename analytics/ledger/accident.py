"""What is known of an accident at one time: who and what was in it, and what became of the people.

Only raw facts; counts, severity and scope are derived. `None` and "" mean that nothing was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from analytics.ledger.codes import CODE_TABLES
from fleet.errors import KerbsafeError
from fleet.language import Words
from fleet.schedule import CIVIL_ZONE

#: Decree 493, art. 13 (road accidents), and the United Nations' rule.
DOMESTIC_WINDOW_DAYS, INTERNATIONAL_WINDOW_DAYS = 7, 30


class LedgerError(KerbsafeError):
    """The ledger cannot be changed or read that way; the words say why, and what to do."""

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self.words = words


class Moment(NamedTuple):
    """A time, or a civil day of which nobody has said the time."""

    #: Aware; of a day its civil midnight.
    at: datetime
    is_exact: bool

    @property
    def day(self) -> date:
        """The civil day."""
        return self.at.astimezone(CIVIL_ZONE).date()

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if self.is_exact else self.day.isoformat()


class Position(NamedTuple):
    """A place on the ground, degrees, WGS 84."""

    lat: float
    lon: float


class Range(NamedTuple):
    """A count of which some cases are undecided: at least `low`, at most `high`."""

    low: int
    high: int

    def plus(self, other: Range) -> Range:
        """Return the sum."""
        return Range(self.low + other.low, self.high + other.high)

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


class Role(StrEnum):
    """Who was hurt."""

    PEDESTRIAN = "pedestrian"
    CYCLIST = "cyclist"
    EBIKE = "ebike"
    MOTORCYCLE = "motorcycle"
    CAR = "car"
    OWN_DRIVER = "own_driver"
    OWN_PASSENGER = "own_passenger"
    WORKER = "worker"
    UNKNOWN = "unknown"


class Injury(StrEnum):
    """How badly, as last stated."""

    DEAD = "dead"
    SERIOUS = "serious"
    LIGHT = "light"


class Responsibility(StrEnum):
    """Share of the blame (procedures for road accidents, art. 60)."""

    FULL = "full"
    MAIN = "main"
    EQUAL = "equal"
    MINOR = "minor"
    NONE = "none"
    #: Not found yet.
    PENDING = "pending"
    #: The police have found that it cannot be found.
    UNDETERMINABLE = "undeterminable"


DECIDED = frozenset(
    {
        Responsibility.FULL,
        Responsibility.MAIN,
        Responsibility.EQUAL,
        Responsibility.MINOR,
        Responsibility.NONE,
    }
)
AT_LEAST_EQUAL = frozenset({Responsibility.FULL, Responsibility.MAIN, Responsibility.EQUAL})


class Reporter(StrEnum):
    """Whose account it is."""

    POLICE = "police"
    COMPANY = "company"
    INSURER = "insurer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Casualty:
    """One person hurt."""

    injury: Injury
    role: Role = Role.UNKNOWN
    died: Moment | None = None
    #: Where only a count says so: dead within 7 days, or (30) from day 8 to 30. None: nobody has said.
    died_within_days: int | None = None

    def dead_within(self, days: int, occurred: date) -> bool | None:
        """Say whether the person died within so many civil days after that of the accident; None: unknown."""
        if self.died is not None:
            return (self.died.day - occurred).days <= days
        if self.injury is not Injury.DEAD:
            return False
        if self.died_within_days is None:
            return None
        return self.died_within_days <= days


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle of an accident. Of others than the fleet's nothing is kept that names them."""

    is_fleet: bool
    #: Code in the registry; "" if it is not there.
    vehicle: str = ""
    #: Of a fleet vehicle that the registry does not have.
    plate: str = ""
    #: Code of the company on the day of the accident.
    company: str = ""
    #: Word of `fleet.registry.VehicleKind`, or "".
    kind: str = ""
    manoeuvre: str = ""
    responsibility: Responsibility | None = None

    @property
    def name(self) -> str:
        """What tells fleet vehicles apart."""
        return self.vehicle or self.plate


@dataclass(frozen=True, slots=True)
class Facts:
    """An accident as one account of it has it."""

    occurred: Moment
    reporter: Reporter
    county: str = ""
    place: str = ""
    position: Position | None = None
    road_class: str = ""
    weather: str = ""
    lighting: str = ""
    form: str = ""
    loss_yuan: int | None = None
    #: Whether the police handle it, as any account so far has said; and the number that they gave it.
    police_handled: bool = False
    police_no: str = ""
    #: Number of the insurer's claim.
    claim_no: str = ""
    #: Whether the casualties are all of them: none listed then means nobody hurt.
    casualties_known: bool = False
    casualties: tuple[Casualty, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()

    @property
    def fleet(self) -> tuple[Vehicle, ...]:
        """The fleet's vehicles in it."""
        return tuple(vehicle for vehicle in self.vehicles if vehicle.is_fleet)

    @property
    def companies(self) -> tuple[str, ...]:
        """The companies that it counts for, each once; "" is one that nobody has named."""
        return tuple(sorted({vehicle.company for vehicle in self.fleet}))


class Toll(NamedTuple):
    """People dead and hurt within a window. Who is dead later counts as seriously hurt."""

    dead: Range
    serious: Range
    light: int


def toll(facts: Facts, window_days: int) -> Toll:
    """Return how many died within so many days, and how many others were hurt."""
    dead = [person.dead_within(window_days, facts.occurred.day) for person in facts.casualties]
    certain, unsure = dead.count(True), dead.count(None)
    others = [person for person, is_dead in zip(facts.casualties, dead, strict=True) if is_dead is False]
    light = sum(person.injury is Injury.LIGHT and person.died is None for person in others)
    serious = len(others) - light
    return Toll(Range(certain, certain + unsure), Range(serious, serious + unsure), light)


def unknown_codes(facts: Facts) -> list[tuple[str, str]]:
    """Return the codes that no table has, with the name of the field each."""
    said = [(name, getattr(facts, name)) for name in CODE_TABLES if name != "manoeuvre"]
    said += [("manoeuvre", vehicle.manoeuvre) for vehicle in facts.vehicles]
    return sorted({(name, code) for name, code in said if code and not CODE_TABLES[name].knows(code)})


def check(facts: Facts) -> None:
    """Raise `LedgerError` if the facts of one account contradict one another."""
    for person in facts.casualties:
        if person.died is not None and person.died.day < facts.occurred.day:
            raise LedgerError(_DIED_BEFORE.fill(died=person.died.day, occurred=facts.occurred.day))
    if facts.loss_yuan is not None and facts.loss_yuan < 0:
        raise LedgerError(_NEGATIVE_LOSS.fill(yuan=facts.loss_yuan))
    names = [vehicle.name for vehicle in facts.fleet if vehicle.name]
    if len(set(names)) < len(names):
        raise LedgerError(_TWICE)


_DIED_BEFORE = Words(
    "a person died on {died}, before the accident of {occurred}",
    "死亡时间（{died}）早于事故发生时间（{occurred}）",
)
_NEGATIVE_LOSS = Words("the loss is {yuan} yuan: it cannot be negative", "损失为 {yuan} 元：不能为负数")
_TWICE = Words("a vehicle of the fleet is in it twice", "同一辆车登记了两次")

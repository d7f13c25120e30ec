"""A report over what is known: the facts that the ledger will have.

What the report does not say stays. People are replaced as a whole, unless the report knows less of them;
vehicles that have a code or a plate one by one, the others as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.ledger.accident import (
    DOMESTIC_WINDOW_DAYS,
    INTERNATIONAL_WINDOW_DAYS,
    Casualty,
    Facts,
    Injury,
    Range,
    Reporter,
    Vehicle,
    toll,
)
from fleet.language import Words
from fleet.registry_import.plates import read_plate
from fleet.registry_import.problem import CellError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.ledger.reading import Report, VehicleSaid

_OF_ACCIDENT = (
    *("occurred", "county", "place", "road_class", "weather", "lighting", "form", "loss_yuan"),
    *("police_no", "claim_no"),
)
_COUNTS = ("deaths", "serious", "light")


class Since(NamedTuple):
    """Company and kind of a vehicle from a time on."""

    at: datetime
    company: str
    kind: str


@dataclass(frozen=True)
class Fleet:
    """What the registry says of vehicles and companies."""

    #: Code of each vehicle by its plate.
    plates: Mapping[str, str]
    #: By code, oldest first; the first also holds for every time before it.
    vehicles: Mapping[str, Sequence[Since]]
    #: Code of each company by its code and its name.
    companies: Mapping[str, str]

    @cached_property
    def masked_plates(self) -> frozenset[str]:
        """Every plate with each of its characters left out in turn."""
        return frozenset(masked for plate in self.plates for masked in _masked(plate))

    def facts_of(self, code: str, at: datetime) -> Since:
        """Return the company and kind of a vehicle at a time."""
        versions = self.vehicles[code]
        return next((since for since in reversed(versions) if since.at <= at), versions[0])


def merged(base: Facts | None, report: Report, fleet: Fleet, reporter: Reporter | None) -> Facts:
    """Return the facts that a report makes of what was known.

    Parameters
    ----------
    base
        What is known already; None for a new accident.
    report, fleet
        What the file says, and what the registry does.
    reporter
        Whose account it is, where the file does not say it.

    Raises
    ------
    CellError
        If it cannot be the account of one accident; what is wrong.
    """
    given: dict[str, Any] = {name: report.given[name] for name in _OF_ACCIDENT if name in report.given}
    whose = report.given.get("reporter", reporter)
    if whose is None:
        raise CellError(_NO_REPORTER)
    given["reporter"] = whose
    if base is None and "occurred" not in given:
        raise CellError(_NO_TIME)
    facts = Facts(**given) if base is None else replace(base, **given)
    handled = facts.police_handled or whose is Reporter.POLICE or bool(facts.police_no)
    facts = replace(facts, police_handled=handled, vehicles=_vehicles(facts, report, fleet))
    return _with_people(facts, report)


_NO_REPORTER = Words(
    "nobody says whose account it is: add a column 报告方, or say `--reporter police|company|insurer`",
    "未说明报告方：请增加“报告方”列，或用 `--reporter police|company|insurer`",
)
_NO_TIME = Words("is missing: when it happened", "缺少：发生时间")


def _vehicles(facts: Facts, report: Report, fleet: Fleet) -> tuple[Vehicle, ...]:
    said = [vehicle_of(each, facts.occurred.at, fleet) for each in report.vehicles]
    ours = _by_name(facts.vehicles, fleet)
    for name, vehicle in _by_name(said, fleet).items():
        ours[name] = _completed(ours.get(name), vehicle)
    found = list(ours.values())
    for is_fleet in (True, False):
        found += _nameless(said, is_fleet=is_fleet) or _nameless(facts.vehicles, is_fleet=is_fleet)
    return tuple(sorted(found, key=_order))


def _by_name(vehicles: Sequence[Vehicle], fleet: Fleet) -> dict[str, Vehicle]:
    """Return vehicles by their code or plate; one that was registered since by the code that it has now."""
    return {fleet.plates.get(vehicle.plate, vehicle.name): vehicle for vehicle in vehicles if vehicle.name}


def _nameless(vehicles: Sequence[Vehicle], *, is_fleet: bool) -> list[Vehicle]:
    return [vehicle for vehicle in vehicles if not vehicle.name and vehicle.is_fleet is is_fleet]


def fleet_names(report: Report, at: datetime, fleet: Fleet) -> set[str]:
    """Return which vehicles of the fleet a report names."""
    found = (vehicle_of(each, at, fleet) for each in report.vehicles)
    return {vehicle.name for vehicle in found if vehicle.is_fleet and vehicle.name}


def vehicle_of(said: VehicleSaid, at: datetime, fleet: Fleet) -> Vehicle:
    """Return a vehicle: the fleet's if it, or its company, is registered, or if it is a special one."""
    plate = _plate(said.plate)
    code = said.plate if said.plate in fleet.vehicles else fleet.plates.get(plate, "")
    company = fleet.companies.get(said.company, "")
    if code:
        since = fleet.facts_of(code, at)
        found = Vehicle(True, code, "", since.company, since.kind)
    elif company or said.kind:
        found = Vehicle(True, "", plate, company, said.kind)
    else:
        found = Vehicle(False)
    return replace(found, manoeuvre=said.manoeuvre, responsibility=said.responsibility)


def _plate(text: str) -> str:
    try:
        return read_plate(text)
    except CellError:
        return ""


def is_nearly_ours(report: Report, fleet: Fleet) -> bool:
    """Say whether a plate differs in one character from one of the registry: it may be mistyped."""
    plates = {_plate(said.plate) for said in report.vehicles if said.plate not in fleet.vehicles}
    return any(
        plate not in fleet.plates and not fleet.masked_plates.isdisjoint(_masked(plate)) for plate in plates
    )


def _masked(plate: str) -> list[str]:
    return [f"{plate[:place]}*{plate[place + 1 :]}" for place in range(len(plate))]


def _completed(before: Vehicle | None, after: Vehicle) -> Vehicle:
    if before is None:
        return after
    kept = {
        name: getattr(after, name) or getattr(before, name)
        for name in ("company", "kind", "manoeuvre", "responsibility")
    }
    return replace(after, **kept)


def _order(vehicle: Vehicle) -> tuple[object, ...]:
    share = "" if vehicle.responsibility is None else str(vehicle.responsibility)
    return not vehicle.is_fleet, vehicle.name, vehicle.company, vehicle.kind, vehicle.manoeuvre, share


def _with_people(facts: Facts, report: Report) -> Facts:
    stated = {name: report.given[name] for name in (*_COUNTS, "deaths_30d") if name in report.given}
    if report.lists_people:
        listed = replace(facts, casualties=_sorted(report.people), casualties_known=True)
        _check_counts(listed, stated)
        return facts if _says_no_more(listed, facts, stated) else listed
    if (report.died is not None or "deaths_30d" in stated) and "deaths" not in stated:
        raise CellError(_WHO_DIED)
    if not stated:
        return facts
    # What the list does not count stays; a later death too, unless the list counts deaths differently.
    before, later = _as_counts(facts)
    stated = {name: number for name, number in before.items() if number or facts.casualties_known} | stated
    if later and stated.get("deaths") == before["deaths"]:
        stated.setdefault("deaths_30d", before["deaths"] + later)
    known = all(name in stated for name in _COUNTS)
    counted = replace(facts, casualties=_from_counts(facts, report, stated), casualties_known=known)
    return facts if _says_no_more(counted, facts, stated) else counted


def _as_counts(facts: Facts) -> tuple[dict[str, int], int]:
    """Return how a list would count the people that are known, and how many of the serious died later."""
    day, people = facts.occurred.day, facts.casualties
    dead = [
        person.dead_within(DOMESTIC_WINDOW_DAYS, day) is not False
        or (person.injury is Injury.DEAD and person.died is not None)
        for person in people
    ]
    light = sum(person.injury is Injury.LIGHT and person.died is None for person in people)
    later = sum(
        not is_dead and person.dead_within(INTERNATIONAL_WINDOW_DAYS, day) is True
        for person, is_dead in zip(people, dead, strict=True)
    )
    counts = (sum(dead), len(people) - sum(dead) - light, light)
    return dict(zip(_COUNTS, counts, strict=True)), later


def _says_no_more(after: Facts, before: Facts, stated: Mapping[str, int]) -> bool:
    """Say whether what an account says of people fits what is known, and knows less of their deaths."""
    if after.casualties_known != before.casualties_known or any(person.died for person in after.casualties):
        return False
    days = INTERNATIONAL_WINDOW_DAYS if "deaths_30d" in stated else DOMESTIC_WINDOW_DAYS
    (one, hurt, light), (dead, serious, slight) = toll(after, days), toll(before, days)
    if not (_holds(one, dead) and _holds(hurt, serious) and light == slight):
        return False
    later = toll(after, INTERNATIONAL_WINDOW_DAYS) != toll(before, INTERNATIONAL_WINDOW_DAYS)
    return later or one != dead or any(person.died for person in before.casualties)


def _holds(outer: Range, inner: Range) -> bool:
    return outer.low <= inner.low and inner.high <= outer.high


_WHO_DIED = Words(
    "has a death and does not say how many died (死亡人数), or give each person a row, with 伤害程度",
    "有死亡时间或 30 日内死亡人数而无死亡人数；请补填，或每名伤亡者一行并填写伤害程度",
)


def _from_counts(facts: Facts, report: Report, stated: Mapping[str, int]) -> tuple[Casualty, ...]:
    """Return the people that counts speak of. The police count as dead who died within 7 days."""
    dead, serious, light = (stated.get(name, 0) for name in _COUNTS)
    later = stated.get("deaths_30d", dead) - dead
    if later < 0:
        raise CellError(_FEWER_LATER)
    within = DOMESTIC_WINDOW_DAYS if facts.reporter is Reporter.POLICE else None
    people = [
        *[Casualty(Injury.DEAD, report.role, died_within_days=within)] * dead,
        *[Casualty(Injury.DEAD, report.role, died_within_days=INTERNATIONAL_WINDOW_DAYS)] * later,
        *[Casualty(Injury.SERIOUS, report.role)] * max(0, serious - later),
        *[Casualty(Injury.LIGHT, report.role)] * light,
    ]
    if report.died is not None:
        if dead + later != 1:
            raise CellError(_WHOSE_DEATH)
        is_within = (report.died.day - facts.occurred.day).days <= DOMESTIC_WINDOW_DAYS
        if is_within != bool(dead) and (within or not dead):
            raise CellError(_OTHER_WINDOW)
        people[0] = Casualty(Injury.DEAD, report.role, report.died)
    return _sorted(people)


_FEWER_LATER = Words(
    "says that fewer died within 30 days than within 7", "30 日内死亡人数少于 7 日内死亡人数"
)
_OTHER_WINDOW = Words(
    "has a time of death on the other side of day 7 than 死亡人数 says: which is right?",
    "死亡时间与 7 日内死亡人数不符；请核对",
)
_WHOSE_DEATH = Words(
    "has one time of death, and not one dead; give each person a row, with 伤害程度",
    "只有一个死亡时间而死亡人数不为一；请每名伤亡者一行并填写伤害程度",
)


def _check_counts(listed: Facts, stated: Mapping[str, int]) -> None:
    """Raise if the counts beside a list of people are not those of the list."""
    found = toll(listed, DOMESTIC_WINDOW_DAYS)
    wrong = [
        name
        for name, (low, high) in (
            ("deaths", found.dead),
            ("serious", found.serious),
            ("light", (found.light, found.light)),
        )
        if name in stated and not low <= stated[name] <= high
    ]
    if wrong:
        raise CellError(_NOT_THE_SUM.fill(names=", ".join(wrong)))


_NOT_THE_SUM = Words(
    "lists people whose number is not the one stated ({names})", "逐人列出的伤亡人数与合计人数不符（{names}）"
)


def _sorted(people: Iterable[Casualty]) -> tuple[Casualty, ...]:
    return tuple(
        sorted(
            people,
            key=lambda person: (
                list(Injury).index(person.injury),
                person.role,
                str(person.died or ""),
                person.died_within_days or 0,
            ),
        )
    )

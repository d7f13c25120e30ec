"""Literal accidents, and how a row of a file reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    Moment,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
)
from analytics.ledger.columns import ACCIDENTS, moment
from analytics.ledger.history import Version, Writer
from analytics.ledger.merging import Fleet, Since
from analytics.ledger.planning import Known, Plan, plan
from analytics.ledger.reading import Understood, understand
from fleet.registry_import.reading import read_tables

DEAD, SERIOUS, LIGHT = Injury.DEAD, Injury.SERIOUS, Injury.LIGHT
FULL, EQUAL, MINOR, PENDING = (
    Responsibility.FULL,
    Responsibility.EQUAL,
    Responsibility.MINOR,
    Responsibility.PENDING,
)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """Civil time."""
    return datetime.fromisoformat(f"{text}:00+08:00" if len(text) > 10 else f"{text}T00:00:00+08:00")


def day(text: str) -> Moment:
    return moment(text)


def died(text: str, injury: Injury = DEAD) -> Casualty:
    return Casualty(injury, Role.PEDESTRIAN, moment(text))


def hurt(*injuries: Injury) -> tuple[Casualty, ...]:
    return tuple(Casualty(injury, Role.EBIKE) for injury in injuries)


def mixer(name: str = "HD-M-001", company: str = "HD", **more: Any) -> Vehicle:
    return Vehicle(True, name, company=company, kind="mixer", **more)


def accident(occurred: str = "2016-03-12 08:30", **more: Any) -> Facts:
    said: dict[str, Any] = {
        "occurred": moment(occurred),
        "reporter": Reporter.POLICE,
        "police_handled": True,
        "casualties_known": True,
        "vehicles": (mixer(responsibility=PENDING),),
    }
    return Facts(**(said | more))


def writer(recorded: str, known: str | None = None, why: str = "test", who: str = "wang") -> Writer:
    return Writer(who, at(recorded), at(known or recorded), why)


FLEET = Fleet(
    plates={"浙F12345": "HD-M-001", "浙F22222": "TX-M-002"},
    vehicles={
        "HD-M-001": (Since(BEGINNING, "HD", "mixer"), Since(at("2016-06-01"), "TX", "mixer")),
        "TX-M-002": (Since(BEGINNING, "TX", "bulk_cement"),),
    },
    companies={"HD": "HD", "TX": "TX", "海盐混凝土有限公司": "HD", "桐乡水泥有限公司": "TX"},
)


def read(text: str, **more: Any) -> Understood:
    return understand(read_tables(text.encode(), ACCIDENTS), **more)


def planned(
    text: str,
    ledger: dict[str, list[Version]] | None = None,
    *,
    by: Writer | None = None,
    reporter: Reporter | None = Reporter.POLICE,
    fleet: Fleet = FLEET,
) -> Plan:
    return plan(read(text), Known(ledger or {}, fleet, by or writer("2016-03-20 10:00"), reporter))

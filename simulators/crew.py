"""Who drives what for whom: companies, trucks and drivers, and the registry file they make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulators import truck
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from simulators.truck import Driver, Kind

COMPANY_NAMES = ("鸿达", "恒基", "南湖", "运河", "新塍", "秀水", "海盐塘", "平湖塘")
DISTRICTS = ("市本级", "嘉善县", "平湖市", "海盐县", "海宁市", "桐乡市", "嘉兴港区")
MIXER_SHARE = 0.75
QUALIFIED_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Company:
    """An enterprise with plants."""

    code: str
    name: str
    district: str


@dataclass(frozen=True, slots=True)
class Truck:
    """One truck and the person who drives it."""

    number: int
    code: str
    plate: str
    company: str
    kind: Kind
    driver: Driver
    #: Which of the city's plants it loads at.
    plant: int
    odometer_m: float


def companies(count: int) -> list[Company]:
    """Return `count` companies."""
    return [
        Company(
            f"co{i + 1:02d}",
            f"{COMPANY_NAMES[i % len(COMPANY_NAMES)]}建材{i // len(COMPANY_NAMES) + 1}",
            DISTRICTS[i % len(DISTRICTS)],
        )
        for i in range(count)
    ]


def trucks(seed: int, count: int, plants: int, firms: list[Company]) -> list[Truck]:
    """Return `count` trucks, spread over plants; a plant belongs to one company."""
    made = []
    for number in range(count):
        rng = stream(seed, "crew", number)
        kind = truck.MIXER if rng.random() < MIXER_SHARE else truck.BULK_CEMENT
        plant = number % plants
        made.append(
            Truck(
                number,
                f"{'mx' if kind is truck.MIXER else 'bc'}{number + 1:05d}",
                f"浙F{number + 1:05d}",
                firms[plant % len(firms)].code,
                kind,
                truck.driver(f"dr{number + 1:05d}", rng),
                plant,
                float(rng.uniform(5e6, 3e8)),
            )
        )
    return made


def registry(
    firms: list[Company],
    fleet: list[Truck],
    passes: Mapping[int, frozenset[str]],
    days: tuple[datetime, datetime],
) -> dict[str, Any]:
    """Return what `kerbsafe registry import` reads.

    Parameters
    ----------
    passes
        Codes of the forbidden areas that a truck, by number, may enter.
    days
        From when to when passes and qualifications count.
    """
    since, until = (moment.replace(microsecond=0) for moment in days)
    qualified = (until + QUALIFIED_FOR).date().isoformat()
    return {
        "companies": [{"code": c.code, "name": c.name, "district": c.district} for c in firms],
        "vehicles": [
            {
                "code": t.code,
                "company": t.company,
                "kind": t.kind.code,
                "limit_kmh": t.kind.limit_kmh,
                "plate": t.plate,
            }
            for t in fleet
        ],
        "drivers": [
            {
                "code": t.driver.code,
                "company": t.company,
                "name": f"驾驶员{t.number + 1}",
                "qualified_until": qualified,
            }
            for t in fleet
        ],
        "passes": [
            {
                "code": f"pass-{fleet[number].code}-{fence}",
                "vehicle": fleet[number].code,
                "fence": fence,
                "starts_at": since.isoformat(),
                "ends_at": (until + QUALIFIED_FOR).isoformat(),
            }
            for number, fences in passes.items()
            for fence in sorted(fences)
        ],
    }

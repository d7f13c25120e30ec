"""What truly happened: kilometres by company, county and month, and accidents in them.

Accidents are Poisson in the kilometres. Companies differ by a gamma frailty of mean 1; from one month on
every rate falls by the true effect. What an office knows is less than what happened: some accidents are
never reported, some late, and some of the injured die later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fleet.schedule import CIVIL_ZONE
from simulators.history.setting import MONTHS_A_YEAR, Setting, month_after
from simulators.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

RESPONSIBILITIES = ("full", "main", "equal", "minor", "none", "undeterminable")
RESPONSIBILITY_SHARES = (0.22, 0.18, 0.2, 0.2, 0.14, 0.06)
#: Right turns kill more than any other manoeuvre of a truck.
MANOEUVRES = ("right_turn", "straight", "left_turn", "reversing", "starting")
MANOEUVRE_SHARES = (0.38, 0.32, 0.1, 0.08, 0.12)
ROLES = ("ebike", "pedestrian", "cyclist", "motorcycle", "car")
ROLE_SHARES = (0.46, 0.22, 0.12, 0.08, 0.12)
#: By hour of the day: building traffic is of the day.
HOUR_WEIGHTS = np.array([1, 1, 1, 1, 1, 2, 5, 8, 9, 8, 7, 6, 5, 6, 7, 8, 9, 8, 5, 4, 3, 2, 1, 1]) / 109


@dataclass(frozen=True, slots=True)
class Accident:
    """One accident as it truly was, and when, if ever, the office heard of it.

    Attributes
    ----------
    light, serious
        People hurt who live.
    death_days
        Days from the accident to each death, ascending; empty if nobody died.
    reported, found
        When the office heard of it, None: never; and when responsibility was found.
    """

    code: str
    happened: datetime
    company: str
    vehicle: str
    county: str
    manoeuvre: str
    role: str
    light: int
    serious: int
    death_days: tuple[int, ...]
    responsibility: str
    reported: date | None
    found: date | None

    @property
    def day(self) -> date:
        """The civil day."""
        return self.happened.date()

    def deaths(self, within_days: int) -> int:
        """Return how many died within so many days."""
        return sum(day <= within_days for day in self.death_days)


@dataclass(frozen=True, slots=True)
class History:
    """A simulated history: the truth.

    Attributes
    ----------
    km
        Vehicle-kilometres, (companies, counties, months).
    frailty
        True rate of each company relative to the mean, (companies,).
    vehicles
        Vehicles of each company, (companies,).
    """

    seed: int
    setting: Setting
    accidents: tuple[Accident, ...]
    km: Floats
    frailty: Floats
    vehicles: Ints

    def known(self, as_of: date) -> list[Accident]:
        """Return the accidents that had been reported by the end of a day."""
        return [a for a in self.accidents if a.reported is not None and a.reported <= as_of]


def company_code(number: int) -> str:
    """Return the code of a company, counted from 0."""
    return f"CO{number + 1:02d}"


def vehicle_code(company: int, number: int) -> str:
    """Return the code of a vehicle, counted from 0 within its company."""
    return f"{company_code(company)}-{number + 1:04d}"


def history(seed: int, setting: Setting | None = None) -> History:
    """Draw a history; the same seed and setting give the same."""
    setting = setting or Setting()
    size = stream(seed, "sizes").dirichlet(np.full(setting.companies, 3.0))
    km = _kilometres(seed, setting, size)
    vehicles = np.maximum(1, np.round(size * setting.vehicles)).astype(np.int64)
    frailty = _frailty(seed, setting)
    rate = setting.accidents_per_mkm * frailty[:, None, None] * _effect(setting)
    counts = stream(seed, "accidents").poisson(rate * km / 1e6)
    return History(seed, setting, _accidents(seed, setting, counts, vehicles), km, frailty, vehicles)


def _kilometres(seed: int, setting: Setting, size: Floats) -> Floats:
    """Return vehicle-kilometres, (companies, counties, months): growing, seasonal, uneven."""
    rng = stream(seed, "exposure")
    shares = np.array([county.share for county in setting.counties])
    places = rng.dirichlet(20 * shares / shares.sum(), setting.companies)
    month = np.arange(setting.months)
    trend = (1 + setting.growth) ** (month / MONTHS_A_YEAR)
    # Spring Festival stands still; autumn is busy.
    season = 1 + 0.12 * np.sin(2 * np.pi * (month - 5) / MONTHS_A_YEAR)
    total = setting.vehicles * setting.km_per_vehicle_month * trend * season
    noise = rng.normal(1, 0.05, (setting.companies, len(setting.counties), setting.months)).clip(0.7, 1.3)
    return np.asarray(size[:, None, None] * places[:, :, None] * total * noise)


def _frailty(seed: int, setting: Setting) -> Floats:
    if setting.company_cv == 0:
        return np.ones(setting.companies)
    shape = setting.company_cv**-2
    return stream(seed, "frailty").gamma(shape, 1 / shape, setting.companies)


def _effect(setting: Setting) -> Floats:
    """Return what every rate is multiplied by, (months,)."""
    since = np.arange(setting.months) - setting.effect_from + 1
    reached = np.clip(since / max(setting.effect_over, 1), 0.0, 1.0)
    return np.asarray(setting.effect**reached)


def _accidents(seed: int, setting: Setting, counts: Ints, vehicles: Ints) -> tuple[Accident, ...]:
    rng = stream(seed, "reports")
    drawn = [
        (_moment(setting, month, rng), company, county, month)
        for company, county, month in np.argwhere(counts > 0).tolist()
        for _ in range(int(counts[company, county, month]))
    ]
    drawn.sort()
    return tuple(
        _accident(setting, f"{happened:%Y}{number:05d}", happened, company, county, month, vehicles, rng)
        for number, (happened, company, county, month) in enumerate(drawn, 1)
    )


def _moment(setting: Setting, month: int, rng: np.random.Generator) -> datetime:
    first = month_after(setting.start, month)
    days = (month_after(first, 1) - first).days
    day = first + timedelta(days=int(rng.integers(days)))
    return datetime.combine(day, time(int(rng.choice(24, p=HOUR_WEIGHTS)), int(rng.integers(60))), CIVIL_ZONE)


def _accident(
    setting: Setting,
    code: str,
    happened: datetime,
    company: int,
    county: int,
    month: int,
    vehicles: Ints,
    rng: np.random.Generator,
) -> Accident:
    light, serious, death_days = _casualties(setting, rng)
    never = setting.unreported_share if month >= setting.unreported_from and not death_days else 0.0
    reported = _report(setting, happened.date(), never, rng)
    found = 10 + int(np.ceil(rng.exponential(setting.pending_mean_days)))
    return Accident(
        code=code,
        happened=happened,
        company=company_code(company),
        vehicle=vehicle_code(company, int(rng.integers(vehicles[company]))),
        county=setting.counties[county].code,
        manoeuvre=str(rng.choice(MANOEUVRES, p=MANOEUVRE_SHARES)),
        role=str(rng.choice(ROLES, p=ROLE_SHARES)),
        light=light,
        serious=serious,
        death_days=death_days,
        responsibility=str(rng.choice(RESPONSIBILITIES, p=RESPONSIBILITY_SHARES)),
        reported=reported,
        found=None if reported is None else reported + timedelta(days=found),
    )


def _casualties(setting: Setting, rng: np.random.Generator) -> tuple[int, int, tuple[int, ...]]:
    """Return the lightly and the seriously hurt, and the day of each death; every accident hurts somebody."""
    fatal, double = rng.random(2)
    others = int(rng.poisson(0.6))
    serious = int(rng.binomial(others, 0.35))
    if fatal >= setting.fatal_share:
        is_serious = int(rng.random() < 0.4)  # noqa: PLR2004 - share of the one who is always hurt
        return others - serious + 1 - is_serious, serious + is_serious, ()
    many = 2 if double < setting.double_share else 1
    late = rng.random(many) < setting.late_death_share
    early_day, late_day = rng.integers(0, 8, many), rng.integers(8, 31, many)
    days = sorted(int(day) for day in np.where(late, late_day, early_day))
    return others - serious, serious, tuple(days)


def _report(setting: Setting, day: date, never: float, rng: np.random.Generator) -> date | None:
    unreported, late = rng.random(2)
    usual, beyond = int(rng.integers(0, 4)), rng.exponential(setting.late_mean_days)
    if unreported < never:
        return None
    return day + timedelta(days=usual + (int(np.ceil(beyond)) if late < setting.late_share else 0))

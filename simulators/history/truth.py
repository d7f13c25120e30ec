"""Accident histories with a known effect: counts and exposures by company, county and month.

Accidents are Poisson in the exposure. Companies differ by a gamma frailty of mean 1; from one month on
every rate is multiplied by the true effect. What an office knows is less than what happened: some
accidents are never reported, some late, and some of the injured die later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MONTHS_A_YEAR = 12
RESPONSIBILITIES = ("full", "main", "equal", "secondary", "none", "undetermined")
RESPONSIBILITY_SHARES = (0.22, 0.18, 0.2, 0.2, 0.14, 0.06)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the world is like. Rates are per million vehicle-kilometres."""

    start: date = date(2015, 1, 1)
    months: int = 72
    companies: int = 12
    counties: Sequence[str] = ("市本级", "嘉兴港区", "嘉善县", "平湖市", "海盐县", "海宁市", "桐乡市")
    vehicles: int = 1000
    km_per_vehicle_month: float = 3_500.0
    #: Volume grows by this share a year; kilometres with it.
    growth: float = 0.046
    m3_per_km: float = 0.36
    loads_per_km: float = 0.045
    accidents_per_mkm: float = 0.9
    #: Coefficient of variation of the companies' true rates; 0: all alike.
    company_cv: float = 0.4
    #: From this month on, counted from 0, every rate is multiplied by `effect`.
    effect: float = 1.0
    effect_from: int = 36
    fatal_share: float = 0.35
    #: Share of fatal accidents that kill two.
    double_share: float = 0.08
    #: Share of deaths after the 7th and up to the 30th day.
    late_death_share: float = 0.1
    #: Never reported; reported late, after a mean of so many days beyond the usual few.
    unreported_share: float = 0.0
    late_share: float = 0.15
    late_mean_days: float = 60.0


@dataclass(frozen=True, slots=True)
class Accident:
    """One accident as it truly was, and when, if ever, the office heard of it."""

    code: str
    happened: date
    company: str
    county: str
    injured: int
    #: Days from the accident to each death, ascending; empty if nobody died.
    death_days: tuple[int, ...]
    responsibility: str
    #: None: never.
    reported: date | None

    def deaths(self, within_days: int) -> int:
        """Return how many died within so many days."""
        return sum(day <= within_days for day in self.death_days)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one company drove in one county in one month."""

    month: date
    company: str
    county: str
    vehicle_days: float
    km: float
    loads: float
    volume_m3: float


@dataclass(frozen=True, slots=True)
class History:
    """A simulated history. `accidents` is the truth; `known` what the office has heard of."""

    setting: Setting
    accidents: tuple[Accident, ...]
    exposures: tuple[Exposure, ...]
    #: True rate of each company relative to the mean, (companies,).
    frailty: Floats

    def known(self, as_of: date) -> list[Accident]:
        """Return the accidents that had been reported by the end of a day."""
        return [a for a in self.accidents if a.reported is not None and a.reported <= as_of]


def history(seed: int, setting: Setting | None = None) -> History:
    """Draw a history; the same seed and setting give the same."""
    setting = setting or Setting()
    km = _kilometres(seed, setting)
    frailty = _frailty(seed, setting)
    rate = setting.accidents_per_mkm * frailty[:, None, None] * _effect(setting)
    counts = stream(seed, "accidents").poisson(rate * km / 1e6)
    return History(setting, _accidents(seed, setting, counts), _exposures(setting, km), frailty)


def months(setting: Setting) -> list[date]:
    """Return the first day of every month."""
    first = setting.start.year * MONTHS_A_YEAR + setting.start.month - 1
    return [
        date((first + i) // MONTHS_A_YEAR, (first + i) % MONTHS_A_YEAR + 1, 1) for i in range(setting.months)
    ]


def _kilometres(seed: int, setting: Setting) -> Floats:
    """Return vehicle-kilometres, (companies, counties, months): growing, seasonal, uneven."""
    rng = stream(seed, "exposure")
    size = rng.dirichlet(np.full(setting.companies, 3.0))
    places = rng.dirichlet(np.full(len(setting.counties), 2.0), setting.companies)
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
    return np.where(np.arange(setting.months) >= setting.effect_from, setting.effect, 1.0)


def _accidents(seed: int, setting: Setting, counts: Ints) -> tuple[Accident, ...]:
    rng = stream(seed, "reports")
    begin = months(setting)
    drawn = []
    for company, county, month in np.argwhere(counts > 0).tolist():
        for _ in range(int(counts[company, county, month])):
            happened = begin[month] + timedelta(days=int(rng.integers(_days_in(begin[month]))))
            drawn.append(
                (happened, company, county, _casualties(setting, rng), _report(setting, happened, rng))
            )
    drawn.sort(key=lambda row: row[:3])
    responsibility = rng.choice(RESPONSIBILITIES, len(drawn), p=RESPONSIBILITY_SHARES).tolist()
    return tuple(
        Accident(
            f"A{number:05d}",
            happened,
            f"co{company + 1:02d}",
            setting.counties[county],
            injured,
            death_days,
            responsibility[number],
            reported,
        )
        for number, (happened, company, county, (injured, death_days), reported) in enumerate(drawn)
    )


def _days_in(month: date) -> int:
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (following - month).days


def _casualties(setting: Setting, rng: np.random.Generator) -> tuple[int, tuple[int, ...]]:
    """Return the injured, and the day of each death; every accident hurts somebody."""
    fatal, double = rng.random(2)
    injured = int(rng.poisson(0.6))
    if fatal >= setting.fatal_share:
        return injured + 1, ()
    many = 2 if double < setting.double_share else 1
    late = rng.random(many) < setting.late_death_share
    early_day, late_day = rng.integers(0, 8, many), rng.integers(8, 31, many)
    days = sorted(int(day) for day in np.where(late, late_day, early_day))
    return injured, tuple(days)


def _report(setting: Setting, happened: date, rng: np.random.Generator) -> date | None:
    unreported, late = rng.random(2)
    usual, beyond = int(rng.integers(0, 4)), rng.exponential(setting.late_mean_days)
    if unreported < setting.unreported_share:
        return None
    days = usual + (int(np.ceil(beyond)) if late < setting.late_share else 0)
    return happened + timedelta(days=days)


def _exposures(setting: Setting, km: Floats) -> tuple[Exposure, ...]:
    per_vehicle_day = setting.km_per_vehicle_month / 26
    return tuple(
        Exposure(
            month,
            f"co{company + 1:02d}",
            county,
            round(float(km[company, c, m] / per_vehicle_day), 1),
            round(float(km[company, c, m]), 1),
            round(float(km[company, c, m] * setting.loads_per_km), 1),
            round(float(km[company, c, m] * setting.m3_per_km), 1),
        )
        for m, month in enumerate(months(setting))
        for company in range(setting.companies)
        for c, county in enumerate(setting.counties)
    )

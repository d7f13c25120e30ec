"""What the world of a history is like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS_A_YEAR = 12


class County(NamedTuple):
    """A part of the city, and its share of what is driven."""

    code: str
    name: str
    share: float


#: Shares as those of the concrete that a plan's seven counties supplied in 2015.
COUNTIES = (
    County("330401", "市本级", 0.303),
    County("330403", "嘉兴港区", 0.052),
    County("330421", "嘉善县", 0.068),
    County("330482", "平湖市", 0.102),
    County("330424", "海盐县", 0.084),
    County("330481", "海宁市", 0.201),
    County("330483", "桐乡市", 0.190),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the world is like. Rates are per million vehicle-kilometres.

    Attributes
    ----------
    growth
        Volume grows by this share a year; kilometres with it.
    company_cv
        Coefficient of variation of the companies' true rates; 0: all alike.
    effect, effect_from, effect_over
        From month `effect_from` on, counted from 0, every rate falls to `effect` times what it was: within
        `effect_over` months by the same percentage each, or at once (0).
    double_share
        Share of fatal accidents that kill two.
    late_death_share
        Share of deaths after the 7th and up to the 30th day.
    unreported_share, unreported_from
        Never reported; accidents that kill always are. From month `unreported_from` on.
    late_share, late_mean_days
        Reported late: after a mean of so many days beyond the usual few.
    pending_mean_days
        Responsibility is found after a mean of so many days beyond the ten that it takes at least.
    restated_share
        Share of the volumes first stated wrong, and corrected with the next month's.
    """

    start: date = date(2015, 1, 1)
    months: int = 72
    companies: int = 12
    counties: Sequence[County] = COUNTIES
    vehicles: int = 1000
    km_per_vehicle_month: float = 3_500.0
    growth: float = 0.046
    m3_per_km: float = 0.36
    loads_per_km: float = 0.045
    accidents_per_mkm: float = 0.9
    company_cv: float = 0.4
    effect: float = 1.0
    effect_from: int = 36
    effect_over: int = 0
    fatal_share: float = 0.35
    double_share: float = 0.08
    late_death_share: float = 0.1
    unreported_share: float = 0.0
    unreported_from: int = 0
    late_share: float = 0.15
    late_mean_days: float = 60.0
    pending_mean_days: float = 25.0
    restated_share: float = 0.02


def months(setting: Setting) -> list[date]:
    """Return the first day of every month."""
    return [month_after(setting.start, number) for number in range(setting.months)]


def month_after(first: date, number: int) -> date:
    """Return the first day of the month so many months after a month's first day."""
    month = first.year * MONTHS_A_YEAR + first.month - 1 + number
    return date(month // MONTHS_A_YEAR, month % MONTHS_A_YEAR + 1, 1)

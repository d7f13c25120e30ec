"""What the months of a history amount to, by city, county and company, and when it was known.

Measures have the names that the product gives them. What was driven, turned and raised follows from the true
kilometres; how people drive gets better as accidents do, and seeing gets better with the years.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fleet.schedule import CIVIL_ZONE
from simulators.history.setting import month_after
from simulators.history.truth import company_code
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulators.history.truth import History

    Floats = NDArray[np.float64]

#: The day of the next month on which a month is closed, and the hour.
_CLOSED_DAY, _CLOSED = 3, time(9)
#: What people declare: nothing of it is to be seen, and so it has no coverage.
DECLARED = frozenset({"volume_m3", "vehicles_filed"})


@dataclass(frozen=True, slots=True)
class Figure:
    """How much of one measure a scope had in a month, as known from a moment on."""

    scope: str
    month: date
    measure: str
    value: float
    coverage: float | None
    known_at: datetime


def figures(history: History) -> list[Figure]:
    """Return every figure, in the order in which they were known; one stated again is a correction."""
    scopes = _scopes(history)
    seen = _seen_share(history)
    found = [
        Figure(
            scope,
            month,
            measure,
            float(values[companies, counties, number].sum()),
            None if measure in DECLARED else round(float(seen[number]), 4),
            _closed(month),
        )
        for measure, values in _measures(history, seen).items()
        for number, month in _numbered(history)
        for scope, companies, counties in scopes
    ]
    found += _stated_wrong(history, found)
    return sorted(found, key=lambda each: (each.known_at, each.month, each.scope, each.measure))


def _numbered(history: History) -> Iterator[tuple[int, date]]:
    for number in range(history.setting.months):
        yield number, month_after(history.setting.start, number)


def _scopes(history: History) -> list[tuple[str, slice | int, slice | int]]:
    every = slice(None)
    found: list[tuple[str, slice | int, slice | int]] = [("city", every, every)]
    found += [(f"county:{county.code}", every, at) for at, county in enumerate(history.setting.counties)]
    found += [(f"company:{company_code(at)}", at, every) for at in range(history.setting.companies)]
    return found


def _closed(month: date) -> datetime:
    return datetime.combine(month_after(month, 1).replace(day=_CLOSED_DAY), _CLOSED, CIVIL_ZONE)


def _seen_share(history: History) -> Floats:
    """Return the share of what was driven that was seen, (months,): from 0.9 to 0.98."""
    return np.linspace(0.90, 0.98, history.setting.months)


def _measures(history: History, seen: Floats) -> dict[str, Floats]:
    """Return the value of each measure by company, county and month, in whole numbers."""
    setting, km = history.setting, history.km
    rng = stream(history.seed, "figures")
    care = np.linspace(1.0, max(setting.effect, 0.3), setting.months)
    shares = km / km.sum(axis=1, keepdims=True)
    days = history.vehicles[:, None, None] * shares * 30.0
    turns = rng.poisson(km * seen * 0.35)
    evaluable = rng.binomial(turns, 0.72)
    armed = rng.binomial(evaluable, 0.6)
    must_stop = rng.binomial(evaluable, 0.3)
    trips = km * setting.loads_per_km
    alerts = rng.poisson(km * seen * 0.002 * care)
    fixes = np.round(km * seen * 9.0)
    found = {
        "volume_m3": km * setting.m3_per_km,
        "vehicles_filed": days / 30.0,
        "vehicle_days": days,
        "vehicle_days_online": days * seen,
        "vehicle_days_driven": days * seen * 0.82,
        "km": km * seen,
        "km_unseen": km * (1 - seen),
        "km_fine": km * seen * 0.7,
        "driving_s": km * seen * 3600 / 28.0,
        "trips": 2 * trips * seen,
        "loads": trips * seen,
        "loads_over": rng.binomial(np.round(trips * seen).astype(np.int64), 0.03),
        "right_turns": turns,
        "right_turns_evaluable": evaluable,
        "right_turns_armed": armed,
        "conflicts": rng.poisson(armed * 0.004 * care),
        "right_turns_must_stop": must_stop,
        "right_turns_not_stopped": rng.binomial(must_stop, np.clip(0.45 * care, 0, 1)),
        "right_turns_too_fast": rng.binomial(evaluable, np.clip(0.12 * care, 0, 1)),
        "speedings": rng.poisson(km * seen * 0.0012 * care),
        "fatigues": rng.poisson(km * seen * 0.00002 * care),
        "fatigue_s": rng.poisson(km * seen * 0.03 * care),
        "forbidden_entries": rng.poisson(km * seen * 0.00012 * care),
        "permitted_left": rng.poisson(km * seen * 0.00005 * care),
        "alerts": alerts,
        "alerts_resolved": rng.binomial(alerts, np.linspace(0.86, 0.96, setting.months)),
        "fixes": fixes,
        "fixes_valid": np.round(fixes * 0.992),
        "vehicles_drifting": rng.poisson(days / 30.0 * 0.01),
    }
    # Filed vehicles are a mean of days and need not be whole.
    return {
        name: np.asarray(values if name == "vehicles_filed" else np.round(values), np.float64)
        for name, values in found.items()
    }


def _stated_wrong(history: History, right: list[Figure]) -> list[Figure]:
    """Return the volumes of counties that were first stated wrong, and of the city with them.

    What `right` says of them then comes a month later, as the correction that it is.
    """
    rng = stream(history.seed, "restated")
    where = {(each.scope, each.month): at for at, each in enumerate(right) if each.measure == "volume_m3"}
    wrong: list[Figure] = []
    for _, month in _numbered(history):
        off = 0.0
        for county in history.setting.counties:
            draw, by = rng.random(), float(np.round(rng.normal(0, 0.04), 3))
            if draw < history.setting.restated_share and by:
                off += _postpone(right, where[f"county:{county.code}", month], wrong, by)
        if off:
            city = where["city", month]
            _postpone(right, city, wrong, off / right[city].value)
    return wrong


def _postpone(right: list[Figure], at: int, wrong: list[Figure], by: float) -> float:
    """Let a figure be off by a share at first, and right a month later; return by how much it was off."""
    good = right[at]
    stated = float(np.round(good.value * (1 + by)))
    wrong.append(Figure(good.scope, good.month, good.measure, stated, good.coverage, good.known_at))
    later = good.known_at + timedelta(days=31)
    right[at] = Figure(good.scope, good.month, good.measure, good.value, good.coverage, later)
    return stated - good.value

"""Turning places as programs read them: one document for the command, the API and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.places.figures import FEWEST_TURNS, LEVEL
from analytics.statistics.companies import ALL_ZERO, DIVERGED
from fleet.units import UDEG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from analytics.places.figures import Counts, PlaceFigures, Survey


#: Why places are drawn together by a fixed prior: they cannot be told apart, or there was no conflict at all.
_PRIORS = {DIVERGED: "no_difference", ALL_ZERO: "no_conflict"}


def document(survey: Survey, since: datetime, until: datetime, *, unsettled: int) -> dict[str, Any]:
    """Return all that is said of a span."""
    return {
        "from": since,
        "to": until,
        "fewest_turns": FEWEST_TURNS,
        "level": LEVEL,
        "city_per_1000": _rounded(survey.city_rate),
        "prior": "fitted" if survey.prior_reason is None else _PRIORS[survey.prior_reason],
        "all": _counts(survey.total),
        "undirected": survey.undirected,
        "elsewhere": survey.elsewhere,
        "unsettled": unsettled,
        "quiet_vehicles": survey.quiet_vehicles,
        "places": list(rows(survey)),
    }


def rows(survey: Survey) -> Iterator[dict[str, Any]]:
    """Yield one flat row a place, worst first; what cannot be said is None."""
    return map(_row, survey.places)


def _row(one: PlaceFigures) -> dict[str, Any]:
    place, estimate = one.place, one.estimate
    return {
        "place": place.code,
        "lat": place.lat_udeg / UDEG,
        "lon": place.lon_udeg / UDEG,
        "heading": place.heading,
        **_counts(one.counts),
        "per_1000": None if estimate is None else _rounded(estimate.estimate),
        "lower": None if estimate is None else _rounded(estimate.lower),
        "upper": None if estimate is None else _rounded(estimate.upper),
        "p_above": None if estimate is None else _rounded(estimate.p_above),
        "p_worst": _rounded(one.p_worst),
        "band": "too_few" if estimate is None else estimate.band,
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "turns": counts.turns,
        "evaluable": counts.evaluable,
        "base": counts.base,
        "conflicts": counts.conflicts,
        "unknown": counts.unknown,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

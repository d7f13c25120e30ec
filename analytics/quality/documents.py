"""Data quality as programs read it: units worst first, figures with all that they are made of."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analytics.quality.figures import figures
from analytics.quality.sums import add
from analytics.quality.terminals import diagnose, hidden_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from analytics.quality.store import Vehicle
    from analytics.quality.sums import Sums

#: What figures can be split by, and how a unit without a name is called.
BY = ("city", "company", "county", "model", "vehicle")


def document(vehicles: Sequence[Vehicle], by: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Return the figures of each unit and, of vehicles, what is wrong with their terminals."""
    units = [_unit(name, by, own) for name, own in _split(vehicles, by)]
    units.sort(key=lambda unit: (-(unit["hidden_share"] or 0.0), -len(unit["faults"]), unit["unit"]))
    return {"from": since, "to": until, "by": by, "vehicles": len(vehicles), "units": units}


def rows(found: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield a flat row a unit and figure."""
    for unit in found["units"]:
        for figure in unit["figures"]:
            yield {"unit": unit["unit"], **figure}


def _split(vehicles: Sequence[Vehicle], by: str) -> Iterable[tuple[str, list[Vehicle]]]:
    if by == "city":
        return [("city", list(vehicles))] if vehicles else []
    named = sorted(((getattr(one, by), one) for one in vehicles), key=itemgetter(0))
    return [(name, [one for _, one in own]) for name, own in groupby(named, key=itemgetter(0))]


def _unit(name: str, by: str, own: Sequence[Vehicle]) -> dict[str, Any]:
    whole = add([one.sums for one in own])
    known = [share for one in own if (share := hidden_share(one.sums)) is not None]
    faults = _faults(own[0].sums) if by == "vehicle" else []
    return {
        "unit": name,
        "vehicles": len(own),
        "hidden_share": round(sum(known) / len(known), 4) if known else None,
        "figures": [
            {
                "figure": one.name,
                "value": None if one.value is None else round(one.value, 4),
                "numerator": _rounded(one.numerator),
                "denominator": _rounded(one.denominator),
                "unknown": one.unknown,
            }
            for one in figures(whole)
        ],
        "faults": faults,
    }


def _faults(sums: Sums) -> list[dict[str, Any]]:
    return [{"fault": str(one.fault), "part": one.part, "whole": one.whole} for one in diagnose(sums)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

"""Turning places, as the API tells them."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from console.models.words import Input

Share = Annotated[float, Meta(ge=0, le=1)]


class PlacesQuery(Input, frozen=True):
    """Civil days, Asia/Shanghai; both are included."""

    from_: Annotated[date, Meta(description="First civil day; without it, 28 days.")] | None = msgspec.field(
        default=None, name="from"
    )
    to: Annotated[date, Meta(description="Last civil day; without it, today.")] | None = None


class TurnsCounted(msgspec.Struct, frozen=True, kw_only=True):
    """Settled right turns."""

    turns: int
    evaluable: Annotated[int, Meta(description="Seen well enough to be judged.")]
    base: Annotated[
        int, Meta(description="Evaluable, with a right-hand camera known to work and not too quiet.")
    ]
    conflicts: Annotated[int, Meta(description="Turns of the base with a conflict.")]
    unknown: Annotated[int, Meta(description="Turns of which nobody can say whether there was a conflict.")]


class TurningPlace(TurnsCounted, frozen=True, kw_only=True):
    """A corner and the direction from which it is entered."""

    place: Annotated[str, Meta(description="Code; it stays.")]
    lat: float
    lon: float
    heading: Annotated[str, Meta(description="Direction of entry, a point of the compass.")]
    per_1000: Annotated[
        float | None, Meta(description="Conflicts per 1,000 of the base, shrunk; null: too few turns.")
    ]
    lower: float | None
    upper: float | None
    p_above: Annotated[Share | None, Meta(description="Probability that it is above the city's rate.")]
    p_worst: Annotated[
        Share | None, Meta(description="Probability that it is the worst; null: not among those.")
    ]
    band: Literal["above", "below", "undecided", "too_few"]


class TurningPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Places, worst first; those with too few turns last."""

    from_: datetime = msgspec.field(name="from")
    to: datetime
    fewest_turns: int
    level: float
    city_per_1000: float | None
    prior: Literal["fitted", "no_difference", "no_conflict"]
    all: TurnsCounted
    undirected: Annotated[int, Meta(description="Turns whose direction of entry is unknown: at no place.")]
    elsewhere: Annotated[int, Meta(description="Turns where too few are driven for a place.")]
    unsettled: Annotated[int, Meta(description="Turns that are not settled yet: not counted.")]
    quiet_vehicles: Annotated[int, Meta(description="Vehicles whose cameras see too little: in no rate.")]
    places: list[TurningPlace]

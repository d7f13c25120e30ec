"""Data quality, as the API tells it."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from console.models.words import Input


class QualityQuery(Input, frozen=True):
    """Civil days, Asia/Shanghai; both are included."""

    from_: Annotated[date, Meta(description="First civil day; without it, one day.")] | None = msgspec.field(
        default=None, name="from"
    )
    to: Annotated[date, Meta(description="Last civil day; without it, today.")] | None = None
    by: Literal["city", "company", "county", "model", "vehicle"] = "company"


class QualityFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, and what it is made of."""

    figure: str
    value: Annotated[float | None, Meta(description="Shares are 0 to 1; null: not known.")]
    numerator: Annotated[float | None, Meta(description="null: not recorded.")]
    denominator: Annotated[float | None, Meta(description="null: not recorded.")]
    unknown: Annotated[float, Meta(description="How many are in neither.")]


class TerminalFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a terminal."""

    fault: Literal[
        "never_heard", "silent", "interval", "gaps", "speed", "clock", "drift", "unfit", "transport"
    ]
    part: Annotated[int, Meta(description="Of `whole` turns, fixes or episodes so many.")]
    whole: int


class QualityUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A company, county, terminal model or vehicle."""

    unit: Annotated[str, Meta(description="Its code or name; empty: nobody has said.")]
    vehicles: int
    hidden_share: Annotated[
        float | None,
        Meta(
            description="Right turns that nobody can judge, mean; of a silent vehicle, all; null: no turns."
        ),
    ]
    figures: list[QualityFigure]
    faults: Annotated[list[TerminalFault], Meta(description="Of a vehicle; worst first.")]


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Units, worst first."""

    from_: datetime = msgspec.field(name="from")
    to: datetime
    by: str
    vehicles: int
    units: list[QualityUnit]

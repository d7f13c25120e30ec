"""Vehicles, whom to call about one, and where one has been."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from console.models.words import Code, Input, Limit, Moment, Text
from console.track import MAX_POINTS

VehicleState = Literal["watched", "silent", "not_watched", "rejected", "never_heard"]


class VehiclePlace(Input, frozen=True):
    """Which vehicle."""

    vehicle: Code


class VehicleQuery(Input, frozen=True):
    """Which vehicles."""

    q: Annotated[Text, Meta(description="Part of the code or the plate.")] | None = None
    company: Code | None = None
    state: VehicleState | None = None
    limit: Limit = 100
    after: Annotated[Code, Meta(description="`next` of the page before.")] | None = None


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a vehicle was last seen, WGS 84."""

    time: datetime
    lat: float
    lon: float
    speed_kmh: float | None
    course_deg: int | None


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle as it is in force now."""

    id: Annotated[int, Meta(description="What the live positions call it.")]
    code: str
    plate: Annotated[str, Meta(description="Masked, as 浙F·1**45, for those who may only look.")]
    company: str
    company_name: str
    kind: str
    limit_kmh: int | None
    state: Annotated[
        VehicleState,
        Meta(
            description="silent: no fix for 120 s; not_watched: reports, and cannot be judged live; "
            "rejected: heard within 120 s, and what it sent was not taken, see `rejected`."
        ),
    ]
    rejected: Annotated[
        str | None, Meta(description="Why: a named reject of docs/device-protocol.md, as too_old.")
    ]
    position: Position | None


class PeopleQuery(Input, frozen=True):
    """At which time."""

    at: Annotated[Moment, Meta(description="Who was on duty then; without it, now.")] | None = None


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A driver, as far as one needs to call."""

    code: str
    name: str
    phone: Annotated[str, Meta(description="Empty: none is registered.")]


class CompanyContact(msgspec.Struct, frozen=True, kw_only=True):
    """A company, as far as one needs to call."""

    code: str
    name: str
    phone: Annotated[str, Meta(description="Empty: none is registered.")]


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call about a vehicle."""

    plate: str
    driver: Annotated[Driver | None, Meta(description="null: nobody has said who drives.")]
    company: CompanyContact
    masked: Annotated[bool, Meta(description="Parts of it are stars: whoever asks may only look.")]


class VehiclePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of vehicles, by code."""

    items: list[Vehicle]
    next: str | None


class TrackQuery(Input, frozen=True):
    """Which time: a civil day of Asia/Shanghai, or a span of at most 36 hours. Neither: today."""

    day: date | None = None
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None
    thin: Annotated[
        bool,
        Meta(
            description="All of the time in one answer: where there are more than 40,000 fixes, of so many "
            "in a row the first and the fastest. Without it, whole and page by page."
        ),
    ] = False
    limit: Annotated[int, Meta(ge=1, le=MAX_POINTS, description="At most so many a page.")] | None = None
    after: Annotated[int, Meta(ge=0, le=2**53, description="`next` of the page before.")] | None = None


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """Stored fixes as columns of one length, in order of time. Null is unknown."""

    vehicle: str
    from_: datetime = msgspec.field(name="from")
    until: datetime
    stored: (
        Annotated[int, Meta(ge=0, description="Fixes that the time has; null: a page, which counts none.")]
        | None
    )
    thinned: Annotated[bool, Meta(description="Not all that is stored is here, see `thin`.")]
    next: Annotated[int, Meta(description="For `after`; null: this is the last page.")] | None
    time_ms: Annotated[list[int], Meta(description="Milliseconds since 1970.")]
    lat: list[float | None]
    lon: list[float | None]
    speed_kmh: list[float | None]
    course_deg: list[int | None]
    limit_kmh: Annotated[list[int | None], Meta(description="Limit that the unit sent with the fix.")]
    odometer_km: list[float | None]

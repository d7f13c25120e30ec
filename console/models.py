"""What the API takes and answers, as types: they check requests and make the OpenAPI document."""

from __future__ import annotations

import uuid  # noqa: TC003 - msgspec reads the annotations
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from console import cursor
from console.problems import Problem
from console.track import MAX_POINTS

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Code of the registry.")]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
#: Text of a person: no control characters.
Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$", max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]
State = Literal["open", "acknowledged", "resolved", "withdrawn", "expired"]
Disposition = Literal["confirmed", "false_positive", "not_actionable", "device_fault"]
Dismissal = Literal["false_positive", "not_actionable", "device_fault"]
VehicleState = Literal["watched", "silent", "not_watched", "rejected", "never_heard"]
Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]
Cursor = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9_-]{{{cursor.LENGTH}}}$",
        description="`next` of the page before; with the same filters and sort.",
    ),
]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a request may hold: no more than is named."""


# ---------------------------------------------------------------- alerts


class AlertPlace(Input, frozen=True):
    """Which alert."""

    alert_id: uuid.UUID


class AlertQuery(Input, frozen=True):
    """Which alerts, in which order."""

    sort: Annotated[
        Literal["newest", "priority", "queue"],
        Meta(
            description="Newest first; or newest and worst first: a step of severity counts as 15 minutes. "
            "queue: open and acknowledged alerts, first those that go on, each part by priority."
        ),
    ] = "newest"
    state: (
        Annotated[list[State], Meta(max_length=5, description="Any of these; repeat the parameter.")] | None
    ) = None
    rule: (
        Annotated[list[Word], Meta(max_length=20, description="Any of these; repeat the parameter.")] | None
    ) = None
    min_severity: Annotated[int, Meta(ge=1, le=4)] | None = None
    vehicle: Code | None = None
    company: Code | None = None
    from_: Annotated[Moment, Meta(description="Started at or after.")] | None = msgspec.field(
        default=None, name="from"
    )
    until: Annotated[Moment, Meta(description="Started before.")] | None = None
    ongoing: (
        Annotated[bool, Meta(description="Only those that have not ended, or only those that have.")] | None
    ) = None
    late: (
        Annotated[bool, Meta(description="Only those judged too late to act on, or only the others.")] | None
    ) = None
    total: Annotated[bool, Meta(description="Say as well how many there are on all pages.")] = False
    limit: Limit = 50
    after: Cursor | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that a person should judge."""

    alert_id: uuid.UUID
    vehicle: str
    company: str | None
    rule: str
    severity: Annotated[int, Meta(ge=1, le=4)]
    started_at: datetime
    ended_at: datetime | None
    ended_as: Literal["closed", "lost", "rule_change"] | None
    peak: Annotated[
        float,
        Meta(
            description="In the rule's unit: km/h for speeding. Where that is a time, of an alert that goes "
            "on: how long it has lasted so far; in the feed, how long it had when that was told."
        ),
    ]
    limit: float | None
    limit_source: Annotated[str, Meta(description="Which of the limits ruled.")] | None
    measures: Annotated[dict[str, Any], Meta(description="Figures of the rule; units stand in the names.")]
    state: State
    status: Literal["provisional", "settled", "withdrawn"]
    settled_as: Literal["confirmed", "amended", "added", "withdrawn"] | None
    merged_into: uuid.UUID | None
    revision: int
    late: bool
    evidence_changed: bool
    rulebook: Annotated[str, Meta(description="Version of the rulebook that judged.")]
    raised_at: datetime
    decided_at: datetime
    settled_at: datetime | None
    actions: Annotated[int, Meta(ge=0, description="How many steps people took; `version` of a request.")]
    disposition: Annotated[Disposition | None, Meta(description="What a person made of it.")]
    proposed: Annotated[Dismissal | None, Meta(description="A dismissal that waits for a second person.")]


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A speed zone as it was in force at the time of an alert."""

    code: str
    name: str


class Zones(msgspec.Struct, frozen=True, kw_only=True):
    """The speed zones that gave an alert its limit."""

    items: list[Zone]


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are on all pages."""

    count: Annotated[int, Meta(ge=0, description="Counted up to 10,000.")]
    is_exact: Annotated[bool, Meta(description="false: there are more than were counted.")]


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of alerts."""

    items: list[Alert]
    next: Annotated[str, Meta(description="Cursor of the next page; null: this is the last.")] | None
    total: Annotated[Total | None, Meta(description="null: not asked for.")]


# ---------------------------------------------------------------- what is done to alerts

#: Longest reason or comment, characters.
LONGEST_REASON = 2000
#: What people write: no control characters, and none that turn the direction of what follows or break a line.
WRITTEN = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$"
Version = Annotated[
    int,
    Meta(
        ge=0,
        le=2**31 - 1,
        description="`actions` of the alert as you saw it. If others have acted since, the answer is 409. "
        "The same request once more, as after a lost answer, is answered again and not done twice.",
    ),
]
Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_REASON,
        pattern=WRITTEN,
        description="Why; at least one character that can be seen.",
    ),
]
Remark = Annotated[str, Meta(max_length=LONGEST_REASON, pattern=WRITTEN, description="May be empty.")]


class Acknowledgement(Input, frozen=True):
    """Somebody looks after the alert."""

    version: Version
    reason: Remark = ""


class Resolution(Input, frozen=True):
    """What the alert was. Of a critical one all but `confirmed` takes two people; the first only proposes."""

    version: Version
    disposition: Disposition
    reason: Reason


class Reopening(Input, frozen=True):
    """The alert was not done with."""

    version: Version
    reason: Reason


class Comment(Input, frozen=True):
    """Something to know of the alert. Never conflicts; the version only tells a repeat."""

    version: Version
    reason: Reason


class ActionQuery(Input, frozen=True):
    """Which part of the history."""

    after: Annotated[int, Meta(ge=0, le=2**31 - 1, description="`next` of the page before.")] = 0
    limit: Limit = 100


class AlertAction(msgspec.Struct, frozen=True, kw_only=True):
    """A step in an alert's life, on record for good."""

    version: Annotated[int, Meta(ge=1, description="What `actions` became.")]
    at: datetime
    actor_kind: Annotated[
        Literal["person", "program", "system"], Meta(description="program: a token; system: the settler.")
    ]
    actor: str
    action: Literal[
        "acknowledged", "proposed", "resolved", "reopened", "commented", "withdrawn", "revived", "expired"
    ]
    disposition: Disposition | None
    reason: str


class ActionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of an alert's history, earliest first."""

    items: list[AlertAction]
    next: Annotated[int, Meta(description="For `after`; null: this is the last.")] | None


class StaleVersion(Problem, frozen=True, kw_only=True):
    """Why it was not done: the alert as it is, and what others have done since the version that was named."""

    alert: Alert
    since: list[AlertAction]


# ---------------------------------------------------------------- vehicles


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


# ---------------------------------------------------------------- map and rulebook


class FenceProperties(msgspec.Struct, frozen=True, kw_only=True):
    """What a fence is."""

    code: str
    kind: Literal["site", "forbidden", "permitted", "speed_zone", "must_stop", "district"]
    name: str
    limit_kmh: int | None
    schedule: Any
    max_dwell_s: int | None


class FenceFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A fence as a GeoJSON Feature."""

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: FenceProperties


class Fences(msgspec.Struct, frozen=True, kw_only=True):
    """The fences in force, GeoJSON, WGS 84."""

    type: Literal["FeatureCollection"]
    features: list[FenceFeature]


class Streets(msgspec.Struct, frozen=True, kw_only=True):
    """Street lines to draw under the trucks, GeoJSON, WGS 84; empty where none are configured."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class RulebookPlace(Input, frozen=True):
    """Which version."""

    version: Text


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the rulebook: the TOML document that judged."""

    version: str
    valid_from: datetime
    document: str

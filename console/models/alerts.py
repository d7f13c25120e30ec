"""Alerts as the API asks for them and answers them."""

from __future__ import annotations

import uuid  # noqa: TC003 - msgspec reads the annotations
from datetime import datetime  # noqa: TC003 - the same
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from console.models.words import Code, Cursor, Input, Limit, Moment, Word

State = Literal["open", "acknowledged", "resolved", "withdrawn", "expired"]
Disposition = Literal["confirmed", "false_positive", "not_actionable", "device_fault"]
Dismissal = Literal["false_positive", "not_actionable", "device_fault"]


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

"""What people do to alerts: the steps they ask for, and those that are on record."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from console.models.alerts import Alert, Disposition  # noqa: TC001 - msgspec reads the annotations
from console.models.words import Input, Limit, Reason, Remark
from console.problems import Problem

Version = Annotated[
    int,
    Meta(
        ge=0,
        le=2**31 - 1,
        description="`actions` of the alert as you saw it. If others have acted since, the answer is 409. "
        "The same request once more, as after a lost answer, is answered again and not done twice.",
    ),
]


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

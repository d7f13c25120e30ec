"""What the API takes and answers of sessions, of the audit and of the console itself, as types."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from console import passwords
from console.models.words import Input, Limit, Text

Role = Literal["administrator", "operator", "viewer"]
AuditAct = Literal[
    "logged_in",
    "logged_out",
    "login_refused",
    "login_delayed",
    "access_refused",
    "password_changed",
    "user_admitted",
    "user_disabled",
    "token_added",
    "token_revoked",
    "device_admitted",
    "service_admitted",
    "login_revoked",
    "rulebook_recorded",
    "registry_imported",
    "command_queued",
    "audit_purged",
    "accident_recorded",
    "accident_corrected",
]


class Login(Input, frozen=True):
    """Name and password."""

    name: Text
    password: Annotated[str, Meta(min_length=1, max_length=passwords.LONGEST)]


class NewPassword(Input, frozen=True):
    """The present password and the one to replace it."""

    current: Annotated[str, Meta(min_length=1, max_length=passwords.LONGEST)]
    new: Annotated[str, Meta(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in, and how."""

    name: str
    means: Literal["session", "token", "demo"]
    must_change_password: bool
    role: Annotated[Role | None, Meta(description="Of a person; null: a token, or the demo.")]
    may_act: Annotated[bool, Meta(description="May acknowledge, resolve, reopen and comment.")]


class AuditQuery(Input, frozen=True):
    """Which part of the audit."""

    act: Annotated[AuditAct, Meta(description="Only this.")] | None = None
    after: Annotated[int, Meta(ge=1, le=2**62, description="`next` of the page before.")] | None = None
    limit: Limit = 100


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did, on record for good."""

    id: int
    at: datetime
    act: AuditAct
    actor_kind: Annotated[
        Literal["person", "program", "command", "system", "nobody"],
        Meta(description="program: a token; command: at a shell of the machine; nobody: was refused."),
    ]
    actor: str
    subject: Annotated[str, Meta(description="Whom or what it was done to; empty: the actor, or unknown.")]
    detail: str
    address: Annotated[str, Meta(description="Where a request came from.")] | None
    written_by: Annotated[str, Meta(description="The role of the database that wrote it.")]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the audit, newest first."""

    items: list[AuditEntry]
    next: Annotated[int, Meta(description="For `after`; null: this is the last.")] | None


class Tiles(msgspec.Struct, frozen=True, kw_only=True):
    """A base map."""

    url: str
    datum: Literal["wgs84", "gcj02"]
    attribution: str


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What this installation is."""

    version: str
    now: Annotated[datetime, Meta(description="The installation's clock; a sandbox has one of its own.")]
    sandbox: bool
    demo: bool
    tiles: Tiles | None


class LiveQuery(Input, frozen=True):
    """What to be told."""

    after: (
        Annotated[
            int, Meta(ge=0, le=2**62, description="Newest feed id that is known; without it, from now on.")
        ]
        | None
    ) = None
    positions: Annotated[bool, Meta(description="Binary frames of positions, one a second.")] = True

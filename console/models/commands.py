"""Types of the API's operations on commands to vehicles."""

from __future__ import annotations

import uuid  # noqa: TC003 - msgspec reads the annotations
from datetime import datetime  # noqa: TC003
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from console.models.words import Code, Input, Limit
from fleet.commands.orders import MAX_CHARACTERS

CommandKind = Literal["prompt", "set", "query", "locate", "track"]


class CommandPlace(Input, frozen=True):
    """Which command of which vehicle."""

    vehicle: Code
    command_id: uuid.UUID


class CommandQuery(Input, frozen=True):
    """Which commands."""

    limit: Limit = 50


class NewCommand(Input, frozen=True):
    """What is ordered of the vehicle's unit; docs/commands.md says what belongs to which kind."""

    kind: CommandKind
    text: Annotated[str, Meta(max_length=MAX_CHARACTERS, description="Of `prompt`.")] | None = None
    values: Annotated[dict[str, Any], Meta(description="Of `set`, `query` and `track`.")] | None = None
    valid_for_s: (
        Annotated[int, Meta(ge=1, le=604_800, description="Not carried out later; else 60 or 300.")] | None
    ) = None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it stands."""

    id: uuid.UUID
    vehicle: str
    kind: str
    content: Annotated[dict[str, Any], Meta(description="`text`, `values`.")]
    state: Annotated[
        Literal["queued", "sent", "acknowledged", "refused", "failed", "timed_out", "expired"],
        Meta(
            description="`acknowledged`: the unit says that it was done. `timed_out`: it was sent, and "
            "nobody said what became of it. `expired`: it reached nobody in time."
        ),
    ]
    detail: Annotated[str, Meta(description="Why, or how, for people.")]
    answer: Annotated[Any, Meta(description="What was asked for.")]
    actor: str
    queued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None


class CommandPage(msgspec.Struct, frozen=True, kw_only=True):
    """The newest commands of a vehicle, newest first."""

    items: list[Command]

"""Commands in the database: queued with who asked for them, and as they stand."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet import audit
from fleet.commands.orders import FINAL, CommandError, Kind, State
from fleet.db import Queries
from fleet.entities import unknown_vehicle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import asyncpg

    from fleet.commands.orders import Order

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
#: PostgreSQL channel that says "there is a new command".
CHANNEL = "kerbsafe_command"
#: How long a command may be carried out, unless somebody says otherwise.
VALID_FOR: Mapping[Kind, timedelta] = {Kind.PROMPT: timedelta(seconds=60)}
OTHERWISE = timedelta(minutes=5)
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it stands."""

    command_id: uuid.UUID
    vehicle: str
    kind: str
    content: Mapping[str, Any]
    actor_kind: str
    actor: str
    queued_at: datetime
    expires_at: datetime
    state: State
    sent_at: datetime | None
    #: Which gateway sent it; "": none, or a unit of MQTT took it.
    gateway: str
    answered_at: datetime | None
    #: Why, or how, for people.
    detail: str
    #: What was asked for.
    answer: Any

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come."""
        return self.state in FINAL


async def queue(
    connection: asyncpg.Connection,
    vehicle: str,
    order: Order,
    actor: audit.Actor,
    now: datetime,
    valid_for: timedelta | None = None,
    *,
    address: str = "",
) -> uuid.UUID:
    """Queue a command for a vehicle and keep who asked for it; return its id.

    Raises
    ------
    RegistryError
        If the registry has no such vehicle.
    CommandError
        If it would be valid for too long.
    """
    lasts = VALID_FOR.get(order.kind, OTHERWISE) if valid_for is None else valid_for
    if not timedelta(0) < lasts <= LONGEST:
        raise CommandError(f"a command may be carried out for 1 s to {LONGEST.days} days, not for {lasts}")
    command_id = uuid.uuid4()
    async with connection.transaction():
        status = await connection.execute(
            QUERIES["queue_command"],
            command_id,
            vehicle,
            now,
            now + lasts,
            order.kind,
            order.content,
            actor.kind,
            actor.name,
        )
        if status.endswith(" 0"):
            raise unknown_vehicle(vehicle)
        # Prompts of rules are too many for the audit; they stand in a table of their own.
        if actor.kind is not audit.ActorKind.SYSTEM:
            detail = f"{order.kind} {json.dumps(order.content, ensure_ascii=False)}"
            entry = audit.Entry(audit.Act.COMMAND_QUEUED, actor, vehicle, detail, address)
            await audit.record(connection, entry)
    return command_id


async def read(
    connection: asyncpg.Connection | asyncpg.Pool,
    now: datetime,
    *,
    vehicle: str | None = None,
    command_id: uuid.UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 1000,
) -> list[Command]:
    """Return commands as they stand at a time, newest first."""
    rows = await connection.fetch(QUERIES["read_commands"], now, vehicle, command_id, since, until, limit)
    return [_command(dict(row)) for row in rows]


def _command(row: dict[str, Any]) -> Command:
    answer = row.pop("answer")
    return Command(
        **row | {"state": State(row["state"])}, answer=None if answer is None else json.loads(answer)
    )


async def parameters_told(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return each vehicle that has a terminal, with the parameters that it told last; None: it never did."""
    rows = await connection.fetch(QUERIES["parameters_told"])
    return [
        {
            "vehicle": row["vehicle"],
            "told_at": row["told_at"],
            "parameters": None if row["answer"] is None else json.loads(row["answer"]).get("parameters"),
        }
        for row in rows
    ]

"""What people do to alerts, in the database: append-only steps under optimistic versions.

A version counts the steps of an alert. Whoever acts names the version that they have seen: if others were
faster they are told what was done, except for a comment, which changes nothing that others rely on. Who asks
for the same once more with the same version, as after a lost answer, is answered the same: it is not done
twice. Functions take an open connection, run in the caller's transaction and never commit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alerts.handling.lifecycle import (
    Action,
    Actor,
    ActorKind,
    Decision,
    Disposition,
    Situation,
    State,
    Step,
    decide,
)
from alerts.store.store import FeedEntry, append_feed
from fleet.db import Queries
from fleet.units import to_datetime

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

QUERIES = Queries(Path(__file__).with_name("handling.sql"))
#: Steps that whoever was too slow is told of.
STEPS_TOLD = 100
#: What an action may have been recorded as.
_STEPS_OF = {
    Action.ACKNOWLEDGE: {Step.ACKNOWLEDGED},
    Action.RESOLVE: {Step.RESOLVED, Step.PROPOSED},
    Action.REOPEN: {Step.REOPENED},
    Action.COMMENT: {Step.COMMENTED},
}


class Asked(NamedTuple):
    """What somebody asks for."""

    alert_id: uuid.UUID
    action: Action
    actor: Actor
    #: Number of the newest step that they have seen; 0: none.
    version: int
    reason: str = ""
    disposition: Disposition | None = None


class Taken(NamedTuple):
    """A step as it is on record."""

    version: int
    at: datetime
    actor: Actor
    step: Step
    disposition: Disposition | None
    reason: str


class NoAlertError(Exception):
    """There is no such alert."""


class FasterError(Exception):
    """Others have acted since; names what they did."""

    def __init__(self, since: Sequence[Taken]) -> None:
        super().__init__(f"{len(since)} steps since")
        self.since = since


async def act(connection: asyncpg.Connection, asked: Asked, at_us: int) -> Taken | None:
    """Do what is asked, and tell the feed; must be the transaction's last call.

    Returns
    -------
    Taken | None
        The step; None if it had been taken before, by the same request.

    Raises
    ------
    NoAlertError, FasterError, alerts.lifecycle.RefusedError
        If it cannot be done; nothing is written then.
    """
    row = await connection.fetchrow(QUERIES["lock_alert"], asked.alert_id)
    if row is None:
        raise NoAlertError
    if row["actions"] != asked.version:
        since = await steps_after(connection, asked.alert_id, asked.version, STEPS_TOLD)
        if any(_is_repeat(taken, asked) for taken in since):
            return None
        if asked.action is not Action.COMMENT:
            raise FasterError(since)
    decision = decide(
        _situation(row), asked.action, asked.actor, reason=asked.reason, disposition=asked.disposition
    )
    taken = await _take(connection, asked, decision, at_us)
    await append_feed(connection, [FeedEntry(asked.alert_id, decision.step)], at_us)
    return taken


async def steps_after(
    connection: asyncpg.Connection | asyncpg.Pool, alert_id: uuid.UUID, version: int, limit: int
) -> list[Taken]:
    """Return what was done to an alert after a version, earliest first."""
    rows = await connection.fetch(QUERIES["steps_after"], alert_id, version, limit)
    return [
        Taken(
            row["version"],
            row["at"],
            Actor(ActorKind(row["actor_kind"]), row["actor"]),
            Step(row["action"]),
            _disposition(row["disposition"]),
            row["reason"],
        )
        for row in rows
    ]


async def _take(connection: asyncpg.Connection, asked: Asked, decision: Decision, at_us: int) -> Taken:
    at = to_datetime(at_us)
    of_step = decision.disposition or decision.proposed if asked.action is Action.RESOLVE else None
    version = await connection.fetchval(
        QUERIES["take_step"],
        asked.alert_id,
        decision.state,
        decision.disposition,
        decision.proposed,
        asked.action is Action.REOPEN,
        at,
        asked.actor.kind,
        asked.actor.name,
        decision.step,
        of_step,
        asked.reason,
    )
    return Taken(version, at, asked.actor, decision.step, of_step, asked.reason)


def _is_repeat(taken: Taken, asked: Asked) -> bool:
    if asked.action is not Action.COMMENT and taken.version != asked.version + 1:
        return False
    return (
        taken.actor == asked.actor
        and taken.step in _STEPS_OF[asked.action]
        and (taken.disposition, taken.reason) == (asked.disposition, asked.reason)
    )


def _situation(row: asyncpg.Record) -> Situation:
    proposer = None
    if row["proposer_kind"] is not None:
        proposer = Actor(ActorKind(row["proposer_kind"]), row["proposer_name"])
    return Situation(
        state=State(row["state"]),
        severity=row["severity"],
        disposition=_disposition(row["disposition"]),
        proposed=_disposition(row["proposed"]),
        proposed_by=proposer,
    )


def _disposition(text: str | None) -> Disposition | None:
    return None if text is None else Disposition(text)

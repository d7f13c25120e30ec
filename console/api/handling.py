"""What people do to alerts: acknowledge, resolve, reopen, comment; and what was done."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from aiohttp import web

from alerts.handling.handling import STEPS_TOLD, Asked, FasterError, NoAlertError, Taken, act, steps_after
from alerts.handling.lifecycle import Action, Actor, ActorKind, Disposition, Refusal, RefusedError
from console.api.alerts import no_alert, read_alert
from console.identity import Means
from console.models.alerts import Alert, AlertPlace
from console.models.handling import (
    Acknowledgement,
    ActionPage,
    ActionQuery,
    AlertAction,
    Comment,
    Reopening,
    Resolution,
)
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError

if TYPE_CHECKING:
    from console.operation import Call

#: A row that the settler holds is given up after this, and tried again after a pause.
LOCK_TIMEOUT_MS = 500
TRIES = 4
_PAUSE_S = 0.1
_RETRY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_KINDS = {
    Refusal.STATE: Kind.NOT_IN_THIS_STATE,
    Refusal.SECOND_PERSON_NEEDED: Kind.SECOND_PERSON_NEEDED,
    Refusal.REASON_NEEDED: Kind.BAD_REQUEST,
    Refusal.DISPOSITION_NEEDED: Kind.BAD_REQUEST,
}


async def acknowledge(call: Call) -> web.Response:
    """Say that somebody looks after an alert."""
    return await _do(call, Action.ACKNOWLEDGE)


async def resolve(call: Call) -> web.Response:
    """Say what an alert was."""
    return await _do(call, Action.RESOLVE, Disposition(call.body.disposition))


async def reopen(call: Call) -> web.Response:
    """Take a resolution back."""
    return await _do(call, Action.REOPEN)


async def comment(call: Call) -> web.Response:
    """Add something to know."""
    return await _do(call, Action.COMMENT)


async def list_actions(call: Call) -> web.Response:
    """Return what was done to an alert."""
    query: ActionQuery = call.query
    await read_alert(call)
    steps = await steps_after(call.desk.pool, call.path.alert_id, query.after, query.limit + 1)
    shown = steps[: query.limit]
    behind = shown[-1].version if len(steps) > query.limit else None
    page = ActionPage(items=[_shown(one) for one in shown], next=behind)
    return json_of(page)


async def _do(call: Call, action: Action, disposition: Disposition | None = None) -> web.Response:
    body = call.body
    asked = Asked(call.path.alert_id, action, _actor(call), body.version, body.reason.strip(), disposition)
    try:
        await _carried_out(call, asked)
    except NoAlertError as error:
        raise no_alert() from error
    except FasterError as faster:
        raise await _problem(
            call, Kind.STALE_VERSION, "The alert has changed since you saw it.", faster.since
        ) from faster
    except RefusedError as refused:
        kind = _KINDS[refused.refusal]
        if kind is Kind.BAD_REQUEST:
            raise ProblemError(kind, str(refused)) from refused
        raise await _problem(call, kind, str(refused), ()) from refused
    return web.json_response(text=await read_alert(call))


async def _carried_out(call: Call, asked: Asked) -> None:
    """Act in a short transaction of its own; the settler may be in the way for a moment."""
    for tried in range(1, TRIES + 1):
        try:
            async with call.desk.pool.acquire() as connection, connection.transaction():
                await connection.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS:d}")
                await act(connection, asked, call.desk.clock.now_us())
                return
        except _RETRY as error:
            if tried == TRIES:
                raise ProblemError(
                    Kind.OVERLOADED, "The alert is being judged again; try once more.", {"Retry-After": "1"}
                ) from error
            await asyncio.sleep(_PAUSE_S * tried * (0.5 + random.random()))  # noqa: S311 - only spreads tries


async def _problem(call: Call, kind: Kind, detail: str, since: Any) -> ProblemError:
    more = {
        "alert": msgspec.json.decode(await read_alert(call)),
        "since": [_shown(one) for one in since[:STEPS_TOLD]],
    }
    return ProblemError(kind, detail, more=more)


def _actor(call: Call) -> Actor:
    identity = call.identity
    assert identity is not None  # noqa: S101 - operations that act are not open
    return Actor(ActorKind.PROGRAM if identity.means is Means.TOKEN else ActorKind.PERSON, identity.name)


def _shown(taken: Taken) -> AlertAction:
    return AlertAction(
        version=taken.version,
        at=taken.at,
        actor_kind=taken.actor.kind.value,
        actor=taken.actor.name,
        action=taken.step.value,
        disposition=None if taken.disposition is None else taken.disposition.value,
        reason=taken.reason,
    )


_PROBLEMS = (
    Kind.NOT_JSON,
    Kind.TOO_LARGE,
    Kind.TOO_SLOW,
    Kind.NOT_FOUND,
    Kind.STALE_VERSION,
    Kind.NOT_IN_THIS_STATE,
    Kind.OVERLOADED,
)
_NOW: dict[int, Answer] = {200: Answer("The alert as it is now.", Alert)}

OPERATIONS = (
    Operation(
        method="POST",
        path="/alerts/{alert_id}/acknowledge",
        name="acknowledgeAlert",
        summary="Say that you look after an alert.",
        handle=acknowledge,
        place=AlertPlace,
        body=Acknowledgement,
        answers=_NOW,
        problems=_PROBLEMS,
        acts=True,
    ),
    Operation(
        method="POST",
        path="/alerts/{alert_id}/resolve",
        name="resolveAlert",
        summary="Say what an alert was, and why. Of a critical one, all but `confirmed` takes two people.",
        handle=resolve,
        place=AlertPlace,
        body=Resolution,
        answers=_NOW,
        problems=(*_PROBLEMS, Kind.SECOND_PERSON_NEEDED),
        acts=True,
    ),
    Operation(
        method="POST",
        path="/alerts/{alert_id}/reopen",
        name="reopenAlert",
        summary="Take a resolution back.",
        handle=reopen,
        place=AlertPlace,
        body=Reopening,
        answers=_NOW,
        problems=_PROBLEMS,
        acts=True,
    ),
    Operation(
        method="POST",
        path="/alerts/{alert_id}/comment",
        name="commentAlert",
        summary="Add something to know, in any state.",
        handle=comment,
        place=AlertPlace,
        body=Comment,
        answers=_NOW,
        problems=_PROBLEMS,
        acts=True,
    ),
    Operation(
        method="GET",
        path="/alerts/{alert_id}/actions",
        name="listActions",
        summary="What was done to an alert, earliest first: who, when, why.",
        handle=list_actions,
        place=AlertPlace,
        query=ActionQuery,
        answers={200: Answer("A page of the history.", ActionPage)},
        problems=(Kind.NOT_FOUND,),
    ),
)

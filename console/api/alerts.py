"""Alerts and the rulebooks that judged them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from console import cursor
from console.models import Alert, AlertPage, AlertPlace, AlertQuery, Rulebook, RulebookPlace
from console.operation import Answer, Operation
from console.problems import Kind, ProblemError
from console.queries import QUERIES
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    from console.operation import Call

#: So much newer a step of severity makes an alert in the order by priority.
STEP = timedelta(minutes=15)
#: States of alerts that somebody has still to deal with.
UNFINISHED = frozenset({"open", "acknowledged"})
_ORDERS = {"newest": 1, "priority": 2}


async def list_alerts(call: Call) -> web.Response:
    """Return a page of alerts."""
    query: AlertQuery = call.query
    order = _ORDERS[query.sort]
    name = f"alerts_{query.sort}"
    if query.state and UNFINISHED.issuperset(query.state):
        name = "alerts_unfinished"
    arguments = _arguments(query, order)
    if name != "alerts_newest":
        arguments.append(STEP if query.sort == "priority" else timedelta(0))
    rows = await call.desk.pool.fetch(QUERIES[name], *arguments)
    behind = None
    if len(rows) > query.limit:
        rows = rows[: query.limit]
        behind = cursor.encode(cursor.Place(order, to_us(rows[-1]["key"]), rows[-1]["alert_id"]))
    items = ",".join(row["alert"] for row in rows)
    after = "null" if behind is None else f'"{behind}"'
    return web.json_response(text=f'{{"items":[{items}],"next":{after}}}')


def _arguments(query: AlertQuery, order: int) -> list[Any]:
    """Return the parameters that both orders take; one row more is asked for than is shown."""
    place = None
    if query.after is not None:
        try:
            place = cursor.decode(query.after, order)
        except ValueError as error:
            raise ProblemError(
                Kind.BAD_REQUEST, f"`after` is {error}: take `next` of the page before."
            ) from error
    return [
        query.state,
        query.rule,
        query.min_severity,
        query.vehicle,
        query.company,
        query.from_,
        query.until,
        query.ongoing,
        query.late,
        None if place is None else to_datetime(place.key_us),
        None if place is None else place.id,
        query.limit + 1,
    ]


async def get_alert(call: Call) -> web.Response:
    """Return one alert."""
    return web.json_response(text=await read_alert(call))


async def read_alert(call: Call) -> str:
    """Return the alert that the path names as JSON. Raises `ProblemError` where there is none."""
    text: str | None = await call.desk.pool.fetchval(QUERIES["find_alert"], call.path.alert_id)
    if text is None:
        raise no_alert()
    return text


def no_alert() -> ProblemError:
    """Return the problem of a path that names no alert."""
    return ProblemError(Kind.NOT_FOUND, "There is no alert of this id.")


async def get_rulebook(call: Call) -> web.Response:
    """Return one version of the rulebook."""
    text = await call.desk.pool.fetchval(QUERIES["find_rulebook"], call.path.version)
    if text is None:
        raise ProblemError(Kind.NOT_FOUND, "There is no rulebook of this version.")
    return web.json_response(text=text)


OPERATIONS = (
    Operation(
        method="GET",
        path="/alerts",
        name="listAlerts",
        summary="Alerts, newest first or by priority, page by page.",
        handle=list_alerts,
        query=AlertQuery,
        answers={200: Answer("A page of alerts.", AlertPage)},
    ),
    Operation(
        method="GET",
        path="/alerts/{alert_id}",
        name="getAlert",
        summary="One alert.",
        handle=get_alert,
        place=AlertPlace,
        answers={200: Answer("The alert.", Alert)},
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path="/rulebooks/{version}",
        name="getRulebook",
        summary="The version of the rulebook that an alert names.",
        handle=get_rulebook,
        place=RulebookPlace,
        answers={200: Answer("The rulebook.", Rulebook)},
        problems=(Kind.NOT_FOUND,),
    ),
)

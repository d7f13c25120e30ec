"""Alerts and the rulebooks that judged them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from alerts.lasting import so_far
from console import cursor
from console.models import Alert, AlertPage, AlertPlace, AlertQuery, Rulebook, RulebookPlace, Zone, Zones
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from console.queries import QUERIES
from console.zones import zones_at
from fleet.fences.store import read_versions
from fleet.fences.versions import Fences
from fleet.tracks import Span, read_spans
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from console.operation import Call
    from fleet.columns import Fixes

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
    now_us = call.desk.clock.now_us()
    items = ",".join(_as_of(row["alert"], now_us) for row in rows)
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
    return _as_of(text, call.desk.clock.now_us())


def _as_of(text: str, now_us: int) -> str:
    """Return an alert in JSON; one that goes on says how long it has lasted so far."""
    if '"ended_at": null' not in text and '"ended_at":null' not in text:
        return text
    return msgspec.json.encode(so_far(msgspec.json.decode(text), now_us)).decode()


def no_alert() -> ProblemError:
    """Return the problem of a path that names no alert."""
    return ProblemError(Kind.NOT_FOUND, "There is no alert of this id.")


async def get_zones(call: Call) -> web.Response:
    """Return the speed zones that gave an alert its limit."""
    alert_id, now = call.path.alert_id, to_datetime(call.desk.clock.now_us())
    async with call.desk.pool.acquire() as connection:
        rows = await connection.fetch(QUERIES["zones_of_alert"], alert_id, now)
        if not rows:
            await read_alert(call)
            return json_of(Zones(items=[]))
        alert = rows[0]
        span = Span(alert["vehicle_id"], to_us(alert["started_at"]), to_us(alert["ended_at"]) + 1)
        fixes = await read_spans(connection, [span])
    found = await asyncio.to_thread(_zones, rows, fixes)
    return json_of(Zones(items=found))


def _zones(rows: Sequence[asyncpg.Record], fixes: Fixes) -> list[Zone]:
    zones = Fences(read_versions(rows))
    names = {(row["fence_id"], to_us(row["valid_from"])): row["name"] for row in rows}
    ruled = zones_at(zones, fixes, rows[0]["limit_value"], rows[0]["peak"])
    found: dict[str, str] = {}
    for row in ruled:  # in order of time: of two versions, what it was called first
        found.setdefault(zones.codes[row], names[int(zones.fence_id[row]), int(zones.valid_from_us[row])])
    return [Zone(code=code, name=name) for code, name in found.items()]


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
        path="/alerts/{alert_id}/zones",
        name="getAlertZones",
        summary="The speed zones that gave an alert its limit; none where another limit ruled.",
        handle=get_zones,
        place=AlertPlace,
        answers={200: Answer("The zones.", Zones)},
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

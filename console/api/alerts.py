"""Alerts and the rulebooks that judged them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from aiohttp import web

from alerts.words.lasting import so_far
from console import cursor
from console.models.alerts import Alert, AlertPage, AlertPlace, AlertQuery, Total, Zone, Zones
from console.models.ground import Rulebook, RulebookPlace
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from console.queries import QUERIES
from console.zones import zones_at
from fleet.fences.store import read_versions
from fleet.fences.versions import Fences
from fleet.tracks import Span, read_page
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
#: Up to so many unfinished alerts are sorted; of more, the newest are found sooner by walking down the
#: starts: 16 ms instead of 7 s for a page of a million.
_FEW = 10_000
#: An alert for which a zone ruled lasts minutes; of a longer one the beginning has to do.
_MAX_FIXES = 100_000
#: No list is counted further: nobody tells 10,001 from 20,000, and a million takes seconds.
MAX_COUNTED = 10_000


class _Part(NamedTuple):
    """Alerts that follow each other by one key: `started_at + severity * step`."""

    #: How a cursor names it.
    order: int
    step: timedelta
    #: Only what goes on, or only what has ended.
    ongoing: bool | None = None


#: A list is its parts, one after the other.
_SORTS = {
    "newest": (_Part(1, timedelta(0)),),
    "priority": (_Part(2, STEP),),
    "queue": (_Part(3, STEP, ongoing=True), _Part(4, STEP, ongoing=False)),
}


class _Row(NamedTuple):
    part: _Part
    record: asyncpg.Record


async def list_alerts(call: Call) -> web.Response:
    """Return a page of alerts, and how many there are on all pages if that is asked."""
    query = _completed(call.query)
    parts, place = _remaining(query)
    async with (
        call.desk.pool.acquire() as connection,
        # The page and the total are of one moment.
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        rows = await _read(connection, query, parts, place)
        total = await _count(connection, query) if query.total else None
    behind = None
    if len(rows) > query.limit:
        rows = rows[: query.limit]
        part, record = rows[-1]
        behind = cursor.encode(cursor.Place(part.order, to_us(record["key"]), record["alert_id"]))
    now_us = call.desk.clock.now_us()
    items = ",".join(_as_of(row.record["alert"], now_us) for row in rows)
    rest = msgspec.json.encode({"next": behind, "total": total}).decode()
    return web.json_response(text=f'{{"items":[{items}],{rest[1:]}')


def _completed(query: AlertQuery) -> AlertQuery:
    """Return the query with the states that its sort stands for."""
    if query.sort != "queue":
        return query
    if query.state is None:
        return msgspec.structs.replace(query, state=sorted(UNFINISHED))
    if not UNFINISHED.issuperset(query.state):
        raise ProblemError(
            Kind.BAD_REQUEST, "`sort=queue` is of open and acknowledged alerts: take `newest` for others."
        )
    return query


def _remaining(query: AlertQuery) -> tuple[Sequence[_Part], cursor.Place | None]:
    """Return the parts of the list that the page may hold, and behind which alert of the first it begins."""
    parts = [
        part for part in _SORTS[query.sort] if query.ongoing in {None, part.ongoing} or part.ongoing is None
    ]
    if query.after is None:
        return parts, None
    orders = [part.order for part in parts]
    try:
        place = cursor.decode(query.after, orders)
    except ValueError as error:
        raise ProblemError(
            Kind.BAD_REQUEST, f"`after` is {error}: take `next` of the page before."
        ) from error
    return parts[orders.index(place.order) :], place


async def _read(
    connection: asyncpg.pool.PoolConnectionProxy,
    query: AlertQuery,
    parts: Sequence[_Part],
    place: cursor.Place | None,
) -> list[_Row]:
    """Return the page and, if there is one, the alert behind it."""
    is_few = False
    if query.state and UNFINISHED.issuperset(query.state):
        is_few = await connection.fetchval(QUERIES["unfinished_are_at_most"], query.state, _FEW)
    rows: list[_Row] = []
    for part in parts:
        filters = _filters(query)
        if part.ongoing is not None:
            filters[_ONGOING] = part.ongoing
        begin = (None, None) if place is None else (to_datetime(place.key_us), place.id)
        name = "alerts_unfinished" if is_few else "alerts_priority" if part.step else "alerts_newest"
        step = [] if name == "alerts_newest" else [part.step]
        at_most = query.limit + 1 - len(rows)
        found = await connection.fetch(QUERIES[name], *filters, *begin, at_most, *step)
        rows += (_Row(part, record) for record in found)
        if len(rows) > query.limit:
            break
        place = None
    return rows


async def _count(connection: asyncpg.pool.PoolConnectionProxy, query: AlertQuery) -> Total:
    found = await connection.fetchval(QUERIES["alerts_total"], *_filters(query), MAX_COUNTED + 1)
    return Total(count=min(found, MAX_COUNTED), is_exact=found <= MAX_COUNTED)


#: Where `ongoing` stands among the filters.
_ONGOING = 7


def _filters(query: AlertQuery) -> list[Any]:
    """Return the parameters that all lists begin with."""
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
        fixes = await read_page(connection, span, _MAX_FIXES)
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
        summary="Alerts, newest first, by priority or as a queue, page by page.",
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
        problems=(Kind.NOT_FOUND, Kind.NOT_KEPT, Kind.OLD_TRACKS_AWAY),
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

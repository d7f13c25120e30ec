"""Vehicles, where they are, and where they were."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from console import track
from console.live import live
from console.masking import masked_plate
from console.models.session import LiveQuery
from console.models.vehicles import Track, TrackQuery, Vehicle, VehiclePage, VehiclePlace, VehicleQuery
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from fleet.columns import Fixes
from fleet.schedule import CIVIL_ZONE
from fleet.tracks import Span, count_span, read_page
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    import asyncpg

    from console.live_positions import LivePositions, Registered
    from console.operation import Call

#: Of a track that is asked for by its ends.
LONGEST = timedelta(hours=36)
#: How much of a track that is thinned is held at once.
_MAX_AT_ONCE = 100_000


async def list_vehicles(call: Call) -> web.Response:
    """Return a page of vehicles."""
    query: VehicleQuery = call.query
    live_positions = call.desk.live_positions
    await live_positions.refresh()
    now_us = call.desk.clock.now_us()
    found: list[dict[str, Any]] = []
    for whole in live_positions.vehicles.values():
        vehicle = _shown(whole, call)
        if not _wanted(vehicle, query):
            continue
        described = _described(live_positions, vehicle, now_us)
        if query.state is None or described["state"] == query.state:
            found.append(described)
        if len(found) > query.limit:
            break
    behind = found[query.limit - 1]["code"] if len(found) > query.limit else None
    return json_of({"items": found[: query.limit], "next": behind})


def _shown(vehicle: Registered, call: Call) -> Registered:
    """Return a vehicle as the one who asks may see it."""
    return vehicle if call.may_act else vehicle._replace(plate=masked_plate(vehicle.plate))


def _wanted(vehicle: Registered, query: VehicleQuery) -> bool:
    if query.after is not None and vehicle.code <= query.after:
        return False
    if query.company is not None and vehicle.company != query.company:
        return False
    text = "" if query.q is None else query.q.casefold()
    return text in vehicle.code.casefold() or text in vehicle.plate.casefold()


def _described(live_positions: LivePositions, vehicle: Registered, now_us: int) -> dict[str, Any]:
    """Return a vehicle as the API gives it."""
    known = vehicle._asdict()
    return {
        "id": known.pop("vehicle_id"),
        **known,
        "state": live_positions.state_of(vehicle, now_us),
        "rejected": live_positions.rejected_of(vehicle, now_us),
        "position": live_positions.position_of(vehicle),
    }


async def get_vehicle(call: Call) -> web.Response:
    """Return one vehicle."""
    vehicle = _shown(await find_vehicle(call), call)
    return json_of(_described(call.desk.live_positions, vehicle, call.desk.clock.now_us()))


async def get_track(call: Call) -> web.Response:
    """Return a vehicle's fixes as columns."""
    vehicle = await find_vehicle(call)
    from_us, until_us = _span_us(call.query, call.desk.clock.now_us())
    query: TrackQuery = call.query
    if query.thin and (query.after, query.limit) != (None, None):
        raise ProblemError(
            Kind.BAD_REQUEST, "`thin` gives all in one answer: it has no `after` and no `limit`."
        )
    span = Span(vehicle.vehicle_id, max(from_us, 0 if query.after is None else query.after + 1), until_us)
    async with (
        call.desk.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        if query.thin:
            fixes, part = await _read_thinned(connection, span)
        else:
            fixes, part = await _read_page(connection, span, query.limit or track.MAX_POINTS)
    body = await asyncio.to_thread(track.encode, vehicle.code, from_us, until_us, fixes, part)
    return web.Response(body=body, content_type="application/json")


async def _read_page(connection: asyncpg.Connection, span: Span, limit: int) -> tuple[Fixes, track.Part]:
    """Return the first fixes of a span, and behind which the next page begins."""
    fixes = await read_page(connection, span, limit + 1)
    if len(fixes) <= limit:
        return fixes, track.Part()
    fixes = fixes.take(slice(0, limit))
    return fixes, track.Part(next_us=int(fixes.time_us[-1]))


async def _read_thinned(connection: asyncpg.Connection, span: Span) -> tuple[Fixes, track.Part]:
    """Return a whole span in bounded many fixes, read piece by piece: what is held does not grow with it."""
    stored = await count_span(connection, span)
    if stored <= track.MAX_POINTS:
        return await read_page(connection, span, track.MAX_POINTS), track.Part(stored)
    of = track.stride(stored)
    at_once = of * max(_MAX_AT_ONCE // of, 1)
    pieces: list[Fixes] = []
    while len(piece := await read_page(connection, span, at_once)):
        span = span._replace(from_us=int(piece.time_us[-1]) + 1)
        pieces.append(track.thinned(piece, of))
    return Fixes.concat(pieces), track.Part(stored, thinned=True)


async def find_vehicle(call: Call) -> Registered:
    """Return the vehicle that the path names. Raises `ProblemError` where there is none."""
    await call.desk.live_positions.refresh()
    vehicle = call.desk.live_positions.vehicles.get(call.path.vehicle)
    if vehicle is None:
        raise ProblemError(Kind.NOT_FOUND, "There is no vehicle of this code.")
    return vehicle


def _span_us(query: TrackQuery, now_us: int) -> tuple[int, int]:
    """Return [from, until) in microseconds since 1970."""
    if query.from_ is not None or query.until is not None:
        if query.from_ is None or query.until is None or query.day is not None:
            raise ProblemError(Kind.BAD_REQUEST, "Give `day`, or both `from` and `until`, or none of them.")
        if not timedelta(0) < query.until - query.from_ <= LONGEST:
            raise ProblemError(Kind.BAD_REQUEST, "`until` must come after `from`, by at most 36 hours.")
        return to_us(query.from_), to_us(query.until)
    day = query.day or to_datetime(now_us).astimezone(CIVIL_ZONE).date()
    try:
        begin = datetime.combine(day, time(), CIVIL_ZONE).astimezone(UTC)
        return to_us(begin), to_us(begin + timedelta(days=1))
    except OverflowError as error:
        raise ProblemError(Kind.BAD_REQUEST, "`day` is not a day of this calendar.") from error


OPERATIONS = (
    Operation(
        method="GET",
        path="/vehicles",
        name="listVehicles",
        summary="Vehicles as they are in force now, by code, with their newest position.",
        handle=list_vehicles,
        query=VehicleQuery,
        answers={200: Answer("A page of vehicles.", VehiclePage)},
    ),
    Operation(
        method="GET",
        path="/vehicles/{vehicle}",
        name="getVehicle",
        summary="One vehicle, with its newest position.",
        handle=get_vehicle,
        place=VehiclePlace,
        answers={200: Answer("The vehicle.", Vehicle)},
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path="/vehicles/{vehicle}/track",
        name="getTrack",
        summary="What a vehicle reported in a civil day or a span of time, as columns; in pages, or thinned.",
        handle=get_track,
        place=VehiclePlace,
        query=TrackQuery,
        answers={200: Answer("The track.", Track)},
        problems=(Kind.NOT_FOUND, Kind.NOT_KEPT, Kind.OLD_TRACKS_AWAY),
    ),
    Operation(
        method="GET",
        path="/live",
        name="live",
        summary="A WebSocket of alerts (JSON text) and positions (binary frames, a column after the other).",
        handle=live,
        query=LiveQuery,
        answers={101: Answer("Switched to WebSocket. docs/console.md describes the messages.")},
        problems=(Kind.UPGRADE_REQUIRED, Kind.TOO_MANY),
    ),
)

"""Where right turns are dangerous: turning places with their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from analytics.places import documents, store
from console.models.places import PlacesQuery, TurningPlaces
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from fleet.civil_days import DaySpanError, civil_span
from fleet.units import to_datetime

if TYPE_CHECKING:
    from aiohttp import web

    from console.operation import Call

_DAYS = 28
MOST_DAYS = 92


async def list_places(call: Call) -> web.Response:
    """Return the places of a span of civil days."""
    now = to_datetime(call.desk.clock.now_us())
    try:
        since, until = civil_span(call.query.from_, call.query.to, now=now, days=_DAYS)
    except DaySpanError as error:
        raise ProblemError(Kind.BAD_REQUEST, str(error)) from error
    if (until - since).days > MOST_DAYS:
        raise ProblemError(Kind.BAD_REQUEST, f"At most {MOST_DAYS} days; `kerbsafe places` takes any span.")
    async with call.desk.pool.acquire() as connection:
        surveyed, unsettled = await store.read(connection, since, until)
    found = documents.document(surveyed, since, until, unsettled=unsettled)
    return json_of(msgspec.convert(found, TurningPlaces))


OPERATIONS = (
    Operation(
        method="GET",
        path="/places",
        name="listPlaces",
        summary="Where right turns are dangerous: conflicts by turning place, worst first.",
        handle=list_places,
        query=PlacesQuery,
        answers={200: Answer("The places; none where nothing has settled.", TurningPlaces)},
    ),
)

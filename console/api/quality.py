"""How good the data is: the figures that regulators score, and what each terminal needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from analytics.quality import documents, store
from console.models.quality import Quality, QualityQuery
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from fleet.civil_days import DaySpanError, civil_span
from fleet.units import to_datetime

if TYPE_CHECKING:
    from aiohttp import web

    from console.operation import Call

#: It reads every fix of the days.
MOST_DAYS = 7


async def get_quality(call: Call) -> web.Response:
    """Return the figures of a span of civil days."""
    now = to_datetime(call.desk.clock.now_us())
    try:
        since, until = civil_span(call.query.from_, call.query.to, now=now, days=1)
    except DaySpanError as error:
        raise ProblemError(Kind.BAD_REQUEST, str(error)) from error
    if (until - since).days > MOST_DAYS:
        raise ProblemError(Kind.BAD_REQUEST, f"At most {MOST_DAYS} days; `kerbsafe quality` takes any span.")
    async with call.desk.pool.acquire() as connection:
        vehicles = await store.read(connection, since, until)
    return json_of(msgspec.convert(documents.document(vehicles, call.query.by, since, until), Quality))


OPERATIONS = (
    Operation(
        method="GET",
        path="/quality",
        name="getQuality",
        summary="How good the data is, with what each figure is made of; worst first.",
        handle=get_quality,
        query=QualityQuery,
        answers={200: Answer("The figures; none where no vehicle is registered.", Quality)},
    ),
)

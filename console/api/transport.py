"""When data may be missing, because the broker dropped it or forgot what it had kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from console.models.words import Moment  # noqa: TC001 - msgspec reads the annotations
from console.operation import Answer, Operation, json_of
from console.queries import QUERIES
from fleet.units import to_datetime

if TYPE_CHECKING:
    from aiohttp import web

    from console.operation import Call

#: Whoever looks at a shift sees what it lacks; older gaps are in the table.
SINCE = timedelta(days=7)
AT_MOST = 100


class TransportGap(msgspec.Struct, frozen=True, kw_only=True):
    """A time of which data may be missing: the broker had no room for it, or forgot what it had kept."""

    source: Literal["queue_full", "session_forgotten", "broker_restarted"]
    from_at: Moment
    until_at: Moment
    #: How many messages are missing at most; null: nobody can know.
    messages: int | None


class TransportGaps(msgspec.Struct, frozen=True, kw_only=True):
    """Gaps, newest first."""

    items: list[TransportGap]


async def get_gaps(call: Call) -> web.Response:
    """Return the gaps of the last days, newest first."""
    now = to_datetime(call.desk.clock.now_us())
    rows = await call.desk.pool.fetch(QUERIES["transport_gaps"], now - SINCE, AT_MOST)
    return json_of(TransportGaps(items=[TransportGap(**dict(row)) for row in rows]))


OPERATIONS = (
    Operation(
        method="GET",
        path="/transport-gaps",
        name="getTransportGaps",
        summary="When data of devices may be missing: of the last 7 days, newest first.",
        handle=get_gaps,
        answers={200: Answer("The gaps; none where nothing is known to be missing.", TransportGaps)},
    ),
)

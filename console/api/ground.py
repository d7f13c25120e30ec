"""What lies under the trucks: fences, streets, tiles; and what this installation is."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING

from aiohttp import web

from console.models.ground import Fences, Streets
from console.models.session import About
from console.operation import Answer, Operation, json_of
from console.queries import QUERIES
from fleet.units import to_datetime

if TYPE_CHECKING:
    from console.operation import Call


async def get_fences(call: Call) -> web.Response:
    """Return the fences in force."""
    now = to_datetime(call.desk.clock.now_us())
    text: str = await call.desk.pool.fetchval(QUERIES["fences"], now)
    return _unless_known(call, text.encode())


async def get_streets(call: Call) -> web.Response:
    """Return the streets that were configured."""
    return _unless_known(call, call.desk.streets)


def _unless_known(call: Call, body: bytes) -> web.Response:
    """Return a body, or 304 to whoever has it already."""
    tag = hashlib.sha256(body).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    known = call.request.if_none_match or ()
    if any(one.value == tag for one in known):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)


async def get_about(call: Call) -> web.Response:
    """Return what this installation is."""
    clock = call.desk.clock
    about = About(
        version=version("kerbsafe"),
        now=to_datetime(clock.now_us()),
        sandbox=clock.clock.sandbox,
        demo=call.desk.authentication.demo,
        tiles=call.desk.tiles,
    )
    return json_of(about)


_KNOWN = Answer("Not changed since the `If-None-Match` that was sent.")

OPERATIONS = (
    Operation(
        method="GET",
        path="/fences",
        name="getFences",
        summary="The fences in force now, GeoJSON, WGS 84.",
        handle=get_fences,
        answers={200: Answer("The fences.", Fences), 304: _KNOWN},
    ),
    Operation(
        method="GET",
        path="/streets",
        name="getStreets",
        summary="Street lines to draw under the trucks, GeoJSON, WGS 84.",
        handle=get_streets,
        answers={200: Answer("The streets; none where none are configured.", Streets), 304: _KNOWN},
    ),
    Operation(
        method="GET",
        path="/about",
        name="getAbout",
        summary="Version, clock and base map of this installation.",
        handle=get_about,
        answers={200: Answer("This installation.", About)},
    ),
)

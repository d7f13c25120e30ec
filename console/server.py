"""The application: routes, and what holds for every request."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import msgspec
import structlog
from aiohttp import web

from console import patience, problems
from console.api import (
    accidents,
    alerts,
    audit,
    commands,
    ground,
    handling,
    people,
    places,
    quality,
    session,
    transport,
    vehicles,
)
from console.openapi import PREFIX, document
from console.operation import DESK
from console.problems import Kind, ProblemError
from fleet.archive.layout import ArchiveError, NotKeptError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from console.services import Services

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OPERATIONS = (
    *alerts.OPERATIONS,
    *handling.OPERATIONS,
    *vehicles.OPERATIONS,
    *commands.OPERATIONS,
    *people.OPERATIONS,
    *ground.OPERATIONS,
    *transport.OPERATIONS,
    *session.OPERATIONS,
    *audit.OPERATIONS,
    *accidents.OPERATIONS,
    *places.OPERATIONS,
    *quality.OPERATIONS,
)
#: Paths that the page's script shows something for.
PAGES = (
    "/",
    "/alerts/{alert_id}",
    "/vehicles/{vehicle}",
    "/accidents",
    "/accident-entry",
    "/accidents/{code}",
    "/accidents/{code}/correction",
    "/places",
    "/quality",
)
#: Name of the operation that is a WebSocket.
LIVE = "live"
#: Nobody has to send us more than a reason, each of its characters escaped.
MAX_BODY_BYTES = 32 * 1024

_log = structlog.get_logger("console")


def make_app(desk: Services) -> web.Application:
    """Return the application that serves the API and the page."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_guarded])
    app[DESK] = desk
    for operation in OPERATIONS:
        app.router.add_route(operation.method, PREFIX + operation.path, operation.answer, name=operation.name)
    app.router.add_get(f"{PREFIX}/openapi.json", _openapi, name="openapi")
    for path in PAGES:
        app.router.add_get(path, desk.pages.page)
    app.router.add_get("/assets/{name}", desk.pages.asset)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_say_goodbye)
    return app


_DOCUMENT = msgspec.json.encode(document(OPERATIONS))


async def _openapi(_: web.Request) -> web.Response:
    return web.Response(body=_DOCUMENT, content_type="application/json")


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever goes wrong with a problem document, and count how long it took."""
    desk = request.app[DESK]
    started_s = time.perf_counter()
    try:
        desk.authentication.check_host(request)
        if _is_live(request):
            return await handler(request)
        return await patience.within(patience.ANSWER_S, handler(request))
    except ProblemError as problem:
        response = problems.answer(problem.kind, problem.detail, problem.headers, problem.more)
    except web.HTTPException as error:
        is_lost = error.status == Kind.NOT_FOUND.status and _is_of_the_page(request)
        # The page's script says that there is no such page, in the language of whoever looks.
        response = desk.pages.missing() if is_lost else problems.of_framework(error)
    except asyncpg.DataError:
        response = problems.answer(Kind.BAD_REQUEST, "The request holds what no text or number can be.")
    except ArchiveError as error:
        response = _of_old_tracks(error)
    except (*patience.LATE, *patience.AWAY) as error:
        if request.transport is None or request.transport.is_closing():
            raise  # it is the client that is gone
        response = _of_database(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
        _log.error("request failed", operation=_operation_of(request), **_traced(error))
        response = problems.answer(Kind.FAILED, "It was logged; try again, and tell whoever runs Kerbsafe.")
    finally:
        if not _is_live(request):
            seconds = time.perf_counter() - started_s
            desk.metrics.request_seconds.labels(_operation_of(request)).observe(seconds)
    desk.metrics.problems.labels(str(response.status)).inc()
    return response


def _of_database(error: Exception) -> web.Response:
    """Say that the database did not answer, or is not there; to be asked again."""
    is_late = isinstance(error, patience.LATE)
    if not is_late:
        _log.warning("the database is away", error=type(error).__name__)
    why = "The database did not answer in time." if is_late else "The database cannot be reached."
    return problems.answer(Kind.OVERLOADED, why, {"Retry-After": "5"})


def _of_old_tracks(error: ArchiveError) -> web.Response:
    """Say that an old track could not be read: that it is empty is something else."""
    if isinstance(error, NotKeptError):
        return problems.answer(Kind.NOT_KEPT, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    _log.warning("old tracks cannot be read", error=str(error))
    return problems.answer(
        Kind.OLD_TRACKS_AWAY,
        "The cold store could not be read. It was logged; what was driven is not known.",
        {"Retry-After": "60"},
    )


def _is_live(request: web.Request) -> bool:
    """Return whether an answer lasts as long as somebody listens."""
    return request.match_info.route.name == LIVE


def _is_of_the_page(request: web.Request) -> bool:
    """Return whether a browser was sent to an address, and did not ask for data or a file of the page."""
    is_other = request.path.startswith((f"{PREFIX}/", "/assets/"))
    return not is_other and "text/html" in request.headers.get("Accept", "")


def _traced(error: Exception) -> dict[str, str]:
    """Return where an error came from, without its message: that may name a vehicle or a person."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[::-1])
    return {"error": type(error).__name__, "where": where}


def _operation_of(request: web.Request) -> str:
    """Return the name of the operation: never a path, which may hold anything."""
    return request.match_info.route.name or "page"


async def _say_goodbye(app: web.Application) -> None:
    """Let the WebSockets end now instead of being cut off: browsers come back at once."""
    app[DESK].leaving.set()
    app[DESK].bell.ring()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Let the page run its own script and nothing else, and nobody show it in a frame."""
    tiles = request.app[DESK].tiles
    images = "'self' data:" if tiles is None else f"'self' data: {_image_source(tiles.url)}"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
        f"img-src {images}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "geolocation=(), camera=(), microphone=()"
    response.headers.setdefault("Cache-Control", "no-store")
    if request.app[DESK].authentication.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    response.headers.popall("Server", None)


def _image_source(tile_url: str) -> str:
    """Return what the page's images may come from, as the security header names it."""
    url = urlsplit(tile_url)
    return f"{url.scheme}://{url.netloc.replace('{s}.', '*.')}" if url.netloc else "'self'"

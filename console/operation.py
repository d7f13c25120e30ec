"""One operation of the API: what it takes, what it answers, and who may use it.

The same declarations check requests and make the OpenAPI document, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

import msgspec
from aiohttp import web

from console.problems import Kind, ProblemError

if TYPE_CHECKING:
    from console.desk import Desk
    from console.identity import Identity

#: Where an application keeps its `Desk`, and a request who asks.
DESK: web.AppKey[Desk] = web.AppKey("desk")
_JSON = "application/json"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood and let in."""

    request: web.Request
    desk: Desk
    #: None only where the operation is open to everybody.
    identity: Identity | None
    #: Instances of the operation's `path`, `query` and `body`.
    path: Any
    query: Any
    body: Any


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers with one status."""

    about: str
    #: Type of the JSON body; None: no body, or one that `media` says.
    body: Any = None
    media: str = _JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method on a path."""

    method: str
    path: str
    name: str
    summary: str
    handle: Handler
    answers: Mapping[int, Answer]
    #: Types of the parameters in the path and in the query, and of the JSON body.
    place: type[msgspec.Struct] = Nothing
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    #: Problems it answers with, beside those of every operation.
    problems: tuple[Kind, ...] = ()
    #: May be used without a login; and with a one-time password that is still to be replaced.
    is_open: bool = False
    before_password: bool = False
    lists: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", frozenset(_list_names(self.query)))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Understand the request, see who asks, and answer."""
        desk = request.app[DESK]
        identity = await desk.doorkeeper.identify(request)
        desk.doorkeeper.check_origin(request, identity)
        if not self.is_open:
            self._admit(identity)
        path = _understand(self.place, dict(request.match_info), "path")
        query = _understand(self.query, self._query(request), "query")
        body = None if self.body is None else await _read_body(request, self.body)
        return await self.handle(Call(request, desk, identity, path, query, body))

    def _admit(self, identity: Identity | None) -> None:
        if identity is None:
            raise ProblemError(
                Kind.LOGIN_REQUIRED,
                "Log in at the console, or send `Authorization: Bearer` with a token.",
                {"WWW-Authenticate": 'Bearer realm="kerbsafe"'},
            )
        if identity.user is not None and identity.user.must_change and not self.before_password:
            raise ProblemError(
                Kind.NEW_PASSWORD_REQUIRED, "The printed password serves to choose another one."
            )

    def _query(self, request: web.Request) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in request.query:
            given = request.query.getall(name)
            if name not in self.lists and len(given) > 1:
                raise ProblemError(Kind.BAD_REQUEST, f"The query names `{name[:40]}` more than once.")
            values[name] = given if name in self.lists else given[0]
        return values


def _list_names(struct: type[msgspec.Struct]) -> list[str]:
    """Return the encoded names of fields that may be repeated."""
    hints = get_type_hints(struct)
    return [
        info.encode_name
        for info in msgspec.structs.fields(struct)
        if any(
            get_origin(part) is list
            for part in (hints[info.name], *getattr(hints[info.name], "__args__", ()))
        )
    ]


def _understand(struct: type[msgspec.Struct], values: Mapping[str, Any], where: str) -> Any:
    try:
        return msgspec.convert(values, struct, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(Kind.BAD_REQUEST, f"In the {where}: {_sentence(error)}") from error


async def _read_body(request: web.Request, struct: type[msgspec.Struct]) -> Any:
    if request.content_type != _JSON:
        raise ProblemError(Kind.NOT_JSON, "Send JSON with `Content-Type: application/json`.")
    try:
        return msgspec.json.decode(await request.read(), type=struct)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProblemError(Kind.BAD_REQUEST, f"In the body: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    return str(error)[:200]

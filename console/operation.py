"""One operation of the API: what it takes, what it answers, and who may use it.

The same declarations check requests and make the OpenAPI document, so that the two cannot differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import msgspec
from aiohttp import web

from console.patience import BODY_S
from console.problems import Kind, ProblemError
from fleet import audit
from fleet.audit import Act, Entry

if TYPE_CHECKING:
    from console.identity import Identity
    from console.services import Services

#: Where an application keeps its `Services`, and a request who asks.
DESK: web.AppKey[Services] = web.AppKey("desk")
_JSON = "application/json"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood and let in."""

    request: web.Request
    desk: Services
    #: None only where the operation is open to everybody.
    identity: Identity | None
    #: Instances of the operation's `path`, `query` and `body`.
    path: Any
    query: Any
    body: Any

    @property
    def may_act(self) -> bool:
        """Whether whoever asks may act, and so see whom to call."""
        return self.identity is not None and self.identity.may_act


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def json_of(content: Any) -> web.Response:
    """Return a struct, or plain values, as a JSON response."""
    return web.Response(body=msgspec.json.encode(content), content_type=_JSON)


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
    #: Does something to an alert, or orders something of a vehicle: not for those who may only look.
    acts: bool = False
    #: For administrators, who log in as such; not for programs.
    administers: bool = False
    #: Names of parameters that may be repeated, and of those that are moments.
    lists: frozenset[str] = field(init=False)
    moments: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", _names_of(self.query, list))
        object.__setattr__(self, "moments", _names_of(self.query, datetime))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Understand the request, see who asks, and answer."""
        desk = request.app[DESK]
        identity = await desk.authentication.identify(request)
        desk.authentication.check_origin(request, identity)
        if not self.is_open:
            self._admit(identity)
            assert identity is not None  # noqa: S101 - it was admitted
            await self._allow(identity, request, desk)
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

    async def _allow(self, identity: Identity, request: web.Request, desk: Services) -> None:
        """Raise `ProblemError`, and keep on record, that somebody asks for what their role does not allow."""
        if self.acts and not identity.may_act:
            detail = "You may look and not act: this takes an operator, or a token of scope act."
        elif self.administers and not identity.may_administer:
            detail = "This is for administrators who have logged in."
        else:
            return
        address = desk.authentication.address_of(request)
        await audit.record(desk.pool, Entry(Act.ACCESS_REFUSED, identity.actor, self.name, address=address))
        raise ProblemError(Kind.REFUSED, detail)

    def _query(self, request: web.Request) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in request.query:
            given = request.query.getall(name)
            if name not in self.lists and len(given) > 1:
                raise ProblemError(Kind.BAD_REQUEST, f"The query names `{name[:40]}` more than once.")
            if name in self.moments and "T" not in given[0].upper():
                # Numbers would be read as seconds since 1970.
                raise ProblemError(Kind.BAD_REQUEST, f"In the query: `{name}` is not an RFC 3339 time.")
            values[name] = given if name in self.lists else given[0]
        return values


def _names_of(struct: type[msgspec.Struct], kind: type) -> frozenset[str]:
    """Return the encoded names of fields of a type, or of that type and others."""
    hints = get_type_hints(struct)
    return frozenset(
        info.encode_name
        for info in msgspec.structs.fields(struct)
        for part in (hints[info.name], *get_args(hints[info.name]))
        if part is kind or get_origin(part) is kind
    )


def _understand(struct: type[msgspec.Struct], values: Mapping[str, Any], where: str) -> Any:
    try:
        understood = msgspec.convert(values, struct, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(Kind.BAD_REQUEST, f"In the {where}: {_sentence(error)}") from error
    for info in msgspec.structs.fields(struct):
        # `state=null` would be read as not given.
        if info.encode_name in values and getattr(understood, info.name) is None:
            raise ProblemError(Kind.BAD_REQUEST, f"In the {where}: `{info.encode_name}` is not a value.")
    return understood


async def _read_body(request: web.Request, struct: type[msgspec.Struct]) -> Any:
    if request.content_type != _JSON:
        raise ProblemError(Kind.NOT_JSON, "Send JSON with `Content-Type: application/json`.")
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except TimeoutError as error:
        raise ProblemError(Kind.TOO_SLOW, f"The body did not come within {BODY_S:.0f} s.") from error
    try:
        return msgspec.json.decode(body, type=struct)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProblemError(Kind.BAD_REQUEST, f"In the body: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    return str(error)[:200]

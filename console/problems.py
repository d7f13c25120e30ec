"""Errors of the API as RFC 9457 problem documents."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/problem+json"


class Kind(Enum):
    """What can be wrong: status and title. The lower-case name, with dashes, ends the problem's type."""

    BAD_REQUEST = (400, "The request cannot be understood")
    LOGIN_REQUIRED = (401, "Log in, or send a bearer token")
    WRONG_PASSWORD = (401, "Name or password is wrong")
    REFUSED = (403, "This is not allowed")
    NEW_PASSWORD_REQUIRED = (403, "Choose a password of your own first")
    NOT_FOUND = (404, "There is no such thing")
    METHOD_NOT_ALLOWED = (405, "This cannot be done here")
    NOT_ACCEPTABLE = (406, "This cannot be had in that form")
    TOO_SLOW = (408, "The request did not come in time")
    STALE_VERSION = (409, "Somebody else was faster")
    NOT_IN_THIS_STATE = (409, "The alert is in a state that does not allow this")
    SECOND_PERSON_NEEDED = (409, "This takes two people")
    CHANGED = (412, "It has changed since you saw it")
    TOO_LARGE = (413, "The request is too large")
    NOT_JSON = (415, "The body must be application/json")
    MISDIRECTED = (421, "This address is not served here")
    UPGRADE_REQUIRED = (426, "This is a WebSocket")
    TOO_MANY = (429, "Too many requests")
    FAILED = (500, "Something failed on our side")
    OVERLOADED = (503, "The console has too much to do")

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[0]

    @property
    def title(self) -> str:
        """What people read first; the same for every problem of the kind."""
        return self.value[1]

    @property
    def uri(self) -> str:
        """The problem's `type`."""
        return f"urn:kerbsafe:problem:{self.name.lower().replace('_', '-')}"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class ProblemError(Exception):
    """Raised by handlers; answered as a problem document."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        #: Further members of the document.
        self.more = dict(more or {})


def answer(
    kind: Kind, detail: str, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
) -> web.Response:
    """Return the problem document."""
    problem = Problem(type=kind.uri, title=kind.title, status=kind.status, detail=detail)
    body = msgspec.json.encode({**msgspec.structs.asdict(problem), **(more or {})})
    return web.Response(status=kind.status, body=body, content_type=CONTENT_TYPE, headers=headers)


_OF_STATUS = {
    404: Kind.NOT_FOUND,
    405: Kind.METHOD_NOT_ALLOWED,
    406: Kind.NOT_ACCEPTABLE,
    413: Kind.TOO_LARGE,
    415: Kind.NOT_JSON,
}


def of_framework(error: web.HTTPException) -> web.Response:
    """Return what aiohttp raised as a problem document."""
    kind = _OF_STATUS.get(
        error.status, Kind.FAILED if error.status >= Kind.FAILED.status else Kind.BAD_REQUEST
    )
    allow = error.headers.get("Allow")
    return answer(kind, error.reason or kind.title, None if allow is None else {"Allow": allow})

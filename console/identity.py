"""Who a request comes from, and whether a browser may have been led to send it.

A page of another site can make a browser send requests here with our cookie, open a WebSocket, or reach a
console on loopback under a name of its own (DNS rebinding). Against that: the cookie is SameSite=Strict, the
`Host` must be ours, and an `Origin`, where there is one, too. Bearer tokens are never sent unasked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from console import accounts
from console.problems import Kind, ProblemError
from console.remote import client_address
from fleet.audit import Actor, ActorKind
from fleet.clock import WALL
from fleet.setting_values import Proxies

if TYPE_CHECKING:
    from datetime import timedelta

    import asyncpg
    from aiohttp import web

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "
#: Roles of those who may act.
_ACTING = frozenset({"administrator", "operator"})


class Means(Enum):
    """How somebody proved who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    #: The demo on loopback asks nobody.
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks."""

    means: Means
    name: str
    #: Set for a session.
    user: accounts.User | None = None
    #: The session's token; None for the other means.
    session: str | None = None
    #: May do something to an alert, not only look.
    may_act: bool = False
    #: May see who did what.
    may_administer: bool = False

    @classmethod
    def of_session(cls, user: accounts.User, session: str) -> Identity:
        """Return the identity of a person who logged in."""
        return cls(
            Means.SESSION,
            user.name,
            user,
            session,
            may_act=user.role in _ACTING,
            may_administer=user.role == "administrator",
        )

    @property
    def actor(self) -> Actor:
        """Who this is in the audit."""
        return Actor(ActorKind.PROGRAM if self.means is Means.TOKEN else ActorKind.PERSON, self.name)


DEMO = Identity(Means.DEMO, "demo", may_act=True)


@dataclass(frozen=True, slots=True)
class Authentication:
    """Tells who asks, and turns away what may have been sent by a page of another site."""

    pool: asyncpg.Pool
    #: Address under which browsers reach us; None: only this machine does.
    origin: str | None = None
    demo: bool = False
    #: Proxies before us that are believed when they say whom they forward for.
    proxies: Proxies = field(default_factory=Proxies)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.origin is not None and self.origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie. The prefix makes browsers insist on TLS and on this host alone."""
        return "__Host-kerbsafe" if self.secure else "kerbsafe"

    @property
    def browser_cookie(self) -> str:
        """Name of the cookie that says that somebody has logged in here before. It lets nobody in."""
        return f"{self.cookie}-browser"

    def address_of(self, request: web.Request) -> str:
        """Return where a request comes from; "" if that is not known."""
        return client_address(
            request.remote or "", request.headers.getall("X-Forwarded-For", ()), self.proxies
        )

    def check_host(self, request: web.Request) -> None:
        """Raise `ProblemError` unless the request was sent to a name of ours."""
        host = request.headers.get("Host", "").lower()
        if _host_name(host) in LOOPBACK or (self.origin is not None and host == urlsplit(self.origin).netloc):
            return
        raise ProblemError(
            Kind.MISDIRECTED, "The Host header names another address; see KERBSAFE_CONSOLE_ORIGIN."
        )

    def check_origin(self, request: web.Request, identity: Identity | None) -> None:
        """Raise `ProblemError` if a page of another site may have made a browser send this."""
        origin = request.headers.get("Origin")
        if origin is None:
            by_cookie = identity is not None and identity.means is Means.SESSION
            if by_cookie and request.method not in _SAFE:
                raise ProblemError(Kind.REFUSED, "A request that changes something needs an Origin header.")
            return
        if not self._is_ours(origin.lower(), request.headers.get("Host", "").lower()):
            raise ProblemError(Kind.REFUSED, "Pages of other sites may not use the console.")

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin == self.origin:
            return True
        return _host_name(host) in LOOPBACK and origin in {f"http://{host}", f"https://{host}"}

    async def identify(self, request: web.Request) -> Identity | None:
        """Return who asks, None if they have not said or it is not true (any more)."""
        authorization = request.headers.get("Authorization", "")
        if authorization:
            if not authorization.lower().startswith(_BEARER):
                return None
            token = authorization[len(_BEARER) :].strip()
            found = await accounts.find_token(self.pool, token, WALL.now_us())
            return None if found is None else Identity(Means.TOKEN, found.name, may_act=found.scope == "act")
        session = request.cookies.get(self.cookie)
        if session:
            user = await accounts.find_session(self.pool, session, WALL.now_us())
            if user is not None:
                return Identity.of_session(user, session)
        return DEMO if self.demo else None

    def set_cookie(self, response: web.StreamResponse, session: str) -> None:
        """Give the browser its session."""
        self._set(response, self.cookie, session, accounts.SESSION)

    def set_browser_cookie(self, response: web.StreamResponse, token: str) -> None:
        """Have the browser remember that somebody has logged in."""
        self._set(response, self.browser_cookie, token, accounts.BROWSER_KNOWN)

    def _set(self, response: web.StreamResponse, name: str, value: str, lasts: timedelta) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Strict",
        )

    def clear_cookie(self, response: web.StreamResponse) -> None:
        """Take the session from the browser."""
        response.del_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="Strict")


def _host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; "" if it cannot be one."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""

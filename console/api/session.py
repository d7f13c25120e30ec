"""Logging in and out."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from console import accounts, passwords
from console.identity import Identity
from console.models import Login, NewPassword, Session
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from fleet.clock import WALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.accounts import User
    from console.desk import Desk
    from console.operation import Call
    from console.throttle import Throttle

#: How long a login waits until its password is computed.
_PATIENCE_S = 5.0


async def log_in(call: Call) -> web.Response:
    """Check name and password; give the browser a session."""
    login: Login = call.body
    name = login.name.strip().lower()
    user = await _checked(call, name, login.password)
    token = await accounts.open_session(call.desk.pool, user, WALL.now_us())
    response = _session(Identity.of_session(user, token))
    call.desk.doorkeeper.set_cookie(response, token)
    return response


async def _checked(call: Call, name: str, password: str) -> User:
    """Return whose name and password these are; make whoever guesses wait longer and longer."""
    desk, address = call.desk, call.request.remote or ""
    _refuse_too_many(desk, address, name)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await desk.hashing.acquire()
    except TimeoutError as error:
        raise ProblemError(Kind.OVERLOADED, "Too many log in at once.", {"Retry-After": "5"}) from error
    try:
        # Asked again: of many guesses sent at once, those before in the queue may have failed meanwhile.
        _refuse_too_many(desk, address, name)
        user = await accounts.check_password(desk.pool, name, password)
        for throttle, key in _throttles(desk, address, name):
            if user is None:
                throttle.failed(key, time.monotonic())
            else:
                throttle.succeeded(key)
    finally:
        desk.hashing.release()
    desk.metrics.logins.labels("wrong" if user is None else "right").inc()
    if user is None:
        raise ProblemError(Kind.WRONG_PASSWORD, "Nobody has this name and password.")
    return user


def _refuse_too_many(desk: Desk, address: str, name: str) -> None:
    """Raise `ProblemError` while an address, or a name at an address, has to wait."""
    for throttle, key in _throttles(desk, address, name):
        if wait_s := throttle.wait_s(key, time.monotonic()):
            desk.metrics.logins.labels("throttled").inc()
            headers = {"Retry-After": str(int(wait_s) + 1)}
            raise ProblemError(Kind.TOO_MANY, "Too many wrong passwords: wait a little.", headers)


def _throttles(desk: Desk, address: str, name: str) -> Iterator[tuple[Throttle, str]]:
    yield desk.wrong_names, f"{address} {name}"
    yield desk.wrong_addresses, address


async def get_session(call: Call) -> web.Response:
    """Return who asks."""
    return _session(call.identity)


async def log_out(call: Call) -> web.Response:
    """End the session."""
    if call.identity is not None and call.identity.session is not None:
        await accounts.close_session(call.desk.pool, call.identity.session)
    response = web.Response(status=204)
    call.desk.doorkeeper.clear_cookie(response)
    return response


async def change_password(call: Call) -> web.Response:
    """Replace the password of whoever is logged in."""
    identity, change = call.identity, call.body
    if identity is None or identity.user is None or identity.session is None:
        raise ProblemError(Kind.REFUSED, "Only a person who logged in has a password.")
    user = await _checked(call, identity.user.name, change.current)
    objection = passwords.objection(change.new, user.name)
    if change.new == change.current:
        objection = "it is the present one"
    if objection:
        raise ProblemError(Kind.BAD_REQUEST, f"This password cannot be used: {objection}.")
    async with call.desk.pool.acquire() as connection:
        await accounts.change_password(connection, user, change.new, accounts.hash_token(identity.session))
    return web.Response(status=204)


def _session(identity: Identity | None) -> web.Response:
    assert identity is not None  # noqa: S101 - operations that are not open have one
    user = identity.user
    role: Any = None if user is None else user.role
    session = Session(
        name=identity.name,
        means=identity.means.value,
        must_change_password=user is not None and user.must_change,
        role=role,
        may_act=identity.may_act,
    )
    return json_of(session)


_BODY = (Kind.NOT_JSON, Kind.TOO_LARGE, Kind.TOO_SLOW)

OPERATIONS = (
    Operation(
        method="POST",
        path="/session",
        name="logIn",
        summary="Log in with name and password; the answer sets the session's cookie.",
        handle=log_in,
        body=Login,
        answers={200: Answer("Logged in.", Session)},
        problems=(*_BODY, Kind.WRONG_PASSWORD, Kind.TOO_MANY, Kind.OVERLOADED),
        is_open=True,
    ),
    Operation(
        method="GET",
        path="/session",
        name="getSession",
        summary="Who is logged in.",
        handle=get_session,
        answers={200: Answer("Who asks.", Session)},
        before_password=True,
    ),
    Operation(
        method="DELETE",
        path="/session",
        name="logOut",
        summary="Log out.",
        handle=log_out,
        answers={204: Answer("Logged out.")},
        before_password=True,
    ),
    Operation(
        method="PUT",
        path="/session/password",
        name="changePassword",
        summary="Choose another password; other sessions of the same person end.",
        handle=change_password,
        body=NewPassword,
        answers={204: Answer("Changed.")},
        problems=(*_BODY, Kind.TOO_MANY, Kind.OVERLOADED),
        before_password=True,
    ),
)

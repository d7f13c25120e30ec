"""Logging in and out."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from console import accounts, passwords
from console.guesses import Guess
from console.identity import Identity
from console.models.session import Login, NewPassword, Session
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from fleet import audit
from fleet.audit import Act, Entry
from fleet.clock import WALL

if TYPE_CHECKING:
    from console.accounts import User
    from console.operation import Call
    from console.services import Services

#: How long a login waits until its password is computed.
_PATIENCE_S = 5.0


async def log_in(call: Call) -> web.Response:
    """Check name and password; give the browser a session."""
    login: Login = call.body
    desk, now_us = call.desk, WALL.now_us()
    name = login.name.strip().lower()
    token = call.request.cookies.get(desk.authentication.browser_cookie, "")
    known = await accounts.find_browser(desk.pool, token, name, now_us)
    address = desk.authentication.address_of(call.request)
    user = await _checked(desk, Guess(name, address, known), login.password)
    session = await accounts.open_session(desk.pool, user, now_us)
    identity = Identity.of_session(user, session)
    await audit.record(desk.pool, Entry(Act.LOGGED_IN, identity.actor, address=address))
    response = _session(identity)
    desk.authentication.set_cookie(response, session)
    if known is None:
        token = await accounts.know_browser(desk.pool, user, now_us)
    else:
        await accounts.touch_browser(desk.pool, known, now_us)
    desk.authentication.set_browser_cookie(response, token)
    return response


async def _checked(desk: Services, guess: Guess, password: str) -> User:
    """Return whose name and password these are; make whoever guesses wait longer and longer."""
    _refuse_too_many(desk, guess)
    hashing = desk.hashing if guess.browser is None else desk.hashing_known
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await hashing.acquire()
    except TimeoutError as error:
        raise ProblemError(Kind.OVERLOADED, "Too many log in at once.", {"Retry-After": "5"}) from error
    try:
        # Asked again: of many guesses sent at once, those before in the queue may have failed meanwhile.
        _refuse_too_many(desk, guess)
        user = await accounts.check_password(desk.pool, guess.name, password)
        wait_s = 0.0
        if user is None:
            wait_s = desk.guesses.failed(guess, time.monotonic())
        else:
            desk.guesses.succeeded(guess)
    finally:
        hashing.release()
    desk.metrics.logins.labels("wrong" if user is None else "right").inc()
    if user is None:
        await _record_wrong(desk, guess, wait_s)
        raise ProblemError(Kind.WRONG_PASSWORD, "Nobody has this name and password.")
    return user


def _refuse_too_many(desk: Services, guess: Guess) -> None:
    """Raise `ProblemError` while whoever guesses has to wait."""
    if wait_s := desk.guesses.wait_s(guess, time.monotonic()):
        desk.metrics.logins.labels("throttled").inc()
        headers = {"Retry-After": str(int(wait_s) + 1)}
        raise ProblemError(Kind.TOO_MANY, "Too many wrong passwords: wait a little.", headers)


async def _record_wrong(desk: Services, guess: Guess, wait_s: float) -> None:
    """Record a wrong guess, and that the next must wait. Nobody's name may be a password: it is not kept."""
    subject = guess.name if await accounts.has_user(desk.pool, guess.name) else ""
    await audit.record(desk.pool, Entry(Act.LOGIN_REFUSED, audit.NOBODY, subject, address=guess.address))
    if wait_s:
        detail = f"the next has to wait {wait_s:.0f} s"
        await audit.record(
            desk.pool, Entry(Act.LOGIN_DELAYED, audit.NOBODY, subject, detail, address=guess.address)
        )


async def get_session(call: Call) -> web.Response:
    """Return who asks."""
    return _session(call.identity)


async def log_out(call: Call) -> web.Response:
    """End the session."""
    if call.identity is not None and call.identity.session is not None:
        await accounts.close_session(call.desk.pool, call.identity.session)
        address = call.desk.authentication.address_of(call.request)
        await audit.record(call.desk.pool, Entry(Act.LOGGED_OUT, call.identity.actor, address=address))
    response = web.Response(status=204)
    call.desk.authentication.clear_cookie(response)
    return response


async def change_password(call: Call) -> web.Response:
    """Replace the password of whoever is logged in."""
    identity, change = call.identity, call.body
    if identity is None or identity.user is None or identity.session is None:
        raise ProblemError(Kind.REFUSED, "Only a person who logged in has a password.")
    # A session is known as a browser is: who has one guesses at the password by its own count.
    kept, address = accounts.hash_token(identity.session), call.desk.authentication.address_of(call.request)
    user = await _checked(call.desk, Guess(identity.user.name, address, kept), change.current)
    objection = passwords.objection(change.new, user.name)
    if change.new == change.current:
        objection = "it is the present one"
    if objection:
        raise ProblemError(Kind.BAD_REQUEST, f"This password cannot be used: {objection}.")
    entry = Entry(Act.PASSWORD_CHANGED, identity.actor, address=address)
    async with call.desk.pool.acquire() as connection, connection.transaction():
        await accounts.change_password(connection, user, change.new, kept)
        await audit.record(connection, entry)
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

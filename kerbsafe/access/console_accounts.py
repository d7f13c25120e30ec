"""The work of `kerbsafe console admin`, `user` and `token`: who may use the console and its API."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from console import accounts
from fleet import audit
from fleet.audit import Act, Entry
from fleet.clock import WALL
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    import asyncpg

Answer = TypeVar("Answer")


def print_password(name: str, password: str) -> None:
    """Show a password to whoever sits there; it goes to no log."""
    print(
        f"Log in as {name} with this one-time password, and choose your own:\n\n    {password}\n", flush=True
    )


def renew_admin(_: argparse.Namespace) -> int:
    """Print a new one-time password of `admin`."""
    return _issue(accounts.ADMINISTRATOR, "administrator")


def add_user(args: argparse.Namespace) -> int:
    """Let somebody in."""
    return _issue(args.name, args.role)


def _issue(name: str, role: str) -> int:
    password = _do(
        lambda connection: accounts.issue_password(connection, name, role), Act.USER_ADMITTED, name, role
    )
    print_password(name, password)
    return 0


def disable_user(args: argparse.Namespace) -> int:
    """Let somebody in no more."""
    now_us = WALL.now_us()
    _do(lambda connection: accounts.disable_user(connection, args.name, now_us), Act.USER_DISABLED, args.name)
    print(f"{args.name} is let in no more; what they did to alerts stays on record")
    return 0


def list_users(args: argparse.Namespace) -> int:
    """List the people."""
    return _show(args, _ask(accounts.list_users), _user_line, "no users")


def _user_line(user: Mapping[str, Any]) -> str:
    disabled = f", disabled {user['disabled_at']:%Y-%m-%d}" if user["disabled_at"] else ""
    waiting = ", has yet to choose a password" if user["one_time"] else ""
    return f"{user['name']:<32} {user['role']}{waiting}{disabled}"


def add_token(args: argparse.Namespace) -> int:
    """Make a token."""
    lasts = "until it is revoked" if args.days is None else f"for {args.days} days"
    token = _do(
        lambda connection: accounts.add_token(connection, args.name, WALL.now_us(), args.days, args.scope),
        Act.TOKEN_ADDED,
        args.name,
        f"scope {args.scope}, {lasts}",
    )
    print(token)
    print("This is the only time that it is shown. Send it as `Authorization: Bearer`.", file=sys.stderr)
    return 0


def revoke_token(args: argparse.Namespace) -> int:
    """End a token."""
    now_us = WALL.now_us()
    _do(lambda connection: accounts.revoke_token(connection, args.name, now_us), Act.TOKEN_REVOKED, args.name)
    print(f"the token {args.name} has ended; live connections that use it end within half a minute")
    return 0


def list_tokens(args: argparse.Namespace) -> int:
    """List the tokens."""
    return _show(args, _ask(accounts.list_tokens), _token_line, "no tokens")


def _token_line(token: Mapping[str, Any]) -> str:
    ended = f"revoked {token['revoked_at']:%Y-%m-%d}" if token["revoked_at"] else "in use"
    until = f", until {token['expires_at']:%Y-%m-%d}" if token["expires_at"] else ""
    return f"{token['name']:<32} {token['scope']:<5} {ended}{until}"


ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "admin": renew_admin,
    "user add": add_user,
    "user disable": disable_user,
    "user list": list_users,
    "token add": add_token,
    "token revoke": revoke_token,
    "token list": list_tokens,
}


def _do(
    change: Callable[[asyncpg.Connection], Awaitable[Answer]], act: Act, subject: str, detail: str = ""
) -> Answer:
    """Change who may do what, and keep on record that it was done: both or neither."""

    async def recorded(connection: asyncpg.Connection) -> Answer:
        async with connection.transaction():
            answer = await change(connection)
            await audit.record(connection, Entry(act, audit.at_the_shell(), subject, detail))
        return answer

    return _ask(recorded)


def _ask(question: Callable[[asyncpg.Connection], Awaitable[Answer]]) -> Answer:
    """Ask the database of KERBSAFE_DSN one thing."""

    async def ask() -> Answer:
        async with database("console") as connection:
            return await question(connection)

    return asyncio.run(ask())


def _show(
    args: argparse.Namespace,
    rows: Iterable[Mapping[str, Any]],
    line: Callable[[Mapping[str, Any]], str],
    none: str,
) -> int:
    found = list(rows)
    if args.json:
        print(json.dumps(found, default=str))
    else:
        print("\n".join(map(line, found)) or none)
    return 0

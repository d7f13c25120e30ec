"""Who may look: users with passwords, sessions of browsers, tokens of programs. Only hashes are stored.

Times are wall time, given by the caller, microseconds since 1970.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from console import passwords
from fleet.db import Queries
from fleet.errors import KerbsafeError
from fleet.units import to_datetime

if TYPE_CHECKING:
    import asyncpg

_SQL = Queries(Path(__file__).with_name("accounts.sql"))

ADMINISTRATOR = "admin"
TOKEN_PREFIX = "ks_"  # noqa: S105 - tells people and secret scanners what it is
TOKEN_BYTES = 32
_LONGEST_TOKEN = 128
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
#: What a user may do. Operators act on alerts; administrators may as well.
ROLES = ("administrator", "operator", "viewer")
#: What a token is good for.
SCOPES = ("read", "act")
_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: A session ends after a week, or after a shift without use.
SESSION = timedelta(days=7)
IDLE = timedelta(hours=12)
_TOUCH_EVERY = timedelta(minutes=1)
#: How long a browser is known in which nobody logs in, and how many a user has.
BROWSER_KNOWN = timedelta(days=180)
_MAX_BROWSERS = 20
#: Computed for names that nobody has, so that they take as long as the others.
_NOBODY = passwords.hash_password("nobody", bytes(passwords.SALT_BYTES))


class AccountError(KerbsafeError):
    """A user or token is not as it must be."""


@dataclass(frozen=True, slots=True)
class User:
    """Who logged in."""

    user_id: int
    name: str
    role: str
    #: The password was printed for them and must be replaced first.
    must_change: bool


def hash_token(token: str) -> bytes:
    """Return how a random token is kept."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def new_token(prefix: str = "") -> str:
    """Return a random token."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


async def hash_password(password: str) -> str:
    """Return the form in which a password is kept; computed off the event loop."""
    return await asyncio.to_thread(
        passwords.hash_password, password, secrets.token_bytes(passwords.SALT_BYTES)
    )


# ---------------------------------------------------------------- users


async def count_users(connection: asyncpg.Connection) -> int:
    """Return how many may log in."""
    return int(await connection.fetchval(_SQL["count_users"]))


async def issue_password(
    connection: asyncpg.Connection, name: str = ADMINISTRATOR, role: str = "administrator"
) -> str:
    """Give a user, made if need be, a new one-time password, and end their sessions; return the password.

    Raises
    ------
    AccountError
        If the name cannot be one, or `admin` would not be an administrator any more.
    """
    if not _USER_NAME.fullmatch(name):
        raise AccountError(
            f"{name!r} cannot name a user: use lower-case letters, digits, '.', '_' and '-', at most 64"
        )
    if name == ADMINISTRATOR and role != "administrator":
        raise AccountError(f"{ADMINISTRATOR!r} stays an administrator: choose another name")
    password = passwords.printable(secrets.token_bytes(passwords.PRINTED_BYTES))
    await _put_user(connection, name, role, password, one_time=True)
    return password


async def give_password(connection: asyncpg.Connection, name: str, password: str) -> None:
    """Give a user, made if need be, a password that they chose.

    Raises
    ------
    AccountError
        If the password is too weak; it is not shown.
    """
    if objection := passwords.objection(password, name):
        raise AccountError(f"the password of {name!r} cannot be used: {objection}")
    await _put_user(connection, name, "administrator", password, one_time=False)


async def _put_user(
    connection: asyncpg.Connection, name: str, role: str, password: str, *, one_time: bool
) -> None:
    kept = await hash_password(password)
    async with connection.transaction():
        user_id = await connection.fetchval(_SQL["put_user"], name, role, kept, one_time)
        await connection.execute(_SQL["close_sessions"], user_id, None)
        await connection.execute(_SQL["forget_browsers"], user_id)


async def disable_user(connection: asyncpg.Connection, name: str, now_us: int) -> None:
    """Let somebody in no more, and end their sessions. Raises `AccountError` if there is no such user."""
    async with connection.transaction():
        user_id = await connection.fetchval(_SQL["disable_user"], name, to_datetime(now_us))
        if user_id is None:
            raise AccountError(f"there is no user {name!r}; `kerbsafe console user list` shows them")
        await connection.execute(_SQL["close_sessions"], user_id, None)


async def list_users(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return all users, without what is secret, by name."""
    return [dict(row) for row in await connection.fetch(_SQL["list_users"])]


async def check_password(connection: asyncpg.Connection, name: str, password: str) -> User | None:
    """Return the user whose name and password these are."""
    row = await connection.fetchrow(_SQL["find_user"], name)
    kept = _NOBODY if row is None else row["password_hash"]
    right = await asyncio.to_thread(passwords.matches, password, kept)
    return _user(row) if right and row is not None else None


async def has_user(connection: asyncpg.Connection | asyncpg.Pool, name: str) -> bool:
    """Return whether somebody logs in by this name."""
    return await connection.fetchrow(_SQL["find_user"], name) is not None


async def change_password(
    connection: asyncpg.Connection, user: User, password: str, keep_session: bytes
) -> None:
    """Keep the password that a user chose; end their other sessions."""
    kept = await hash_password(password)
    async with connection.transaction():
        await connection.execute(_SQL["set_password"], user.user_id, kept)
        await connection.execute(_SQL["close_sessions"], user.user_id, keep_session)


def _user(row: Any) -> User:
    return User(row["user_id"], row["name"], row["role"], row["one_time"])


# ---------------------------------------------------------------- sessions


async def open_session(connection: asyncpg.Connection, user: User, now_us: int) -> str:
    """Begin a session; return its token for the cookie."""
    token, now = new_token(), to_datetime(now_us)
    await connection.execute(_SQL["purge_sessions"], now, now - IDLE)
    await connection.execute(_SQL["open_session"], hash_token(token), user.user_id, now, now + SESSION)
    return token


async def find_session(connection: asyncpg.Connection, token: str, now_us: int) -> User | None:
    """Return whose session it is, None if it has ended or never was."""
    if len(token) > _LONGEST_TOKEN:
        return None
    kept, now = hash_token(token), to_datetime(now_us)
    row = await connection.fetchrow(_SQL["find_session"], kept, now, now - IDLE)
    if row is None:
        return None
    if now - row["seen_at"] > _TOUCH_EVERY:
        await connection.execute(_SQL["touch_session"], kept, now)
    return _user(row)


async def find_browser(
    connection: asyncpg.Connection | asyncpg.Pool, token: str, name: str, now_us: int
) -> bytes | None:
    """Return the hash of a browser's token if somebody of this name has logged in there before."""
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    kept = hash_token(token)
    known: bool = await connection.fetchval(
        _SQL["knows_browser"], kept, name, to_datetime(now_us) - BROWSER_KNOWN
    )
    return kept if known else None


async def know_browser(connection: asyncpg.Connection | asyncpg.Pool, user: User, now_us: int) -> str:
    """Remember that a user has logged in in a browser; return the token for its cookie."""
    token, now = new_token(), to_datetime(now_us)
    await connection.execute(_SQL["know_browser"], hash_token(token), user.user_id, now)
    await connection.execute(_SQL["purge_browsers"], user.user_id, now - BROWSER_KNOWN, _MAX_BROWSERS)
    return token


async def touch_browser(
    connection: asyncpg.Connection | asyncpg.Pool, token_hash: bytes, now_us: int
) -> None:
    """Note that somebody has logged in in a browser again."""
    await connection.execute(_SQL["touch_browser"], token_hash, to_datetime(now_us))


async def close_session(connection: asyncpg.Connection, token: str) -> None:
    """End a session."""
    await connection.execute(_SQL["close_session"], hash_token(token))


# ---------------------------------------------------------------- tokens


class Token(NamedTuple):
    """A token in use."""

    name: str
    scope: str


async def add_token(
    connection: asyncpg.Connection, name: str, now_us: int, days: int | None, scope: str = "read"
) -> str:
    """Make a token for a program; return it, the only time that it is known.

    Raises
    ------
    AccountError
        If the name is taken or cannot be one.
    """
    if not _TOKEN_NAME.fullmatch(name):
        raise AccountError(f"{name!r} cannot name a token: use letters, digits, '.', '_' and '-', at most 64")
    token, now = new_token(TOKEN_PREFIX), to_datetime(now_us)
    expires = None if days is None else now + timedelta(days=days)
    if await connection.fetchval(_SQL["add_token"], name, hash_token(token), now, expires, scope) is None:
        raise AccountError(
            f"there is a token {name!r} already: choose another name, revoked ones stay listed"
        )
    return token


async def find_token(connection: asyncpg.Connection, token: str, now_us: int) -> Token | None:
    """Return whose token it is, None if it has ended or never was."""
    if len(token) > _LONGEST_TOKEN or not token.startswith(TOKEN_PREFIX):
        return None
    row = await connection.fetchrow(_SQL["find_token"], hash_token(token), to_datetime(now_us))
    return None if row is None else Token(row["name"], row["scope"])


async def revoke_token(connection: asyncpg.Connection, name: str, now_us: int) -> None:
    """End a token. Raises `AccountError` if there is none of this name."""
    if await connection.fetchval(_SQL["revoke_token"], name, to_datetime(now_us)) is None:
        raise AccountError(f"there is no token {name!r}; `kerbsafe console token list` shows them")


async def list_tokens(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return all tokens, without what is secret, by name."""
    return [dict(row) for row in await connection.fetch(_SQL["list_tokens"])]

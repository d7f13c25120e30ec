"""The audit: who changed who may do what, or what judges; who logged in, and who was refused.

A table in which nothing is changed, and of which only what is older than the settings say is forgotten; and a
line in the log without the address. No secret stands in either, and of people only the names that they log in
by. What is done to alerts has a record of its own (`alerts/handling/`).
"""

from __future__ import annotations

import getpass
import ipaddress
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from fleet.db import Queries
from fleet.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

_SQL = Queries(Path(__file__).with_name("audit.sql"))
_LONGEST_SUBJECT, _LONGEST_DETAIL = 200, 500
_log = structlog.get_logger("audit")


class Act(StrEnum):
    """What was done."""

    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"
    #: Wrong name or password.
    LOGIN_REFUSED = "login_refused"
    #: So many wrong ones that the next must wait.
    LOGIN_DELAYED = "login_delayed"
    #: Somebody who is known asked for what their role does not allow.
    ACCESS_REFUSED = "access_refused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, not a secret
    #: A user got a one-time password and a role, and was made if need be.
    USER_ADMITTED = "user_admitted"
    USER_DISABLED = "user_disabled"
    TOKEN_ADDED = "token_added"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    #: A login at the broker got a secret.
    DEVICE_ADMITTED = "device_admitted"
    SERVICE_ADMITTED = "service_admitted"
    LOGIN_REVOKED = "login_revoked"
    RULEBOOK_RECORDED = "rulebook_recorded"
    REGISTRY_IMPORTED = "registry_imported"
    #: Somebody ordered something of a vehicle's unit.
    COMMAND_QUEUED = "command_queued"
    #: Entries that were too old; the database writes it (`purge_audit`).
    AUDIT_PURGED = "audit_purged"
    #: An accident was entered at the console, or got another account there.
    ACCIDENT_RECORDED = "accident_recorded"
    ACCIDENT_CORRECTED = "accident_corrected"


class ActorKind(StrEnum):
    """What kind of being acts."""

    PERSON = "person"
    PROGRAM = "program"
    #: A person at a shell of the machine.
    COMMAND = "command"
    SYSTEM = "system"
    #: Whoever was refused.
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts."""

    kind: ActorKind
    name: str = ""


NOBODY = Actor(ActorKind.NOBODY)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is recorded."""

    act: Act
    actor: Actor
    #: Whom or what it was done to; "" where that is the actor.
    subject: str = ""
    detail: str = ""
    #: Where a request came from; "" unknown, or no request.
    address: str = ""


def at_the_shell(environment: Mapping[str, str] = os.environ) -> Actor:
    """Return who runs this command, as far as the system tells: through sudo, who called it."""
    user = environment.get("SUDO_USER", "")
    if not user:
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container's user may have no name
            user = f"uid {os.getuid()}"
    return Actor(ActorKind.COMMAND, user)


async def record(connection: asyncpg.Connection | asyncpg.Pool, entry: Entry) -> None:
    """Keep an entry, in the caller's transaction if there is one; a process logs it as well."""
    subject = printable(entry.subject)[:_LONGEST_SUBJECT]
    await connection.execute(
        _SQL["record"],
        entry.act,
        entry.actor.kind,
        entry.actor.name,
        subject,
        printable(entry.detail)[:_LONGEST_DETAIL],
        _inet(entry.address),
    )
    if entry.actor.kind is not ActorKind.COMMAND:  # which says itself what it has done, and has no log
        _log.info(
            "audit", act=entry.act, actor_kind=entry.actor.kind, actor=entry.actor.name, subject=subject
        )


def _inet(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


async def purge(connection: asyncpg.Connection, keep_days: int) -> int:
    """Forget what was done longer ago than so many days, which leaves an entry; return how much it was."""
    purged = int(await connection.fetchval(_SQL["purge"], keep_days))
    if purged:
        _log.info("audit", act=Act.AUDIT_PURGED, actor_kind=ActorKind.SYSTEM, actor="", entries=purged)
    return purged


async def newest(
    connection: asyncpg.Connection | asyncpg.Pool, *, before: int | None, act: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return entries, newest first."""
    return [dict(row) for row in await connection.fetch(_SQL["newest"], before, act, limit)]

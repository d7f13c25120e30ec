"""Versions of the rulebook in the database; on the caller's connection and in its transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alerts.in_force.rulebooks import Rulebook, RulebookError, Rulebooks
from alerts.rulebook import documents
from fleet import audit
from fleet.audit import Act, Actor, ActorKind, Entry
from fleet.db import Queries
from fleet.units import MICROSECONDS, to_datetime, to_us

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

#: A new version starts at least this far ahead, so that live and settled judgement agree on it.
NOTICE_US = 60 * MICROSECONDS

#: A process records the version that ships, or that its settings name.
_AT_START = Actor(ActorKind.SYSTEM, "at start")

QUERIES = Queries(Path(__file__).with_name("rulebooks.sql"))


async def load_rulebooks(
    connection: asyncpg.Connection, now_us: int, document: str | None = None
) -> Rulebooks:
    """Return the versions of the rulebook.

    A `document` whose version is not recorded is recorded, to be in force in a minute; the first one, or
    the default where there is none, is in force from the beginning.

    Raises
    ------
    RulebookError
        If the document has faults, or its version is recorded and says something else.
    """
    recorded = await recorded_documents(connection)
    if not recorded or (document is not None and not is_recorded(document, recorded)):
        text = documents.DEFAULT_PATH.read_text("utf-8") if document is None else document
        valid_from_us = now_us + NOTICE_US if recorded else 0
        version = documents.parse(text).version
        done = await connection.execute(QUERIES["add_rulebook"], version, to_datetime(valid_from_us), text)
        if done.endswith(" 1"):  # else another process was faster
            await audit.record(connection, Entry(Act.RULEBOOK_RECORDED, _AT_START, version))
    return await read_rulebooks(connection)


def is_recorded(document: str, recorded: Mapping[str, str]) -> bool:
    """Say whether the version of a document is recorded, by the documents of all that are.

    Raises
    ------
    RulebookError
        If it is recorded and says something else, comments and layout apart; names what.
    """
    given = documents.content(document)
    version = given.get("version")
    if not isinstance(version, str) or version not in recorded:
        return False
    known = documents.content(recorded[version])
    if given != known:
        differ = sorted(path for path, _ in _values(given).items() ^ _values(known).items())
        named = ", ".join(dict.fromkeys(differ))
        raise RulebookError(
            f"version {version!r} of the rulebook is recorded in the database and says something else of "
            f"{named}. What was judged by a version is not judged otherwise: give the changed document a new "
            "version"
        )
    return True


def _values(content: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Return what a document says, by the path of each value."""
    found: dict[str, str] = {}
    for name, value in content.items():
        here = f"{path}{name}"
        found |= _values(value, f"{here}.") if isinstance(value, dict) else {here: repr(value)}
    return found


async def recorded_documents(connection: asyncpg.Connection) -> dict[str, str]:
    """Return the documents that are recorded, by version."""
    return {row["version"]: row["document"] for row in await connection.fetch(QUERIES["rulebooks"])}


async def read_rulebooks(connection: asyncpg.Connection) -> Rulebooks:
    """Return the versions that are recorded, for the companies that are registered."""
    rows = await connection.fetch(QUERIES["rulebooks"])
    companies = await connection.fetch(QUERIES["companies"])
    return Rulebooks(
        [documents.recorded(row["document"], valid_from_us=to_us(row["valid_from"])) for row in rows],
        {row["code"]: row["company_id"] for row in companies},
    )


async def newest_rulebook(connection: asyncpg.Connection) -> Rulebook:
    """Return the version that is in force last, or the default that will be where none is recorded."""
    rows = await connection.fetch(QUERIES["rulebooks"])
    if not rows:
        return documents.parse(documents.DEFAULT_PATH.read_text("utf-8"))
    last = max(rows, key=lambda row: row["valid_from"])
    return documents.recorded(last["document"], valid_from_us=to_us(last["valid_from"]))


async def put_in_force(connection: asyncpg.Connection, document: str, from_us: int, now_us: int) -> Rulebook:
    """Record a version to be in force from `from_us` on; the first one is in force from the beginning.

    Raises
    ------
    RulebookError
        If the document has faults, its version is recorded already, another version begins at the same
        moment, or it would begin less than a minute ahead: what was judged is not judged otherwise.
    """
    book = documents.parse(document, valid_from_us=from_us)
    async with connection.transaction():
        await connection.execute(QUERIES["lock_rulebooks"])
        rows = await connection.fetch(QUERIES["rulebooks"])
        if any(row["version"] == book.version for row in rows):
            raise RulebookError(
                f"version {book.version!r} is recorded already; give the new one another name"
            )
        if any(to_us(row["valid_from"]) == from_us for row in rows):
            raise RulebookError("another version begins at that moment; choose another one")
        if rows and from_us < now_us + NOTICE_US:
            raise RulebookError(
                "a version begins at least 60 s ahead, since the past has been judged; to see what it would "
                "have said of the past, use `kerbsafe replay --rules FILE`"
            )
        valid_from = to_datetime(from_us if rows else 0)
        await connection.execute(QUERIES["add_rulebook"], book.version, valid_from, document)
    return book

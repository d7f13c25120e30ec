"""The chain of publications in the database, and who has them: added to, never changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analytics.publishing.chain import SignedLink, read_link
from analytics.publishing.deliveries import Delivery, Step, require_sound
from analytics.publishing.keys import PublishingError
from fleet.db import Queries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncpg

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


async def read_chain(connection: asyncpg.Connection) -> list[SignedLink]:
    """Return the chain, oldest first; `chain.faults` says whether it holds."""
    found = []
    for row in await connection.fetch(QUERIES["publications"]):
        link = read_link(row["document"])
        if link is None or link.hash != row["hash"] or link.number != row["number"]:
            raise PublishingError(f"publication {row['number']} in the database is not as it was recorded")
        found.append(SignedLink(link, row["signature"]))
    return found


async def add_link(
    connection: asyncpg.Connection, make: Callable[[Sequence[SignedLink]], SignedLink]
) -> list[SignedLink]:
    """Add the link that `make` returns of the chain until now, once; return the chain until there."""
    async with connection.transaction():
        await connection.execute(QUERIES["lock_publications"])
        chain = await read_chain(connection)
        made = make(chain)
        if made in chain:
            return chain[: chain.index(made) + 1]
        link = made.link
        await connection.execute(
            QUERIES["add_publication"], link.number, link.hash, link.text, made.signature
        )
    return [*chain, made]


async def read_deliveries(connection: asyncpg.Connection) -> list[Delivery]:
    """Return every step of every delivery, as they were recorded."""
    return [
        Delivery(
            row["number"],
            row["recipient"],
            Step(row["act"]),
            row["at"],
            row["recorded_at"],
            row["who"],
            row["note"],
        )
        for row in await connection.fetch(QUERIES["deliveries"])
    ]


async def add_delivery(connection: asyncpg.Connection, step: Delivery) -> None:
    """Record a step."""
    async with connection.transaction():
        await connection.execute(QUERIES["lock_publications"])
        chain = await read_chain(connection)
        require_sound(step, await read_deliveries(connection), len(chain))
        await connection.execute(
            QUERIES["add_delivery"],
            step.number,
            step.recipient,
            step.step,
            step.at,
            step.recorded_at,
            step.who,
            step.note,
        )

"""Approved baselines and policies in the database: added, never changed, and checked against their hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.policies.approved import (
    Approved,
    PolicyError,
    require_next_baseline,
    require_next_policy,
)
from analytics.statistics.baseline import Baseline, read_baseline
from analytics.statistics.policy import Policy, policy_from
from analytics.statistics.records import accept
from fleet.db import Queries

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


async def read_baselines(connection: asyncpg.Connection) -> list[Approved[Baseline]]:
    """Return every version of every baseline, oldest first."""
    found = []
    for row in await connection.fetch(QUERIES["baselines"]):
        problems: list[str] = []
        value = read_baseline(json.loads(row["document"]) | {"hash": row["hash"]}, problems)
        value = accept(value, problems, "a baseline in the database")
        found.append(Approved(value, row["recorded_at"], row["who"]))
    return found


async def read_policies(connection: asyncpg.Connection) -> list[Approved[Policy]]:
    """Return every policy, oldest first."""
    found = []
    for row in await connection.fetch(QUERIES["policies"]):
        value = policy_from(json.loads(row["document"]))
        if value.hash != row["hash"]:
            raise PolicyError(
                f"policy {value.version} in the database is not what was approved: its hash differs"
            )
        found.append(Approved(value, row["recorded_at"], row["who"]))
    return found


async def freeze(connection: asyncpg.Connection, value: Baseline, who: str, now: datetime) -> bool:
    """Record an approved baseline; False: it was recorded already."""
    async with connection.transaction():
        await connection.execute(QUERIES["lock_policies"])
        if not require_next_baseline(value, await read_baselines(connection), now):
            return False
        await connection.execute(
            QUERIES["freeze_baseline"], value.id, value.version, value.hash, value.text, now, who
        )
    return True


async def approve(connection: asyncpg.Connection, value: Policy, who: str, now: datetime) -> bool:
    """Record an approved policy; False: it was recorded already."""
    async with connection.transaction():
        await connection.execute(QUERIES["lock_policies"])
        if not require_next_policy(value, await read_policies(connection), now):
            return False
        await connection.execute(QUERIES["approve_policy"], value.version, value.hash, value.text, now, who)
    return True

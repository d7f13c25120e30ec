"""Candidates in the database: found among settled episodes, and what people made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.ledger.accident import LedgerError
from analytics.ledger.candidates.rule import LOOKED_AT_US, Episode, candidates
from analytics.ledger.documents import told
from analytics.ledger.store import no_accident, read_versions
from fleet import tracks
from fleet.db import Queries
from fleet.language import Words
from fleet.tracks import Span
from fleet.units import to_us

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import asyncpg

    from analytics.ledger.history import Writer

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


async def read_candidates(
    connection: asyncpg.Connection, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Return the candidates of a time, with what people made of each; as JSON has them."""
    rows = {row["episode_id"]: row for row in await connection.fetch(QUERIES["episodes"], since, until)}
    pairs = []
    for row in rows.values():
        ended_us = to_us(row["ended_at"])
        span = Span(row["vehicle_id"], ended_us, ended_us + LOOKED_AT_US + 1)
        episode = Episode(row["episode_id"], row["rule"], row["severity"], to_us(row["started_at"]), ended_us)
        pairs.append((episode, await tracks.read_spans(connection, [span])))
    found = candidates(pairs)
    ids = [one.episode.episode_id for one in found]
    said = {row["episode_id"]: row for row in await connection.fetch(QUERIES["verdicts"], ids)}
    return [
        {
            "episode_id": str(one.episode.episode_id),
            "vehicle": rows[one.episode.episode_id]["vehicle"],
            "company": rows[one.episode.episode_id]["company"] or None,
            "started_at": told(rows[one.episode.episode_id]["started_at"]),
            "rule": one.episode.rule,
            "why": one.why,
            "stood_s": one.stood_s,
            "silent": one.silent,
            "verdict": _verdict(said.get(one.episode.episode_id)),
        }
        for one in found
    ]


def _verdict(row: asyncpg.Record | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"accident": row["accident"], "at": told(row["at"]), "who": row["who"], "why": row["why"]}


async def judge(connection: asyncpg.Connection, episode_id: UUID, accident: str | None, by: Writer) -> None:
    """Record what a person makes of an episode: the accident that it was, or none.

    Raises
    ------
    LedgerError
        If there is no such settled episode or no such accident, or nobody has said why it was none.
    """
    if not await connection.fetchval(QUERIES["is_episode"], episode_id):
        raise LedgerError(_NO_EPISODE.fill(episode=episode_id))
    if accident is None and not by.why.strip():
        raise LedgerError(_NO_WHY)
    if accident is not None and not await read_versions(connection, by.recorded_at, [accident]):
        raise no_accident(accident)
    await connection.execute(QUERIES["add_verdict"], episode_id, by.recorded_at, by.who, by.why, accident)


_NO_EPISODE = Words(
    "there is no settled episode {episode}: `kerbsafe accidents candidates` lists them",
    "没有已复核的事件 {episode}：用 `kerbsafe accidents candidates` 查看",
)
_NO_WHY = Words("say with --why why it was no accident", "请用 --why 写明为何不是事故")

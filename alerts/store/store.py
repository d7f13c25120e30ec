"""The judged rows in the database.

Functions take an open connection, run in the caller's transaction and never commit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.engine.following import followed
from alerts.episodes.episodes import Episode, describe
from alerts.episodes.matching import Settlement, StoredEpisode
from alerts.episodes.pairing import Verdict
from alerts.live.arrivals import StillOpen
from alerts.store import turn_store
from alerts.words.transitions import LIVE, OF_ARRIVAL, Judgement, Ongoing, Rule, SegmentStarts
from fleet.db import Queries
from fleet.tracks import Span, columns_of_spans
from fleet.units import to_datetime, to_us

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import asyncpg

    from alerts.engine.state import EngineState
    from alerts.in_force.context import Context

QUERIES = Queries(Path(__file__).with_name("queries.sql"))


class FeedEntry(NamedTuple):
    """What readers of the feed are told: an alert, and what became of it."""

    alert_id: uuid.UUID
    change: str


# ---------------------------------------------------------------- the hot path's rows


async def write_live(
    connection: asyncpg.Connection, judgement: Judgement, context: Context, decided_us: int
) -> list[FeedEntry]:
    """Write what the hot path judged provisionally; return what the feed should tell."""
    await begin_segments(connection, judgement.segments)
    await turn_store.write_live(connection, judgement.turns, context, decided_us)
    changes = list(describe(judgement.transitions, context.rulebooks))
    if not changes:
        return []
    last = {episode.id: episode for _change, episode in changes}
    decided_at = to_datetime(decided_us)
    await connection.execute(
        QUERIES["live_episodes"], *_episode_columns(list(last), list(last.values()), context), decided_at
    )
    await connection.execute(QUERIES["open_alerts"], list(last), decided_at, False)
    return [FeedEntry(episode.id, change.name.lower()) for change, episode in changes if episode.mode == LIVE]


async def begin_segments(connection: asyncpg.Connection, segments: SegmentStarts) -> None:
    """Record that vehicles began segments, and that those before ended there."""
    if not len(segments):
        return
    vehicles = segments.vehicle_id.tolist()
    starts = [to_datetime(start) for start in segments.started_us.tolist()]
    await connection.execute(QUERIES["begin_segments"], vehicles, starts)
    if len(set(vehicles)) < len(vehicles):
        await connection.execute(QUERIES["end_inner_segments"], vehicles)


async def append_feed(connection: asyncpg.Connection, entries: Sequence[FeedEntry], at_us: int) -> None:
    """Tell readers. Must be the transaction's last statement: ids are drawn in commit order under a lock."""
    if entries:
        ids, changes = zip(*entries, strict=True)
        await connection.execute(QUERIES["append_feed"], list(ids), list(changes), to_datetime(at_us))


def _episode_columns(
    ids: Sequence[uuid.UUID], episodes: Sequence[Episode], context: Context
) -> list[list[Any]]:
    """Return the column lists $1..$14 that `live_episodes` and `settle_episodes` take."""
    vehicle_id = np.array([episode.vehicle_id for episode in episodes], np.int32)
    started_us = np.array([episode.started_us for episode in episodes], np.int64)
    company_id, _kind, _limit = context.facts.at(vehicle_id, started_us)
    return [
        list(ids),
        vehicle_id.tolist(),
        [None if company < 0 else company for company in company_id.tolist()],
        [episode.rule_name for episode in episodes],
        [episode.rulebook for episode in episodes],
        [to_datetime(episode.started_us) for episode in episodes],
        [_datetime_or_none(episode.ended_us) for episode in episodes],
        [episode.ended_as for episode in episodes],
        [episode.severity for episode in episodes],
        [episode.peak for episode in episodes],
        [episode.limit for episode in episodes],
        [episode.limit_source for episode in episodes],
        [json.dumps(episode.measures) for episode in episodes],
        [episode.mode for episode in episodes],
    ]


def _datetime_or_none(time_us: int | None) -> datetime | None:
    return None if time_us is None else to_datetime(time_us)


# ---------------------------------------------------------------- checkpoints


async def mark_dirty(
    connection: asyncpg.Connection,
    vehicle_id: Sequence[int],
    from_us: Sequence[int],
    until_us: Sequence[int],
    marked_us: int,
) -> None:
    """Ask the settler to judge vehicles again from one fix to another, both inclusive."""
    if vehicle_id:
        since, until = ([to_datetime(time_us) for time_us in times] for times in (from_us, until_us))
        await connection.execute(QUERIES["mark_dirty"], vehicle_id, since, until, to_datetime(marked_us))


# ---------------------------------------------------------------- the settler's rows


async def episodes_between(
    connection: asyncpg.Connection, spans: Sequence[Span]
) -> dict[int, list[StoredEpisode]]:
    """Return the judged rows that begin in spans, by vehicle; one span a vehicle."""
    found: dict[int, list[StoredEpisode]] = {}
    for row in await connection.fetch(QUERIES["episodes_between"], *columns_of_spans(spans)):
        found.setdefault(row["vehicle_id"], []).append(_stored_episode(row))
    return found


async def open_episodes(connection: asyncpg.Connection, rules: Iterable[Rule]) -> list[StillOpen]:
    """Return the episodes of rules that are open."""
    rows = await connection.fetch(QUERIES["open_episodes"], [rule.name.lower() for rule in rules])
    return [
        StillOpen(
            row["vehicle_id"],
            Rule[row["rule"].upper()],
            to_us(row["started_at"]),
            row["peak"],
            row["measures"],
        )
        for row in rows
    ]


async def lose_unfollowed(
    connection: asyncpg.Connection, state: EngineState, context: Context, at_us: int
) -> list[FeedEntry]:
    """End what the hot path has said and its memory knows nothing of; return what the feed should tell.

    It ends where its vehicle was judged last.
    """
    rows = await connection.fetch(QUERIES["ongoing_live"], [rule.name.lower() for rule in sorted(OF_ARRIVAL)])
    known = followed(state, context)
    gone = [
        row
        for row in rows
        if Ongoing(row["vehicle_id"], Rule[row["rule"].upper()], to_us(row["started_at"]), row["about"])
        not in known
    ]
    if not gone:
        return []
    judged_us = state.watermark_us(np.array([row["vehicle_id"] for row in gone], np.int32))
    lost = await connection.fetch(
        QUERIES["lose_episodes"],
        [row["episode_id"] for row in gone],
        [max(row["started_at"], to_datetime(us)) for row, us in zip(gone, judged_us.tolist(), strict=True)],
        to_datetime(at_us),
    )
    return [FeedEntry(row["episode_id"], "lost") for row in lost]


def _stored_episode(row: asyncpg.Record) -> StoredEpisode:
    return StoredEpisode(
        id=row["episode_id"],
        vehicle_id=row["vehicle_id"],
        rule=Rule[row["rule"].upper()],
        started_us=to_us(row["started_at"]),
        ended_us=None if row["ended_at"] is None else to_us(row["ended_at"]),
        ended_as=row["ended_as"],
        severity=row["severity"],
        peak=row["peak"],
        limit=row["limit_value"],
        limit_source=row["limit_source"],
        rulebook=row["rulebook"],
        measures=row["measures"],
        status=row["status"],
        settled_as=None if row["settled_as"] is None else Verdict(row["settled_as"]),
        mode=row["mode"],
    )


async def write_settled(
    connection: asyncpg.Connection,
    settlements: Sequence[Settlement],
    context: Context,
    at_us: int,
    *,
    status: str = "settled",
) -> list[FeedEntry]:
    """Write what settling decided; return what the feed should tell.

    What was added and has ended is late: it is listed and pages nobody. A person's disposition stays.
    """
    at = to_datetime(at_us)
    judged = [(s, s.episode) for s in settlements if s.episode is not None]
    if judged:
        columns = _episode_columns([s.id for s, _ in judged], [episode for _, episode in judged], context)
        verdicts = [str(s.verdict) for s, _ in judged]
        await connection.execute(QUERIES["settle_episodes"], *columns, at, status, verdicts)
        for late in (False, True):
            ids = [s.id for s, episode in judged if s.is_new and (episode.ended_us is not None) is late]
            await connection.execute(QUERIES["open_alerts"], ids, at, late)
        changed = [s.id for s, _ in judged if s.verdict != Verdict.CONFIRMED]
        await connection.execute(QUERIES["revive_alerts"], changed, at)
        await connection.execute(QUERIES["mark_evidence_changed"], changed)
    gone = [s for s in settlements if s.episode is None]
    if gone:
        ids = [s.id for s in gone]
        await connection.execute(QUERIES["withdraw_episodes"], ids, [s.merged_into for s in gone], at)
        await connection.execute(QUERIES["withdraw_alerts"], ids, at)
    return [FeedEntry(s.id, str(s.verdict)) for s in settlements]


async def follow_added(
    connection: asyncpg.Connection, vehicle_id: Sequence[int], at_us: int
) -> Sequence[int]:
    """Have the settler look again at vehicles of which something it has added goes on; return these."""
    if not vehicle_id:
        return []
    rows = await connection.fetch(QUERIES["follow_added"], vehicle_id, to_datetime(at_us))
    return [row["vehicle_id"] for row in rows]


class SettledSegments(NamedTuple):
    """The segments of a vehicle that begin in [from_us, until_us)."""

    vehicle_id: int
    from_us: int
    until_us: int
    starts: Sequence[int]
    #: Where the segment after them begins, if there is one.
    follows_us: int | None


async def write_segments(
    connection: asyncpg.Connection, settled: Sequence[SettledSegments], at_us: int
) -> None:
    """Replace stored segments by settled ones; one element a vehicle."""
    rows = [
        (one.vehicle_id, to_datetime(start), _datetime_or_none(end))
        for one in settled
        for start, end in zip(one.starts, [*one.starts[1:], one.follows_us], strict=False)
    ]
    vehicles, starts, ends = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    spans = [Span(one.vehicle_id, one.from_us, one.until_us) for one in settled]
    await connection.execute(
        QUERIES["settled_segments"], *columns_of_spans(spans), vehicles, starts, ends, to_datetime(at_us)
    )
    follow = [(one.vehicle_id, one.follows_us) for one in settled if one.follows_us is not None]
    if follow:
        await connection.execute(
            QUERIES["keep_segments"],
            [vehicle for vehicle, _ in follow],
            [to_datetime(start_us) for _, start_us in follow],
        )

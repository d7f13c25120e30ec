"""Writes what the settler has decided, unless what it was decided by has changed.

Functions run in the caller's transaction and never commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.settling import unsettled
from alerts.settling.decision import Decided, of_running
from alerts.settling.stretches import inside
from alerts.store import store, turn_store
from alerts.store.store import QUERIES, FeedEntry, SettledSegments
from fleet.tracks import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from alerts.settling.decision import Terms
    from alerts.settling.unsettled import Reading, Version

#: Give up a row that somebody else holds, and come back.
LOCK_TIMEOUT_MS = 2000
#: Rows are laid out and written so many at a time: the transaction does not wait for long in between.
ROWS_AT_ONCE = 2_000


async def unchanged(
    connection: asyncpg.Connection, decided: Sequence[Decided], reading: Reading, terms: Terms
) -> list[Decided]:
    """Return those of which no row has changed that was compared with the record.

    Of a segment that still runs that is none: what is added to it is decided when it is written. Fixes are
    not looked at: whatever was stored since without being judged has left a dirty row, which stays.
    """
    stretches = [one.part.stretch for one in decided]
    now = await unsettled.versions(connection, unsettled.spans_of(stretches, terms.ahead_us))

    def compared(versions: Sequence[Version], until_us: int) -> list[Version]:
        return [version for version in versions if version.begins_us < until_us]

    return [
        one
        for one in decided
        if compared(now.get(one.part.stretch.vehicle_id, ()), one.part.settled_until_us)
        == compared(reading.versions.get(one.part.stretch.vehicle_id, ()), one.part.settled_until_us)
    ]


async def write(
    connection: asyncpg.Connection, decided: Sequence[Decided], reading: Reading, terms: Terms
) -> tuple[list[Decided], list[int]]:
    """Replace what is stored of stretches by what was decided.

    Returns what was added to segments that still run, and of which vehicles that is to be looked at again.
    """
    parts = [one.part for one in decided]
    added = await _decide_running(connection, decided, terms)
    feed = await _write_rows(connection, decided, terms, status="settled")
    feed += await _write_rows(connection, added, terms, status="provisional")
    segments = [
        SettledSegments(
            p.stretch.vehicle_id, p.stretch.from_us, p.settled_until_us, p.segment_starts, p.follows_us
        )
        for p in parts
    ]
    await store.write_segments(connection, segments, terms.now_us)
    done = [
        dirty_id
        for p in parts
        for dirty_id in inside(
            p.stretch, reading.dirty.get(p.stretch.vehicle_id, ()), judged_until_us=p.end_us
        )
    ]
    await connection.execute(QUERIES["clean"], done)
    running = [p.stretch.vehicle_id for p in parts if p.is_running]
    followed = list(await store.follow_added(connection, running, terms.now_us))
    await store.append_feed(connection, feed, terms.now_us)
    return added, followed


async def _write_rows(
    connection: asyncpg.Connection, decided: Sequence[Decided], terms: Terms, *, status: str
) -> list[FeedEntry]:
    """Write episodes and turns; return what the feed should tell."""
    episodes = [settlement for one in decided for settlement in one.episodes]
    turns = [settlement for one in decided for settlement in one.turns]
    feed: list[FeedEntry] = []
    for begin in range(0, len(episodes), ROWS_AT_ONCE):
        some = episodes[begin : begin + ROWS_AT_ONCE]
        feed += await store.write_settled(connection, some, terms.context, terms.now_us, status=status)
    for begin in range(0, len(turns), ROWS_AT_ONCE):
        entered = turns[begin : begin + ROWS_AT_ONCE]
        await turn_store.write_settled(connection, entered, terms.context, terms.now_us, status=status)
    return feed


async def _decide_running(
    connection: asyncpg.Connection, decided: Sequence[Decided], terms: Terms
) -> list[Decided]:
    """Decide what is to be added to segments that still run, by what stands of them now."""
    running = [one.part for one in decided if one.part.is_running]
    if not running:
        return []
    spans = [Span(p.stretch.vehicle_id, p.settled_until_us, terms.ahead_us) for p in running]
    standing = await unsettled.standing_of(connection, spans)
    return [of_running(part, standing) for part in running]

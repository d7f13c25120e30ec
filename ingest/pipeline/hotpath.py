"""The pipeline, as one visible list: receive, decode, screen, judge, commit, acknowledge.

Decoding and judging of a batch overlap the commit of the one before it: they run in a thread, so that the
event loop answers the broker and the database at once. Everything that a batch changes is written in one
transaction, and only after COMMIT is the batch acknowledged. A failure that is not the
fault of an observation ends the process: redelivery and reload are the only recovery, and since ids are
deterministic a repeat is harmless.

Back-fill comes in large messages. It is judged and committed in parts, between which live batches go first,
so that nobody waits for what one unit has kept; the batch is acknowledged with its last part.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import asyncpg
import numpy as np

from alerts.engine import engine
from alerts.live.arrivals import Refused
from alerts.live.replay import Arrival, arrive
from alerts.rules.camera.conflicts import Sights
from alerts.store import checkpoint_store, store
from fleet.units import MICROSECONDS
from fleet.wire import v1
from ingest.pipeline import staging, writer
from ingest.pipeline.checkpoints import Checkpoints, keep_holds
from ingest.pipeline.in_order import BatchIds, InOrder, Stopwatch
from ingest.pipeline.newest import Newest
from ingest.pipeline.parts import Part, parts_of, whole
from ingest.pipeline.quota import Quota, within
from ingest.pipeline.receipt import receipt_of
from ingest.pipeline.rejects import RejectQuota
from ingest.pipeline.screen import screen_or_reject
from ingest.pipeline.work import Judged, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from alerts.live.live_state import LiveState
    from alerts.words.transitions import Judgement
    from fleet.directory import Directory
    from fleet.wire.batch import Rejected
    from ingest.pipeline.auto_registration import AutoRegistration
    from ingest.pipeline.log import Batch, Log
    from ingest.pipeline.receipt import Receipt
    from ingest.pipeline.screen import Screened

#: Silence is judged this often, in event time.
TICK_S = 10
#: A batch that takes longer to be stored is given up, and the process with it. Each statement has a limit of
#: its own (`fleet.waiting`), this is for many slow ones; to find all that is refused of a large batch takes a
#: minute.
COMMIT_S = 120.0


class HotPath:
    """One process's pipeline over one connection.

    While a batch is committed, the next one is decoded and judged. Commits keep the order of the batches,
    and one that fails ends the process before another begins. `directory` and `context` are read anew for
    each batch.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        log: Log,
        state: LiveState,
        *,
        directory: Callable[[], Directory],
        context: Callable[[], Context],
        committed: Callable[[Receipt], None],
        auto_registration: AutoRegistration | None = None,
        newest: Newest | None = None,
        quota: Quota | None = None,
    ) -> None:
        self._connection = connection
        self._log = log
        self._state = state
        self._directory = directory
        self._context = context
        self._committed = committed
        self._strangers = auto_registration
        self._newest = newest or Newest()
        #: Vehicles and their newest stored times, found after a commit and not yet taken in.
        self._found: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
        self._decoder = v1.Decoder(directory())
        self._checkpoints = Checkpoints()
        self._rejects = RejectQuota()
        self._observations = quota or Quota()
        self._ids = BatchIds(connection)
        self._commits = InOrder()
        #: Of back-fill, what waits until nothing is urgent.
        self._parts: deque[Part] = deque()
        self._ticked_us = 0

    async def run(self) -> None:
        """Take batches until the log ends."""
        await self._ids.refill()
        try:
            async for batch in self._log.batches(idle_s=1.0):
                if batch.messages or batch.refused:
                    await self._take(batch)
                await self._take_parts(batch.received_us)
                if self._tick_is_due(batch.received_us):
                    await self._commits.put(self._tick(batch.received_us))
                await self._commits.check()
        finally:
            await self._commits.finish()

    async def _take(self, batch: Batch) -> None:
        """Decode a batch by the facts that are in force now; commit it, or put it aside in parts."""
        if self._strangers is not None:
            await self._strangers.register(batch.messages)
        directory, context = self._directory(), self._context()
        if directory is not self._decoder.directory:
            self._decoder = v1.Decoder(directory)
        if batch.source == "history":
            self._parts.extend(await asyncio.to_thread(self._read_in_parts, batch))
        else:
            self._learn()
            work = await asyncio.to_thread(self._prepare_whole, batch, context)
            await self._commits.put(self._commit(work))

    async def _take_parts(self, now_us: int) -> None:
        """Commit a part of what waits, and more of it for as long as nothing is urgent."""
        while self._parts:
            part = self._parts.popleft()
            self._learn()
            work = await asyncio.to_thread(
                self._prepare, part, max(now_us, part.batch.received_us), self._context()
            )
            await self._commits.put(self._commit(work))
            if self._log.urgent:
                break

    def _learn(self) -> None:
        """Take in what the last commits found of the store."""
        while self._found:
            self._newest.learn(*self._found.pop())

    # In a thread: only one does, and nobody else changes what it changes.

    def _read(self, batch: Batch, watch: Stopwatch) -> Screened:
        """Decode and screen a batch."""
        decoded = self._decoder.decode(batch.messages)
        watch.lap("decode")
        screened = screen_or_reject(decoded, batch.messages, batch.received_us)
        screened = within(self._observations, screened, batch.messages, batch.received_us)
        watch.lap("screen")
        return screened

    def _read_in_parts(self, batch: Batch) -> list[Part]:
        watch = Stopwatch()
        return parts_of(batch, self._read(batch, watch), watch.seconds)

    def _prepare_whole(self, batch: Batch, context: Context) -> Work:
        watch = Stopwatch()
        return self._prepare(
            whole(batch, self._read(batch, watch), watch.seconds), batch.received_us, context
        )

    def _prepare(self, part: Part, received_us: int, context: Context) -> Work:
        """Judge what was read and lay it out for the store."""
        watch, screened = Stopwatch(), part.screened
        judged = self._judge(screened, received_us, context)
        watch.lap("engine")
        batch_id, fixes = self._ids.next(), screened.fixes
        fresh = self._newest.take(fixes.vehicle_id, fixes.time_us)
        rows = writer.lay_out(fixes, judged.live, fresh, batch_id)
        unknown = self._newest.unknown(fixes.vehicle_id[rows.staged])
        due = self._checkpoints.due(self._state, fixes.vehicle_id[judged.live], received_us)
        packed = checkpoint_store.pack_states(self._state, due)
        reporting = self._state.reporting
        holds = reporting.kept.changes(self._state.vehicle_id, reporting.memory, received_us)
        watch.lap("lay_out")
        seconds = {**part.seconds, **watch.seconds}
        return Work(part, batch_id, received_us, judged, rows, unknown, packed, holds, context, seconds)

    def _judge(self, screened: Screened, received_us: int, context: Context) -> Judged:
        sights = Sights(screened.camera, screened.health)
        arrival = Arrival(received_us, screened.fixes, sights, refused(screened.rejects))
        if arrival.is_tick:
            return Judged(screened, np.empty(0, np.int8), engine.nothing())
        judgement, timeliness = arrive(self._state, arrival, context)
        return Judged(screened, timeliness, judgement)

    async def _commit(self, work: Work) -> None:
        """Write all that a batch, or a part of one, changes in one transaction.

        Then, and only then, a batch that is whole is acknowledged.
        """
        watch = Stopwatch()
        async with asyncio.timeout(COMMIT_S):
            receipt = await self._store(work)
            if len(work.unknown):
                self._found.append(await writer.newest_stored(self._connection, work.unknown))
        watch.lap("commit")
        if work.part.is_last:
            self._log.release(work.part.batch)
        receipt.seconds.update(work.seconds | watch.seconds)
        self._committed(receipt)

    async def _store(self, work: Work) -> Receipt:
        """Write the rows of a batch and commit."""
        try:
            async with self._connection.transaction():
                return await self._write(work)
        except asyncpg.PostgresError as error:
            if not (staging.is_refusal(error) and work.rows.fresh):
                raise
            # One of the fresh rows is at fault, or there after all: the stage finds out which.
            async with self._connection.transaction():
                return await self._write(work._replace(rows=work.rows.all_staged()))

    async def _write(self, work: Work) -> Receipt:
        """Write the rows of a batch, in the present transaction."""
        connection, part, judged, received_us = self._connection, work.part, work.judged, work.received_us
        await self._ids.refill()
        valid = staging.validity(work.context, received_us)
        write = staging.BatchWrite(connection, work.batch_id, received_us, valid)
        stored = await writer.store(write, judged.screened, work.rows)
        rejects = [*judged.screened.rejects, *stored.rejects]
        receipt = receipt_of(part, received_us, judged, stored, rejects)
        await writer.record(connection, work.batch_id, receipt, received_us)
        rows = self._rejects.rows(
            ((part.topic(reject), part.payload(reject), reject) for reject in rejects), received_us
        )
        await writer.record_rejects(connection, work.batch_id, rows, received_us)
        feed = await store.write_live(connection, judged.judgement, work.context, received_us)
        await checkpoint_store.save_states(connection, work.checkpoints, work.batch_id)
        await keep_holds(connection, work.holds)
        if part.is_last:
            await self._log.record(part.batch, connection)
        await store.append_feed(connection, feed, received_us)
        return receipt

    def _tick_is_due(self, now_us: int) -> bool:
        """Say whether silence may be judged: we have listened, free of backlog, for as long as a gap."""
        since_us = self._log.caught_up_since_us
        if since_us is None or now_us - self._ticked_us < TICK_S * MICROSECONDS:
            return False
        return now_us - since_us >= _gap_us(self._context(), now_us)

    def _tick(self, now_us: int) -> Coroutine[None, None, None]:
        """Judge silence, after the newest batch and before the next; return its commit."""
        self._ticked_us = now_us
        context = self._context()
        judgement, _timeliness = arrive(self._state, Arrival(now_us), context)
        return self._commit_tick(self._ids.next(), now_us, judgement, context)

    async def _commit_tick(self, batch_id: int, now_us: int, judgement: Judgement, context: Context) -> None:
        connection = self._connection
        async with asyncio.timeout(COMMIT_S), connection.transaction():
            await self._ids.refill()
            await writer.record_tick(connection, batch_id, now_us)
            feed = await store.write_live(connection, judgement, context, now_us)
            await store.append_feed(connection, feed, now_us)


def refused(rejects: Sequence[Rejected]) -> Refused:
    """Return whose observations were refused: they were heard all the same."""
    known = ((reject.vehicle_id, str(reject.reason)) for reject in rejects)
    return Refused.of([(vehicle_id, reason) for vehicle_id, reason in known if vehicle_id is not None])


def _gap_us(context: Context, now_us: int) -> int:
    return round(float(context.rulebooks.now("motion", now_us)["gap_s"]) * MICROSECONDS)

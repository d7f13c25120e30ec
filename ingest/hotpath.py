"""The pipeline, as one visible list: receive, decode, screen, judge, commit, acknowledge.

Decoding and judging of a batch overlap the commit of the one before it: they run in a thread, so that the
event loop answers the broker and the database at once. Everything that a batch changes is written in one
transaction, and only after COMMIT is the batch acknowledged. A failure that is not the
fault of an observation ends the process: redelivery and reload are the only recovery, and since ids are
deterministic a repeat is harmless.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import numpy as np

from alerts import engine, store
from alerts.conflicts import Sights
from alerts.replay import Arrival, arrive
from alerts.timeliness import Timeliness
from alerts.transitions import Change, Rule
from fleet.units import MICROSECONDS
from fleet.wire import v1
from ingest import staging, writer
from ingest.checkpoints import Checkpoints
from ingest.newest import Newest
from ingest.pipeline import BatchIds, InOrder, Stopwatch
from ingest.receipt import Receipt
from ingest.rejects import RejectQuota
from ingest.screen import screen_or_reject

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from numpy.typing import NDArray

    from alerts.engine import Context
    from alerts.state import EngineState
    from alerts.transitions import Judgement
    from fleet.registry import Directory
    from fleet.wire.batch import Rejected
    from ingest.log import Batch, Log
    from ingest.screen import Screened
    from ingest.strangers import Strangers

#: Silence is judged this often, in event time.
TICK_S = 10


class Judged(NamedTuple):
    """A screened batch and what the engine says of it."""

    screened: Screened
    #: `Timeliness` of each fix.
    timeliness: NDArray[np.int8]
    judgement: Judgement

    @property
    def live(self) -> NDArray[np.bool_]:
        """Mark the fixes that were judged at once."""
        return np.asarray(self.timeliness == Timeliness.LIVE)


class Work(NamedTuple):
    """A batch that has been judged and waits for its commit; nothing in it changes any more."""

    batch: Batch
    batch_id: int
    judged: Judged
    rows: writer.Rows
    #: Vehicles about whose stored fixes nothing was known.
    unknown: NDArray[np.int32]
    checkpoints: store.PackedStates
    context: Context
    #: Spent in each stage so far.
    seconds: dict[str, float]


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
        state: EngineState,
        *,
        directory: Callable[[], Directory],
        context: Callable[[], Context],
        committed: Callable[[Receipt], None],
        strangers: Strangers | None = None,
        newest: Newest | None = None,
    ) -> None:
        self._connection = connection
        self._log = log
        self._state = state
        self._directory = directory
        self._context = context
        self._committed = committed
        self._strangers = strangers
        self._newest = newest or Newest()
        #: Vehicles and their newest stored times, found after a commit and not yet taken in.
        self._found: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
        self._decoder = v1.Decoder(directory())
        self._checkpoints = Checkpoints()
        self._quota = RejectQuota()
        self._ids = BatchIds(connection)
        self._commits = InOrder()
        self._ticked_us = 0

    async def run(self) -> None:
        """Take batches until the log ends."""
        await self._ids.refill()
        try:
            async for batch in self._log.batches(idle_s=1.0):
                if batch.messages:
                    await self._commits.put(self._commit(await self._prepared(batch)))
                if self._tick_is_due(batch.received_us):
                    await self._commits.put(self._tick(batch.received_us))
                await self._commits.check()
        finally:
            await self._commits.finish()

    async def _prepared(self, batch: Batch) -> Work:
        """Have a batch prepared in a thread, by the facts that are in force now."""
        if self._strangers is not None:
            await self._strangers.register(batch.messages)
        directory, context = self._directory(), self._context()
        if directory is not self._decoder.directory:
            self._decoder = v1.Decoder(directory)
        while self._found:
            self._newest.learn(*self._found.pop())
        return await asyncio.to_thread(self._prepare, batch, context)

    def _prepare(self, batch: Batch, context: Context) -> Work:
        """Decode, screen and judge a batch. Only one thread does, and nobody else changes what it changes."""
        watch = Stopwatch()
        decoded = self._decoder.decode(batch.messages)
        watch.lap("decode")
        screened = screen_or_reject(decoded, batch.messages, batch.received_us)
        watch.lap("screen")
        judged = self._judge(screened, batch.received_us, context)
        watch.lap("engine")
        batch_id, fixes = self._ids.next(), screened.fixes
        fresh = self._newest.take(fixes.vehicle_id, fixes.time_us)
        rows = writer.lay_out(fixes, judged.live, fresh, batch_id)
        unknown = self._newest.unknown(fixes.vehicle_id[rows.staged])
        due = self._checkpoints.due(self._state, fixes.vehicle_id[judged.live], batch.received_us)
        packed = store.pack_states(self._state, due)
        watch.lap("lay_out")
        return Work(batch, batch_id, judged, rows, unknown, packed, context, watch.seconds)

    def _judge(self, screened: Screened, received_us: int, context: Context) -> Judged:
        sights = Sights(screened.camera, screened.health)
        if not len(screened.fixes) and not len(sights):
            return Judged(screened, np.empty(0, np.int8), engine.nothing())
        judgement, timeliness = arrive(self._state, Arrival(received_us, screened.fixes, sights), context)
        return Judged(screened, timeliness, judgement)

    async def _commit(self, work: Work) -> None:
        """Write all that a batch changes in one transaction; acknowledge it then, and only then."""
        watch = Stopwatch()
        try:
            async with self._connection.transaction():
                receipt = await self._write(work)
        except asyncpg.PostgresError as error:
            if not (staging.is_refusal(error) and work.rows.fresh):
                raise
            # One of the fresh rows is at fault, or there after all: the stage finds out which.
            async with self._connection.transaction():
                receipt = await self._write(work._replace(rows=work.rows.all_staged()))
        if len(work.unknown):
            self._found.append(await writer.newest_stored(self._connection, work.unknown))
        watch.lap("commit")
        self._log.release(work.batch)
        receipt.seconds.update(work.seconds | watch.seconds)
        self._committed(receipt)

    async def _write(self, work: Work) -> Receipt:
        """Write the rows of a batch, in the present transaction."""
        connection, batch, judged = self._connection, work.batch, work.judged
        received_us = batch.received_us
        await self._ids.refill()
        moment = staging.Moment(connection, work.batch_id, received_us, _patience(work.context, received_us))
        stored = await writer.store(moment, judged.screened, work.rows)
        rejects = [*judged.screened.rejects, *stored.rejects]
        receipt = _receipt(batch, judged, stored, rejects)
        await writer.record(connection, work.batch_id, receipt, received_us)
        topics = ((batch.messages[reject.message].topic, reject) for reject in rejects)
        rows = self._quota.rows(topics, received_us)
        await writer.record_rejects(connection, work.batch_id, rows, received_us)
        feed = await store.write_live(connection, judged.judgement, work.context, received_us)
        await store.save_states(connection, work.checkpoints, work.batch_id)
        await self._log.record(batch, connection)
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
        async with connection.transaction():
            await self._ids.refill()
            await writer.record_tick(connection, batch_id, now_us)
            feed = await store.write_live(connection, judgement, context, now_us)
            await store.append_feed(connection, feed, now_us)


def _patience(context: Context, now_us: int) -> staging.Patience:
    """Return for how long what cameras and units report counts."""
    row = context.rulebooks.at(np.array([now_us], np.int64))
    live, rules = (context.rulebooks.numbers(section, row) for section in ("live", "blind_spot"))
    return staging.Patience(
        horizon=timedelta(seconds=float(live["horizon_s"])),
        ahead=timedelta(seconds=float(live["ahead_s"])),
        armed=timedelta(seconds=float(rules["armed_s"])),
    )


def _gap_us(context: Context, now_us: int) -> int:
    version = context.rulebooks.at(np.array([now_us], np.int64))
    return round(float(context.rulebooks.numbers("motion", version)["gap_s"]) * MICROSECONDS)


def _receipt(batch: Batch, judged: Judged, stored: writer.Stored, rejects: Sequence[Rejected]) -> Receipt:
    by_reason: dict[str, int] = {}
    for reject in rejects:
        by_reason[reject.reason] = by_reason.get(reject.reason, 0) + reject.observations
    counts = np.bincount(judged.timeliness, minlength=len(Timeliness))
    fixes = judged.screened.fixes
    lag_us = batch.received_us - int(fixes.time_us.max()) if len(fixes) else None
    return Receipt(
        source=batch.source,
        messages=len(batch.messages),
        received=judged.screened.received,
        stored=stored.stored,
        duplicates=judged.screened.duplicates + stored.duplicates,
        rejected=by_reason,
        judged=int(counts[Timeliness.LIVE]),
        late=int(counts[Timeliness.LATE]),
        history=int(counts[Timeliness.HISTORY]),
        ahead=int(counts[Timeliness.AHEAD]),
        crowded=int(counts[Timeliness.CROWDED]),
        opened=_opened(judged.judgement, batch.received_us),
        lag_s=float("nan") if lag_us is None else lag_us / MICROSECONDS,
    )


def _opened(judgement: Judgement, received_us: int) -> list[tuple[str, float]]:
    """Return the rule of each episode that began, and how long ago its deciding fix was measured, seconds."""
    changes = judgement.transitions
    begun = np.flatnonzero(changes.change == Change.OPENED)
    waited_s = (received_us - changes.at_us[begun]) / MICROSECONDS
    names = [Rule(rule).name.lower() for rule in changes.rule[begun].tolist()]
    return list(zip(names, waited_s.tolist(), strict=True))

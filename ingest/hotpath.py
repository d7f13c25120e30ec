"""The pipeline, as one visible list: receive, decode, screen, judge, commit, acknowledge.

Everything that a batch changes is written in one transaction, and only after COMMIT is the batch
acknowledged. A failure that is not the fault of an observation ends the process: redelivery and
reload are the only recovery, and since ids are deterministic a repeat is harmless.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import structlog

from alerts import engine, store
from alerts.replay import Arrival, arrive
from alerts.timeliness import Timeliness
from alerts.transitions import Change, Rule
from fleet.units import MICROSECONDS, to_datetime
from fleet.wire import v1
from ingest import writer
from ingest.checkpoints import Checkpoints
from ingest.receipt import Receipt
from ingest.rejects import RejectQuota
from ingest.screen import screen_or_reject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncpg
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

_log = structlog.get_logger("ingest")


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


class HotPath:
    """One process's pipeline over one connection. `registry` and `context` are read anew for each batch."""

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
    ) -> None:
        self._connection = connection
        self._log = log
        self._state = state
        self._directory = directory
        self._context = context
        self._committed = committed
        self._strangers = strangers
        self._checkpoints = Checkpoints()
        self._quota = RejectQuota()
        self._ticked_us = 0

    async def run(self) -> None:
        """Take batches until the log ends."""
        async for batch in self._log.batches(idle_s=1.0):
            if batch.messages:
                await self._take(batch)
            if self._tick_is_due(batch.received_us):
                await self._tick(batch.received_us)

    async def _take(self, batch: Batch) -> None:
        watch = _Stopwatch()
        if self._strangers is not None:
            await self._strangers.register(batch.messages)
        decoded = v1.decode(batch.messages, self._directory())
        watch.lap("decode")
        screened = screen_or_reject(decoded, batch.messages, batch.received_us)
        watch.lap("screen")
        judged = self._judge(screened, batch.received_us)
        watch.lap("engine")
        receipt = await self._commit(batch, judged)
        watch.lap("commit")
        self._log.release(batch)
        receipt.seconds.update(watch.seconds)
        self._committed(receipt)

    def _judge(self, screened: Screened, received_us: int) -> Judged:
        if not len(screened.fixes):
            return Judged(screened, np.empty(0, np.int8), engine.nothing())
        arrival = Arrival(received_us, screened.fixes)
        failed = self._state.faults.rules
        judgement, timeliness = arrive(self._state, arrival, self._context())
        for rule in self._state.faults.rules - failed:
            _log.error("rule_failed", rule=rule, error=self._state.faults.last[rule])
        return Judged(screened, timeliness, judgement)

    async def _commit(self, batch: Batch, judged: Judged) -> Receipt:
        """Write all that the batch changes in one transaction."""
        connection, received_us = self._connection, batch.received_us
        screened = judged.screened
        async with connection.transaction():
            batch_id = await writer.next_batch_id(connection)
            stored = await writer.store(connection, screened, judged.live, batch_id, received_us)
            rejects = [*screened.rejects, *stored.rejects]
            receipt = _receipt(batch, judged, stored, rejects)
            await writer.record(connection, batch_id, receipt, received_us)
            topics = ((batch.messages[reject.message].topic, reject) for reject in rejects)
            await writer.record_rejects(
                connection, batch_id, self._quota.rows(topics, received_us), received_us
            )
            feed = await store.write_live(connection, judged.judgement, self._context(), received_us)
            due = self._checkpoints.due(self._state, screened.fixes.take(judged.live), received_us)
            await store.save_states(connection, self._state, due, batch_id)
            await self._log.record(batch, connection)
            await store.append_feed(connection, feed, received_us)
        return receipt

    def _tick_is_due(self, now_us: int) -> bool:
        """Say whether silence may be judged: we have listened, free of backlog, for as long as a gap."""
        since_us = self._log.caught_up_since_us
        gap_us = _gap_us(self._context(), now_us)
        listening = since_us is not None and now_us - since_us >= gap_us
        return listening and now_us - self._ticked_us >= TICK_S * MICROSECONDS

    async def _tick(self, now_us: int) -> None:
        context = self._context()
        judgement = engine.tick(self._state, now_us, context)
        async with self._connection.transaction():
            await self._connection.execute(writer.QUERIES["record_tick"], to_datetime(now_us))
            feed = await store.write_live(self._connection, judgement, context, now_us)
            await store.append_feed(self._connection, feed, now_us)
        self._ticked_us = now_us


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


class _Stopwatch:
    """Seconds between laps, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last_s = time.perf_counter()

    def lap(self, name: str) -> None:
        now_s = time.perf_counter()
        self.seconds[name] = now_s - self._last_s
        self._last_s = now_s

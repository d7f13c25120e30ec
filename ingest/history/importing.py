"""A recorded drive of one vehicle into the store, as history: stored as ever, and left to the settler.

Nothing of it is judged at once, so nobody is paged for what is long over. Each part is a transaction with its
line in the ledger; what is there already counts as a duplicate, so what was broken off can be repeated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.wire import v1
from fleet.wire.batch import Decoded, Published
from ingest.pipeline import writer
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.rejects import RejectQuota
from ingest.pipeline.screen import screen_or_reject
from ingest.pipeline.staging import BatchWrite, validity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from alerts.in_force.context import Context
    from fleet.columns import Fixes
    from fleet.wire.batch import Message
    from ingest.pipeline.screen import Screened

#: Fixes of one transaction.
_AT_ONCE = 10_000


class Destination(NamedTuple):
    """Where a drive goes: the topic on which the vehicle would have sent it, and the vehicle's id."""

    topic: str
    vehicle_id: int


@dataclass(slots=True)
class Imported:
    """What became of the fixes: received = stored + duplicates + rejected."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


async def store_history(
    connection: asyncpg.Connection, fixes: Fixes, to: Destination, context: Context, now_us: int
) -> Imported:
    """Store the fixes of a drive; return what became of them, all of it committed."""
    await writer.prepare(connection)
    quota, done = RejectQuota(), Imported()
    fixes = fixes.take(np.argsort(fixes.time_us, kind="stable"))
    for begin in range(0, len(fixes), _AT_ONCE):
        part = fixes.take(slice(begin, begin + _AT_ONCE))
        messages = [Published(to.topic, payload) for payload in v1.encode_fixes(part)]
        decoded = Decoded(fixes=part, fix_message=np.arange(len(part)))
        screened = screen_or_reject(decoded, messages, now_us)
        async with connection.transaction():
            receipt = await store_unjudged(connection, screened, messages, context, now_us, quota)
        done.received += receipt.received
        done.stored += receipt.stored
        done.duplicates += receipt.duplicates
        done.rejected.update(receipt.rejected)
    return done


async def store_unjudged(
    connection: asyncpg.Connection,
    screened: Screened,
    messages: Sequence[Message],
    context: Context,
    now_us: int,
    quota: RejectQuota,
) -> Receipt:
    """Store what was screened in the present transaction, with its line in the ledger, for the settler."""
    (batch_id,) = await writer.draw_batch_ids(connection, 1)
    nothing = np.zeros(len(screened.fixes), np.bool_)
    rows = writer.lay_out(screened.fixes, nothing, nothing, batch_id)
    stored = await writer.store(
        BatchWrite(connection, batch_id, now_us, validity(context, now_us)), screened, rows
    )
    rejects = [*screened.rejects, *stored.rejects]
    rejected: Counter[str] = Counter()
    for reject in rejects:
        rejected[reject.reason] += reject.observations
    receipt = Receipt(
        source="history",
        messages=len(messages),
        received=screened.received,
        stored=stored.stored,
        duplicates=screened.duplicates + stored.duplicates,
        rejected=dict(rejected),
        judged=0,
        late=0,
        history=len(screened.fixes),
        ahead=0,
        crowded=0,
        opened=[],
        lag_s=float("nan"),
    )
    await writer.record(connection, batch_id, receipt, now_us)
    of = [messages[reject.message] for reject in rejects]
    kept = quota.rows(
        ((one.topic, one.payload, reject) for one, reject in zip(of, rejects, strict=True)), now_us
    )
    await writer.record_rejects(connection, batch_id, kept, now_us)
    return receipt

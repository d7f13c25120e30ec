"""What was refused, taken in again once its cause is mended: read and stored as history, left to the settler.

What is refused again is left as it is: it is on record already, and can be tried later. What was stored
before counts as a duplicate, so what was broken off can be repeated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.db import Queries
from fleet.units import to_datetime
from fleet.wire import v1
from fleet.wire.batch import Published
from ingest.history.importing import store_unjudged
from ingest.pipeline import writer
from ingest.pipeline.rejects import RejectQuota
from ingest.pipeline.screen import screen_or_reject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    import asyncpg

    from alerts.in_force.context import Context
    from fleet.directory import Directory
    from fleet.wire.batch import Decoded
    from ingest.pipeline.receipt import Receipt
    from ingest.pipeline.screen import Screened

QUERIES = Queries(Path(__file__).with_name("rejects.sql"))
#: Of one transaction.
_BYTES_AT_ONCE, _ROWS_AT_ONCE = 8 << 20, 200


class Kept(NamedTuple):
    """A reject whose bytes were kept in full."""

    reject_id: int
    topic: str
    payload: bytes


class Wanted(NamedTuple):
    """Which rejects; None: of any."""

    reason: str | None = None
    vehicle: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one reject when it was read again."""

    kept: Kept
    #: Observations that can be stored, or are.
    taken: int
    #: How many are refused again, by reason.
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of some rejects, together in one transaction."""

    each: Sequence[Read]
    #: Of the observations that were taken. `rejected` is what the store itself did not take, by reason.
    stored: int = 0
    duplicates: int = 0
    rejected: Mapping[str, int] | None = None


def read_again(
    kept: Sequence[Kept], directory: Directory, now_us: int
) -> tuple[Screened, list[Published], list[Read]]:
    """Decode and screen rejects as if they came now; what is refused again is not among what is screened."""
    messages = [Published(one.topic, bytes(one.payload)) for one in kept]
    decoded = v1.decode(messages, directory)
    came = _by_message(decoded, len(messages))
    screened = screen_or_reject(decoded, messages, now_us)
    refused = [Counter[str]() for _ in messages]
    for reject in screened.rejects:
        refused[reject.message][str(reject.reason)] += reject.observations
    each = [
        Read(one, count - again.total(), dict(again))
        for one, count, again in zip(kept, came, refused, strict=True)
    ]
    taken = replace(screened, rejects=[], received=sum(one.taken for one in each))
    return taken, messages, each


def _by_message(decoded: Decoded, messages: int) -> list[int]:
    """Return how many observations each message held, those that were rejected included."""
    rows = (decoded.fix_message, decoded.camera_message, decoded.health_message, decoded.ack_message)
    counts: list[int] = np.bincount(np.concatenate(rows), minlength=messages).tolist()
    for reject in decoded.rejects:
        counts[reject.message] += reject.observations
    return counts


async def retry(
    connection: asyncpg.Connection,
    wanted: Wanted,
    directory: Directory,
    context: Context,
    now_us: int,
    *,
    dry_run: bool = False,
) -> AsyncIterator[Retried]:
    """Take in again what was refused, oldest first; yield what became of it, each time after its commit."""
    await writer.prepare(connection)
    quota = RejectQuota()
    rows = await connection.fetch(QUERIES["retriable_rejects"], *wanted)
    for ids in _portions((row["reject_id"], row["bytes"]) for row in rows):
        async with connection.transaction():
            kept = [Kept(*row) for row in await connection.fetch(QUERIES["lock_rejects"], ids)]
            screened, messages, each = read_again(kept, directory, now_us)
            done = Retried(each)
            if screened.received and not dry_run:
                receipt = await store_unjudged(connection, screened, messages, context, now_us, quota)
                done = _retried(each, receipt)
                over = [one.kept.reject_id for one in each if not one.refused]
                await connection.execute(QUERIES["mark_retried"], over, to_datetime(now_us))
        yield done


def _retried(each: Sequence[Read], receipt: Receipt) -> Retried:
    return Retried(each, receipt.stored, receipt.duplicates, receipt.rejected)


def _portions(sizes: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Cut rows, given as (id, bytes), into what is done at once."""
    ids, in_all = list[int](), 0
    for reject_id, size in sizes:
        if ids and (in_all + size > _BYTES_AT_ONCE or len(ids) == _ROWS_AT_ONCE):
            yield ids
            ids, in_all = [], 0
        ids.append(reject_id)
        in_all += size
    if ids:
        yield ids

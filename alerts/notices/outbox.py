"""Notices that leave Kerbsafe: decided, sent, tried again, and kept with what became of them.

A row is written by whoever told the feed, in the same transaction: no alert is without its notice, and no
notice without its alert. The worker decides which rows are due and sends them: at least once, those of one
alert in their order, each with an id of its own that stays the same. If the process dies between sending and
noting it, the next one sends again. Times are wall time, but for the grouping, which goes by the alerts' own.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from alerts.notices.channels import webhook
from alerts.notices.channels.webhook import Answer, Notice, Outcome, Webhook
from alerts.notices.notify import DUE, News, Reason, Told, reason
from fleet.clock import WALL
from fleet.db import Queries
from fleet.units import MICROSECONDS, to_datetime, to_us
from fleet.webhook import read_secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import aiohttp
    import asyncpg

    from fleet.settings import Settings

CHANNEL = "webhook"
QUERIES = Queries(Path(__file__).with_name("outbox.sql"))
#: Pauses between attempts grow threefold. After the last, some four hours after the first, a notice is dead.
FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH, MAX_TRIES = 5.0, 3600.0, 3.0, 10
#: Rows decided in one transaction, and notices sent side by side.
_DECIDED_AT_ONCE, _SENT_AT_ONCE = 200, 8
#: A notification of the feed is a hint; the table is looked at this often without one.
_LOOK_EVERY_S = 1.0
_FEED = "kerbsafe_alert_feed"

_log = structlog.get_logger("outbox")


class Metrics:
    """What Prometheus sees of the outbox."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.pending = Gauge(
            "kerbsafe_notices_pending", "Notices that wait to be delivered.", registry=registry
        )
        self.oldest_seconds = Gauge(
            "kerbsafe_notices_oldest_seconds",
            "How long the oldest of them has waited; 0 if there is none.",
            registry=registry,
        )
        self.delivered = Counter("kerbsafe_notices_delivered", "Notices delivered.", registry=registry)
        self.failed = Counter(
            "kerbsafe_notices_failed_attempts", "Attempts that did not succeed.", registry=registry
        )
        self.dead = Counter(
            "kerbsafe_notices_dead", "Notices given up: refused, or tried too often.", registry=registry
        )


def webhook_of(settings: Settings) -> Webhook | None:
    """Return where notices go, None: nowhere."""
    if settings.webhook_url is None or settings.webhook_secret_file is None:
        return None
    return Webhook(settings.webhook_url, read_secret(settings.webhook_secret_file))


def pause_s(tries: int, asked_s: float, dice: float) -> float:
    """Return how long to wait after so many tries; `dice` in [0, 1) spreads it by a fifth either way."""
    grown_s = min(FIRST_PAUSE_S * GROWTH ** (tries - 1), LONGEST_PAUSE_S)
    return max(grown_s * (0.8 + 0.4 * dice), asked_s)


@dataclass(slots=True)
class Outbox:
    """The outbox of one channel, on a connection of its own."""

    connection: asyncpg.Connection
    #: None: there is no webhook.
    to: Webhook | None
    min_severity: int
    #: Address of the console, for a link in each notice.
    console: str | None
    metrics: Metrics

    async def run(self, stopping: asyncio.Event) -> None:
        """Decide and send until the process stops; without a webhook, only see that nothing is queued."""
        if self.to is None:
            said = "the webhook was taken out of the settings"
            await self.connection.execute(QUERIES["close_channel"], CHANNEL, _now(), said)
            await stopping.wait()
            return
        await self.connection.execute(QUERIES["open_channel"], CHANNEL, self.min_severity)
        await self.connection.execute(QUERIES["take_back"], CHANNEL, _now())
        hint = asyncio.Event()
        await self.connection.add_listener(_FEED, lambda *_: hint.set())
        async with webhook.new_session() as session:
            while not stopping.is_set():
                hint.clear()
                busy = await self.decide() + await self.deliver(session)
                await self.look()
                if not busy:
                    await _first_of(hint, stopping, timeout_s=_LOOK_EVERY_S)

    async def look(self) -> None:
        """Show what waits."""
        row = await self.connection.fetchrow(QUERIES["waiting"], CHANNEL, _now())
        self.metrics.pending.set(row["pending"])
        self.metrics.oldest_seconds.set(row["oldest_s"])

    # ------------------------------------------------------------ deciding

    async def decide(self) -> int:
        """Decide what is due of what was queued; return how many rows were looked at."""
        async with self.connection.transaction():
            rows = await self.connection.fetch(QUERIES["unread"], CHANNEL, _DECIDED_AT_ONCE)
            for row in rows:
                await self._decide(row)
        return len(rows)

    async def _decide(self, row: asyncpg.Record) -> None:
        before = await self.connection.fetchrow(QUERIES["told"], CHANNEL, row["alert_id"], row["group_key"])
        found = reason(
            News(row["change"], row["state"], row["severity"], row["late"], to_us(row["at"])),
            _told(before["mine"], before["my_severity"], before["my_at"]),
            _told(before["others"], before["their_severity"], before["their_at"]),
        )
        if found not in DUE and found is not Reason.GROUPED:
            await self.connection.execute(QUERIES["drop"], row["outbox_id"])
            return
        repeats = before["grouped"] if found is Reason.RAISED else 0
        await self.connection.execute(QUERIES["decide"], row["outbox_id"], found, repeats, _now())

    # ------------------------------------------------------------ sending

    async def deliver(self, session: aiohttp.ClientSession) -> int:
        """Send what is due, some of it side by side; return how many attempts were made."""
        claimed = await self.connection.fetch(QUERIES["claim"], CHANNEL, _now(), _SENT_AT_ONCE)
        answers = await asyncio.gather(*(self._send(session, row) for row in claimed))
        await self._note(claimed, answers)
        return len(claimed)

    async def _send(self, session: aiohttp.ClientSession, row: asyncpg.Record) -> Answer:
        assert self.to is not None  # noqa: S101 - run() returns without one
        at = row["at"].isoformat().replace("+00:00", "Z")
        notice = Notice(row["message_id"], row["reason"], at, row["body"], row["repeats"])
        return await webhook.send(session, self.to, notice, WALL.now_us() / MICROSECONDS, self.console)

    async def _note(self, rows: Sequence[asyncpg.Record], answers: Sequence[Answer]) -> None:
        now = _now()
        for row, answer in zip(rows, answers, strict=True):
            ended_as, next_try = None, None
            if answer.outcome is Outcome.DELIVERED:
                ended_as = "delivered"
                self.metrics.delivered.inc()
            else:
                self.metrics.failed.inc()
                if answer.outcome is Outcome.REFUSED or row["tries"] >= MAX_TRIES:
                    ended_as = "dead"
                    self.metrics.dead.inc()
                    _log.warning("notice given up", outbox_id=row["outbox_id"], said=answer.said)
                else:
                    wait_s = pause_s(row["tries"], answer.pause_s, random.random())  # noqa: S311 - only spreads
                    next_try = now + timedelta(seconds=wait_s)
            await self.connection.execute(
                QUERIES["settle_attempt"], row["outbox_id"], ended_as, now, next_try, answer.said
            )


def _now() -> datetime:
    return to_datetime(WALL.now_us())


def _told(found: str | None, severity: int, at: datetime) -> Told | None:
    return None if found is None else Told(Reason(found), severity, to_us(at))


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()

"""Holding a run in equilibrium: publisher a window ahead of what is committed, clock with the traffic."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.installation import read_clock, set_clock
from fleet.units import MICROSECONDS
from kerbsafe.bench import QUERIES
from kerbsafe.bench.stage import clock_at

if TYPE_CHECKING:
    import asyncpg

    from fleet.clock import Clock
    from kerbsafe.bench.publisher import Job, Publisher

POLL_S = 0.02
STEER_S = 0.5
#: On arrival a fix is this old by the sandbox's clock: far from both the horizon and the future.
AGE_S = 20.0
AGE_US = round(AGE_S * MICROSECONDS)
#: An error of the clock is made good in this time.
MEND_S = 3.0
SLOWEST, FASTEST = 1e-3, 1e4
#: Without any commit for this long, a run has failed.
STUCK_S = 30.0


class StuckError(RuntimeError):
    """Nothing was committed for half a minute."""


@dataclass(slots=True)
class Committed:
    """Follows what has been committed."""

    connection: asyncpg.Connection
    after_batch: int = 0
    messages: int = 0
    _changed_s: float = field(default_factory=time.monotonic)

    async def look(self) -> int:
        """Return how many messages have been committed since the beginning."""
        row = await self.connection.fetchrow(QUERIES["committed"], self.after_batch)
        if row["last"] is not None:
            self.after_batch = row["last"]
            self.messages += row["messages"]
            self._changed_s = time.monotonic()
        elif time.monotonic() - self._changed_s > STUCK_S:
            raise StuckError(f"nothing was committed for {STUCK_S:.0f} s after {self.messages} messages")
        return self.messages


@dataclass(slots=True)
class ClockHand:
    """Moves the sandbox's clock with the traffic: it never jumps, it only runs faster or slower."""

    connection: asyncpg.Connection
    clock: Clock

    async def follow(self, newest_us: int, per_s: float) -> None:
        """Let the clock show `AGE_S` after the newest fix sent, which moves on by `per_s` event seconds."""
        now_us = self.clock.now_us()
        error_s = (newest_us + AGE_US - now_us) / MICROSECONDS
        rate = min(max(per_s + error_s / MEND_S, SLOWEST), FASTEST)
        self.clock = clock_at(now_us, rate=rate)
        await set_clock(self.connection, self.clock)


async def run(
    connection: asyncpg.Connection, publisher: Publisher, window: int | None, *, timeout_s: float
) -> None:
    """Let a publisher send everything, at most `window` ahead of what is committed; return when all is.

    Without a window it sends at its own pace, and the clock follows what is committed.
    """
    job = publisher.job
    total, ahead = len(job), window or 0
    committed = Committed(connection, after_batch=await connection.fetchval(QUERIES["last_batch"]))
    clock = await read_clock(connection)
    hand = ClockHand(connection, clock_at(max(clock.now_us(), _time_us(job, 0) + AGE_US), rate=SLOWEST))
    await set_clock(connection, hand.clock)
    publisher.allowed.value = total if window is None else window
    await connection.execute(QUERIES["look_up_by_index"])
    publisher.go()
    began_s = steered_s = time.monotonic()
    before = 0
    while (done := await committed.look()) < total:
        publisher.allowed.value = total if window is None else done + window
        now_s = time.monotonic()
        if now_s - steered_s >= STEER_S:
            per_s = (done - before) / (now_s - steered_s)
            event_s_per_s = per_s / job.traffic.vehicles * job.traffic.interval_us / MICROSECONDS
            await hand.follow(_time_us(job, min(done + ahead, total)), event_s_per_s)
            steered_s, before = now_s, done
        if now_s - began_s > timeout_s:
            raise StuckError(f"{done} of {total} messages were committed in {timeout_s:.0f} s")
        await asyncio.sleep(POLL_S)
    await connection.execute(QUERIES["look_up_as_planned"])
    await set_clock(connection, clock_at(hand.clock.now_us(), rate=SLOWEST))


def _time_us(job: Job, messages: int) -> int:
    """Return about when the fix was measured before which so many messages are sent."""
    rounds = job.first_round + messages / job.traffic.vehicles
    return job.traffic.start_us + round(rounds * job.traffic.interval_us)

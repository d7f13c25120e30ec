"""What a storm does to the parts. After each everything could go on; whether it does is the question."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiomqtt

from kerbsafe import parts
from kerbsafe.bench.traffic import COMPANY
from kerbsafe.soak.proxy import HOST

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from kerbsafe.soak.city import City, Kept
    from kerbsafe.soak.proxy import Proxy

    #: Has the doctor look while the fault lasts.
    Look = Callable[[], Awaitable[None]]
    Strike = Callable[[City, random.Random, Look], Awaitable[None]]

#: A slow database answers after this.
SLOW_S = 5.0
#: Acknowledgements of ingest are lost for this long before its connection is.
DEAF_S = (0.5, 2.0)
#: A dead server stays away for this long, and a full disk full.
AWAY_S = (0.0, 3.0)
FULL_S = (1.0, 5.0)
#: Whoever has fallen silent is so for this long: some notice, and some do not.
SILENT_S = (1.0, 30.0)
#: A queue so small that it is full at once, for so long.
QUEUE_MESSAGES, QUEUE_FULL_S = 100, (1.0, 3.0)
NO_LIMIT = 10_000_000
#: What the broker has lost must be told within this.
TOLD_S = 60.0
LOOK_S = 0.5
_BLOCK_BYTES = 2**20


class UntoldError(RuntimeError):
    """Something was lost and nobody was told."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    strike: Strike
    #: Why it cannot strike this city; empty if it can.
    why_not: Callable[[City], str] = lambda _: ""
    #: What the doctor must say while it lasts, as a pattern of "check: what is said"; empty: it may miss it.
    named: str = ""


async def _kill_ingest(city: City, _: random.Random, __: Look) -> None:
    city.ingest.kill()


async def _kill_worker(city: City, _: random.Random, __: Look) -> None:
    city.worker.kill()


async def _kill_database(city: City, rng: random.Random, look: Look) -> None:
    await asyncio.to_thread(city.server.kill)
    for store in city.stores:
        store.cut()
    await look()
    await asyncio.sleep(rng.uniform(*AWAY_S))
    await asyncio.to_thread(city.server.restart)


async def _kill_broker(city: City, rng: random.Random, look: Look) -> None:
    await asyncio.to_thread(city.broker.kill)
    await look()
    await asyncio.sleep(rng.uniform(*AWAY_S))
    await asyncio.to_thread(city.broker.restart)


async def _kill_ingest_and_broker(city: City, rng: random.Random, look: Look) -> None:
    """Kill both: what waits for ingest is in the broker's memory alone."""
    city.ingest.kill()
    await asyncio.sleep(rng.uniform(0, 1))
    await _kill_broker(city, rng, look)


def _cut(ways: Callable[[City], tuple[Proxy, ...]]) -> Strike:
    async def strike(city: City, _: random.Random, __: Look) -> None:
        for way in ways(city):
            way.cut()

    return strike


def _silent(ways: Callable[[City], tuple[Proxy, ...]]) -> Strike:
    """Let both sides of some ways hear nothing of each other for a while; then they are reset."""

    async def strike(city: City, rng: random.Random, look: Look) -> None:
        for way in ways(city):
            way.fall_silent()
        try:
            await look()
            await asyncio.sleep(rng.uniform(*SILENT_S))
        finally:
            for way in ways(city):
                way.cut()

    return strike


def _ghost(whose: Callable[[City], Kept], *ways: Callable[[City], Proxy]) -> Strike:
    """Let the machine of a process vanish: the servers keep its sessions, and another begins in its place."""

    async def strike(city: City, _: random.Random, look: Look) -> None:
        for way in ways:
            way(city).vanish()
        whose(city).kill()
        await look()

    return strike


async def _redeliver(city: City, rng: random.Random, _: Look) -> None:
    """Have the broker hear none of ingest's acknowledgements: it delivers all of it again."""
    await city.delivery.swallow_requests(rng.uniform(*DEAF_S))


async def _slow_database(city: City, _: random.Random, __: Look) -> None:
    await asyncio.gather(*(store.hold_answers(SLOW_S) for store in city.stores))


async def _fill_queue(city: City, rng: random.Random, look: Look) -> None:
    """Keep ingest away and let the broker have no room for what comes: it acknowledges and drops.

    How much it has dropped it forgets when it ends: it is told before it is given its room again.
    """
    before = await city.gaps("queue_full")
    try:
        async with city.ingest.away():
            await asyncio.to_thread(city.limit_queues, QUEUE_MESSAGES)
            await _send_garbage(city, 3 * QUEUE_MESSAGES)
            await look()
            await asyncio.sleep(rng.uniform(*QUEUE_FULL_S))
        await _told(city, "queue_full", before)
    finally:
        await asyncio.to_thread(city.limit_queues, NO_LIMIT)


async def _send_garbage(city: City, messages: int) -> None:
    """Send what means nothing, so that a queue is full however quiet the trucks are."""
    topic = f"kerbsafe/v1/{COMPANY}/B000000/fix"
    async with aiomqtt.Client(HOST, city.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for _ in range(messages):
            await client.publish(topic, b"\xff", qos=1)


async def _forget_session(city: City, _: random.Random, look: Look) -> None:
    """Let the broker lose all that it kept on disk, ingest's sessions too."""
    before = await city.gaps("session_forgotten")
    await asyncio.to_thread(city.broker.kill)
    city.forget_sessions()
    await asyncio.to_thread(city.broker.restart)
    await _told(city, "session_forgotten", before)
    await look()


async def _told(city: City, source: str, before: int) -> None:
    """Return when a gap of that source was noted."""
    deadline_s = time.monotonic() + TOLD_S
    while await city.gaps(source) <= before:
        if time.monotonic() > deadline_s:
            raise UntoldError(f"{TOLD_S:.0f} s after the broker lost messages no gap `{source}` was told")
        await asyncio.sleep(LOOK_S)


async def _fill_disk(city: City, rng: random.Random, look: Look) -> None:
    if city.disk is None:
        return
    filler = city.disk / "filler"
    try:
        await asyncio.to_thread(_fill, filler)
        await look()
        await asyncio.sleep(rng.uniform(*FULL_S))
    finally:
        filler.unlink(missing_ok=True)
    if not _answers(city):
        await asyncio.to_thread(city.server.restart)


def _fill(path: Path) -> None:
    """Write until nothing more fits, and go on filling what is freed meanwhile for a moment."""
    block = b"\0" * _BLOCK_BYTES
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(block)
        except OSError:
            os.fsync(file.fileno())


def _answers(city: City) -> bool:
    """Tell whether the server is there: one that cannot write its log ends itself."""
    try:
        return city.server.alive
    except parts.PartUnavailableError:
        return True


_NO_DATABASE = r"database: cannot reach the database"
_NO_BROKER = r"broker: .*(cannot reach|did not answer)"

#: In the order in which a report names them.
FAULTS: Mapping[str, Fault] = {
    "kill ingest": Fault(_kill_ingest),
    "kill worker": Fault(_kill_worker),
    "kill database": Fault(_kill_database, named=_NO_DATABASE),
    "kill broker": Fault(_kill_broker, named=_NO_BROKER),
    "kill ingest and broker": Fault(_kill_ingest_and_broker, named=_NO_BROKER),
    "reset devices": Fault(_cut(lambda city: (city.air,))),
    "reset delivery": Fault(_cut(lambda city: (city.delivery,))),
    "reset database": Fault(_cut(lambda city: city.stores)),
    "redeliver": Fault(_redeliver),
    "forgotten session": Fault(_forget_session, named="the broker forgot our session"),
    "full queue": Fault(_fill_queue, named="`kerbsafe ingest` does not run"),
    "ghost of ingest": Fault(
        _ghost(lambda city: city.ingest, lambda city: city.ingest.store, lambda city: city.delivery),
        named="`kerbsafe ingest` (is connected|does not run|is not ready)",
    ),
    "ghost of worker": Fault(
        _ghost(lambda city: city.worker, lambda city: city.worker.store),
        named="`kerbsafe worker` (is connected|does not run|is not ready)",
    ),
    "silent devices": Fault(_silent(lambda city: (city.air,))),
    "silent broker": Fault(_silent(lambda city: (city.delivery,)), named=_NO_BROKER),
    "silent database": Fault(_silent(lambda city: city.stores), named=_NO_DATABASE),
    "slow database": Fault(_slow_database),
    "full disk": Fault(
        _fill_disk,
        lambda city: city.no_disk,
        named="(writing|database): .*(No space left|cannot reach|recovery)",
    ),
}

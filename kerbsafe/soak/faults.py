"""What a storm does to the parts. After each everything could go on; whether it does is the question."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerbsafe import parts

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from kerbsafe.soak.city import City
    from kerbsafe.soak.proxy import Proxy

#: A slow database answers after this.
SLOW_S = 5.0
#: Acknowledgements of ingest are lost for this long before its connection is.
DEAF_S = (0.5, 2.0)
#: A dead server stays away for this long, and a full disk full.
AWAY_S = (0.0, 3.0)
FULL_S = (1.0, 5.0)
_BLOCK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    strike: Callable[[City, random.Random], Awaitable[None]]
    #: Why it cannot strike this city; empty if it can.
    why_not: Callable[[City], str] = lambda _: ""


async def _kill_ingest(city: City, _: random.Random) -> None:
    city.ingest.kill()


async def _kill_worker(city: City, _: random.Random) -> None:
    city.worker.kill()


async def _kill_database(city: City, rng: random.Random) -> None:
    await asyncio.to_thread(city.server.kill)
    city.store.cut()
    await asyncio.sleep(rng.uniform(*AWAY_S))
    await asyncio.to_thread(city.server.restart)


async def _kill_broker(city: City, rng: random.Random) -> None:
    await asyncio.to_thread(city.broker.kill)
    await asyncio.sleep(rng.uniform(*AWAY_S))
    await asyncio.to_thread(city.broker.restart)


async def _kill_ingest_and_broker(city: City, rng: random.Random) -> None:
    """Kill both: what waits for ingest is in the broker's memory alone."""
    city.ingest.kill()
    await asyncio.sleep(rng.uniform(0, 1))
    await _kill_broker(city, rng)


def _cut(way: Callable[[City], Proxy]) -> Callable[[City, random.Random], Awaitable[None]]:
    async def strike(city: City, _: random.Random) -> None:
        way(city).cut()

    return strike


async def _redeliver(city: City, rng: random.Random) -> None:
    """Have the broker hear none of ingest's acknowledgements: it delivers all of it again."""
    await city.delivery.swallow_requests(rng.uniform(*DEAF_S))


async def _slow_database(city: City, _: random.Random) -> None:
    await city.store.hold_answers(SLOW_S)


async def _fill_disk(city: City, rng: random.Random) -> None:
    if city.disk is None:
        return
    filler = city.disk / "filler"
    try:
        await asyncio.to_thread(_fill, filler)
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


#: In the order in which a report names them.
FAULTS: Mapping[str, Fault] = {
    "kill ingest": Fault(_kill_ingest),
    "kill worker": Fault(_kill_worker),
    "kill database": Fault(_kill_database),
    "kill broker": Fault(_kill_broker),
    "kill ingest and broker": Fault(_kill_ingest_and_broker),
    "reset devices": Fault(_cut(lambda city: city.air)),
    "reset delivery": Fault(_cut(lambda city: city.delivery)),
    "reset database": Fault(_cut(lambda city: city.store)),
    "redeliver": Fault(_redeliver),
    "slow database": Fault(_slow_database),
    "full disk": Fault(_fill_disk, lambda city: city.no_disk),
}

"""The bench of a flood: live traffic by itself, then while one unit sends the largest messages it may."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.installation import set_clock
from fleet.units import MICROSECONDS
from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1 import MAX_ELEMENTS, encode_arrays
from ingest.pipeline.quota import CAPACITY, REFILL_HZ
from kerbsafe.bench import QUERIES, publisher, stage, traffic
from kerbsafe.bench.ingesting import FENCE_VERTICES, committed_at_us, require_live
from kerbsafe.bench.settling import (
    BASE_S,
    ENDED_S,
    FENCES,
    LEAD_S,
    LIVE_PER_S,
    LOOK_S,
    WARM_S,
    NotSettledError,
)

if TYPE_CHECKING:
    import asyncpg
    from numpy.typing import NDArray

    from kerbsafe import parts

#: Of a payload of `MAX_ELEMENTS` fixes.
PAYLOAD_MB = 1.9
#: The fixes of the flood were measured within this before it, so that they could all be judged live.
SPREAD_S = 95
#: Trucks whose ended trips wait to be settled beside the flood, and how long they drove.
TRIPS, TRIP_S = 20, 600
#: When so long nothing of it was stored, the flood is through.
QUIET_S = 2
#: The flood, and the trips beside it, are through by then.
DEADLINE_S = 150.0
LIVE_S = WARM_S + BASE_S + DEADLINE_S + 10


@dataclass(frozen=True, slots=True)
class Flood(publisher.Job):
    """What one unit sends: `MAX_ELEMENTS` fixes a payload, no two the same."""

    payloads: int = 60
    ended_us: int = 0

    def __len__(self) -> int:
        return self.payloads

    def messages(self) -> list[tuple[str, bytes]]:
        """Return what is sent, on the topic `fix`."""
        driven = traffic.Traffic(1, MAX_ELEMENTS, 0).fixes()
        step_us = SPREAD_S * MICROSECONDS // MAX_ELEMENTS
        topic = format_topic(traffic.COMPANY, self.traffic.codes[0], Kind.FIX)
        sent = []
        for number in range(self.payloads):
            time_us = self.ended_us - np.arange(MAX_ELEMENTS, 0, -1) * step_us + number
            fixes = type(driven)(
                **{name: getattr(driven, name) for name in driven.dtypes()} | {"time_us": time_us}
            )
            sent += [(topic, payload) for payload in encode_arrays(fixes, elements=MAX_ELEMENTS)]
        return sent


class Through(NamedTuple):
    """When a flood and the trips beside it were through, wall time in microseconds since 1970."""

    began_us: int
    stored_us: int
    settled_us: int


def measure(*, active: int, payloads: int, mb_per_s: float) -> dict[str, Any]:
    """Return the figures of `kerbsafe bench flood`."""
    interval_us = active * MICROSECONDS // LIVE_PER_S
    live = traffic.Traffic(active, round(LIVE_S * LIVE_PER_S / active), stage.wall_start_us(), interval_us)
    trips = traffic.Traffic(
        TRIPS, TRIP_S, live.start_us - (TRIP_S + ENDED_S) * MICROSECONDS, seed=2, first=active
    )
    flooder = traffic.Traffic(1, 1, live.start_us, first=active + TRIPS)
    with stage.stage() as city_stage:
        fences = traffic.fences(FENCES, FENCE_VERTICES)
        asyncio.run(stage.found(city_stage, live, fences=fences))
        with city_stage.process("ingest"), city_stage.process("worker"):
            per_s = mb_per_s / PAYLOAD_MB
            return asyncio.run(_run(city_stage, live, trips, flooder, payloads, per_s))


async def _run(
    city_stage: stage.Stage,
    live: traffic.Traffic,
    trips: traffic.Traffic,
    flooder: traffic.Traffic,
    payloads: int,
    per_s: float,
) -> dict[str, Any]:
    async with city_stage.connect() as connection:
        city = await stage.populate(connection, live)
        ended, one = [await stage.populate(connection, some) for some in (trips, flooder)]
        jobs = _jobs(city_stage, live, trips, flooder, payloads, per_s)
        sent_us, through = await _send(connection, jobs, ended)
        batches = await connection.fetch(QUERIES["batches"], 0)
        ack_ms = (await committed_at_us(connection, city, batches) - sent_us) / 1e3
        stored = await connection.fetchrow(QUERIES["stored_of"], one.vehicle_id)
        live_only = await connection.fetchrow(QUERIES["stored_since"], "live", 0)
    judged_live_share = live_only["judged"] / live_only["stored"]
    require_live(judged_live_share)
    return {
        **_acknowledged(sent_us, ack_ms, through),
        "settler_delay_s": round((through.settled_us - through.began_us) / MICROSECONDS, 1),
        "broker_rss_mib": _broker_peak_mib(city_stage.broker),
        "bytes_per_hour": round(stored["bytes_each"] * (CAPACITY + REFILL_HZ * 3600)),
        "flood_stored": stored["stored"],
        "flood_s": round((through.stored_us - through.began_us) / MICROSECONDS, 1),
        "judged_live_share": round(judged_live_share, 4),
    }


class _Jobs(NamedTuple):
    """What is sent: live traffic from the first, the flood and the ended trips after a while."""

    live: publisher.Job
    flood: Flood
    trips: publisher.Backfill


def _jobs(
    city_stage: stage.Stage,
    live: traffic.Traffic,
    trips: traffic.Traffic,
    flooder: traffic.Traffic,
    payloads: int,
    per_s: float,
) -> _Jobs:
    where, folder = (city_stage.broker.host, city_stage.broker.port), city_stage.folder
    flood_us = live.start_us + round((LEAD_S + WARM_S + BASE_S) * MICROSECONDS)
    return _Jobs(
        publisher.Job(live, *where, folder / "live.npy", per_s=LIVE_PER_S),
        Flood(flooder, *where, folder / "flood.npy", per_s=per_s, payloads=payloads, ended_us=flood_us),
        publisher.Backfill(trips, *where, folder / "trips.npy", elements=TRIP_S),
    )


async def _send(
    connection: asyncpg.Connection, jobs: _Jobs, ended: stage.City
) -> tuple[NDArray[np.int64], Through]:
    """Send it all; return when each live message was sent, and when flood and trips were through."""
    start_us = jobs.live.traffic.start_us
    with (
        publisher.publisher(jobs.live) as sending,
        publisher.publisher(jobs.flood) as flooding,
        publisher.publisher(jobs.trips) as uploading,
    ):
        for each in (sending, flooding, uploading):
            await asyncio.to_thread(each.wait_ready)
        await set_clock(connection, stage.clock_at(start_us + round(LEAD_S * MICROSECONDS), rate=1.0))
        sending.allowed.value = len(jobs.live)
        sending.go()
        await asyncio.sleep(WARM_S + BASE_S)
        for each in (flooding, uploading):
            each.allowed.value = len(each.job)
            each.go()
        through = await _until_through(connection, flooding, ended)
        sent_us = await asyncio.to_thread(sending.sent_us)
        await asyncio.sleep(1.0)
    return sent_us, through


def _acknowledged(
    sent_us: NDArray[np.int64], ack_ms: NDArray[np.float64], through: Through
) -> dict[str, Any]:
    """Return how long live messages waited for their acknowledgement, before the flood and during it."""
    before = (sent_us >= sent_us[0] + WARM_S * MICROSECONDS) & (sent_us < through.began_us)
    during = (sent_us >= through.began_us) & (sent_us < through.stored_us)
    quiet_ms, flooded_ms = (float(np.quantile(ack_ms[part], 0.99)) for part in (before, during))
    return {
        "quiet_p99_ms": round(quiet_ms, 1),
        "flooded_p99_ms": round(flooded_ms, 1),
        "flooded_p99_limit_ms": round(2 * quiet_ms + 100, 1),
    }


async def _until_through(
    connection: asyncpg.Connection, flooding: publisher.Publisher, ended: stage.City
) -> Through:
    """Return when nothing of the flood was left to store, and the trips beside it were settled."""
    began_us = time.time_ns() // 1000
    stored_us = settled_us = 0
    before, quiet_since_us = -1, began_us
    while not (stored_us and settled_us):
        await asyncio.sleep(LOOK_S)
        now_us = time.time_ns() // 1000
        if now_us - began_us > DEADLINE_S * MICROSECONDS:
            raise NotSettledError(
                f"after {DEADLINE_S:.0f} s the flood was {'' if stored_us else 'not '}stored, and the trips "
                f"beside it were {'' if settled_us else 'not '}settled"
            )
        received = await connection.fetchval(QUERIES["history_so_far"])
        if received != before or flooding.is_alive:
            before, quiet_since_us = received, now_us
        elif not stored_us and now_us - quiet_since_us > QUIET_S * MICROSECONDS:
            stored_us = quiet_since_us
        waiting = await connection.fetchrow(QUERIES["unsettled"], ended.vehicle_id)
        stored = await connection.fetchrow(QUERIES["stored_of"], ended.vehicle_id)
        are_there = stored["stored"] == len(ended.traffic)
        if not settled_us and are_there and not waiting["dirty"] and not waiting["segments"]:
            settled_us = now_us
    return Through(began_us, stored_us, settled_us)


def _broker_peak_mib(broker: parts.Broker) -> float | None:
    """Return the most memory that the broker ever had; None where the system does not tell."""
    try:
        status = Path(f"/proc/{broker.pid}/status").read_text("utf-8")
    except OSError:
        return None
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(peak.split()[1]) / 1024, 1)

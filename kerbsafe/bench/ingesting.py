"""The bench of ingest: our run, the floor under it, and the naive peer beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleet.errors import KerbsafeError
from fleet.units import to_datetime, to_us
from kerbsafe.bench import QUERIES, floor, naive, publisher, stage, steering, traffic
from kerbsafe.bench.probes import rss_mib

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg
    from numpy.typing import NDArray

    from kerbsafe.bench.probes import Probes

#: A bench in which fewer fixes than this were judged at once has not measured judging.
MIN_JUDGED_LIVE = 0.99
#: Under this the naive peer has been hindered by something else.
NAIVE_AT_LEAST = 4_000
NAIVE_MESSAGES = 60_000
FENCE_VERTICES = 60
TIMEOUT_S = 240.0


class NotLiveError(KerbsafeError):
    """The bench measured something else than it says."""


class Run(NamedTuple):
    """Our own run."""

    messages_per_s: float
    ack_ms: NDArray[np.float64]
    sizes: list[int]
    judged_live_share: float
    rss_mib: float
    cpu_us_per_message: float


def measure(*, messages: int, vehicles: int, fences: int, window: int) -> dict[str, Any]:
    """Return the figures of `kerbsafe bench ingest`."""
    rounds = max(1, messages // vehicles)
    driven = traffic.Traffic(vehicles, rounds, stage.wall_start_us())
    with stage.stage() as city_stage:
        city = asyncio.run(stage.found(city_stage, driven, fences=traffic.fences(fences, FENCE_VERTICES)))
        with city_stage.process("ingest") as probes:
            own = asyncio.run(_own_run(city_stage, city, probes, window))
        floor_rows_per_s = asyncio.run(_floor(city_stage, city, own.sizes))
        naive_per_s, suspect = _naive(city_stage, driven)
    require_live(own.judged_live_share)
    return {
        "messages_per_s": round(own.messages_per_s),
        "floor_rows_per_s": round(floor_rows_per_s),
        "naive_messages_per_s": round(naive_per_s),
        "ratio_floor": round(own.messages_per_s / floor_rows_per_s, 3),
        "ratio_naive": round(own.messages_per_s / naive_per_s, 2),
        "p50_ack_ms": round(float(np.quantile(own.ack_ms, 0.5)), 1),
        "p99_ack_ms": round(float(np.quantile(own.ack_ms, 0.99)), 1),
        "rss_mib": own.rss_mib,
        "cpu_us_per_message": round(own.cpu_us_per_message, 2),
        "judged_live_share": round(own.judged_live_share, 4),
        "naive_suspect": suspect,
    }


def require_live(judged_live_share: float) -> None:
    """Raise `NotLiveError` if too few fixes were judged at once."""
    if judged_live_share < MIN_JUDGED_LIVE:
        raise NotLiveError(
            f"only {judged_live_share:.1%} of the fixes were judged live, not {MIN_JUDGED_LIVE:.0%}: "
            "the figures would say nothing; is the machine busy with something else?"
        )


async def _own_run(city_stage: stage.Stage, city: stage.City, probes: Probes, window: int) -> Run:
    job = publisher.Job(
        city.traffic, city_stage.broker.host, city_stage.broker.port, city_stage.folder / "sent.npy"
    )
    async with city_stage.connect() as connection:
        with publisher.publisher(job) as publishing:
            await asyncio.to_thread(publishing.wait_ready)
            before = await asyncio.to_thread(probes.read)
            await steering.run(connection, publishing, window, timeout_s=TIMEOUT_S)
            after = await asyncio.to_thread(probes.read)
            sent_us = await asyncio.to_thread(publishing.sent_us)
        batches = await connection.fetch(QUERIES["batches"], 0)
        committed_us = await committed_at_us(connection, city, batches)
    spent_s = after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]
    took_s = (committed_us.max() - sent_us.min()) / 1e6
    return Run(
        messages_per_s=len(city.traffic) / took_s,
        ack_ms=(committed_us - sent_us) / 1e3,
        sizes=[row["stored"] for row in batches],
        judged_live_share=sum(row["judged"] for row in batches) / sum(row["stored"] for row in batches),
        rss_mib=rss_mib(after),
        cpu_us_per_message=spent_s / len(city.traffic) * 1e6,
    )


async def committed_at_us(
    connection: asyncpg.Connection, city: stage.City, batches: Sequence[asyncpg.Record]
) -> NDArray[np.int64]:
    """Return when each message, in the order of the traffic, was committed: then it is acknowledged."""
    since = to_datetime(city.traffic.start_us)
    rows = await connection.fetch(QUERIES["batches_of_fixes"], city.vehicle_id, since)
    of_vehicle = np.array([row["batches"] for row in rows])  # (vehicle, round), vehicles by id
    rank = np.argsort(np.argsort(np.array(city.vehicle_id)))
    batch_id = of_vehicle[rank[city.traffic.order]].T.ravel()
    known = np.array([row["batch_id"] for row in batches])
    committed_us = np.array([to_us(row["committed_at"]) for row in batches])
    return np.asarray(committed_us[np.searchsorted(known, batch_id)])


async def _floor(city_stage: stage.Stage, city: stage.City, sizes: list[int]) -> float:
    """Measure COPY alone with the rows of our run, in the order and the batches of our run."""
    fixes = city.traffic.fixes()
    vehicle_id = np.array(city.vehicle_id, np.int32)[fixes.vehicle_id]
    stored = type(fixes)(
        **{name: getattr(fixes, name) for name in fixes.dtypes()} | {"vehicle_id": vehicle_id}
    )
    async with city_stage.connect() as connection:
        return await floor.copy_rows_per_s(connection, stored, sizes)


def _naive(city_stage: stage.Stage, driven: traffic.Traffic) -> tuple[float, bool]:
    """Measure the naive peer; once more if it was so slow that something else must have hindered it."""
    first = _naive_once(city_stage, driven, "fix_naive")
    if first >= NAIVE_AT_LEAST:
        return first, False
    return max(first, _naive_once(city_stage, driven, "fix_naive_again")), True


def _naive_once(city_stage: stage.Stage, driven: traffic.Traffic, table: str) -> float:
    few = stage.with_rounds(driven, max(1, NAIVE_MESSAGES // driven.vehicles))
    asyncio.run(_make_naive_table(city_stage, table, few.start_us))
    broker = city_stage.broker
    job = publisher.Job(few, broker.host, broker.port, city_stage.folder / "naive.npy")
    arguments = ("--dsn", city_stage.dsn, "--port", str(broker.port), "--table", table)
    with (
        publisher.publisher(job) as publishing,
        naive.peer("ingest", *arguments, "--messages", str(len(few))) as peer,
    ):
        publishing.wait_ready()
        publishing.allowed.value = len(few)
        publishing.go()
        return float(peer.figures(TIMEOUT_S)["messages_per_s"])


async def _make_naive_table(city_stage: stage.Stage, table: str, at_us: int) -> None:
    async with city_stage.connect() as connection:
        await floor.make_table_like_fix(connection, table, at_us)
        await connection.execute(QUERIES["checkpoint"])

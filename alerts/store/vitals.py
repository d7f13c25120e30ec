"""What Prometheus sees of the store through the worker: alerts not dealt with, vehicles, bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from alerts.store.store import QUERIES
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import asyncpg


class Vitals:
    """Gauges over the judged rows, as they were read last."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.unfinished = Gauge(
            "kerbsafe_alerts_unfinished",
            "Alerts that are open or acknowledged.",
            ("rule", "severity", "state"),
            registry=registry,
        )
        self.oldest_seconds = Gauge(
            "kerbsafe_alerts_oldest_open_seconds",
            "How long the oldest open alert that is not late has waited; 0 if there is none.",
            registry=registry,
        )
        self.vehicles = Gauge("kerbsafe_vehicles_registered", "Vehicles in the registry.", registry=registry)
        self.store_bytes = Gauge("kerbsafe_store_bytes", "Size of the database.", registry=registry)

    async def read(self, connection: asyncpg.Connection, now_us: int) -> None:
        """Read them anew; `now_us` is event time, microseconds since 1970."""
        rows = await connection.fetch(QUERIES["unfinished"], to_datetime(now_us))
        self.unfinished.clear()
        for row in rows:
            self.unfinished.labels(row["rule"], row["severity"], row["state"]).set(row["alerts"])
        self.oldest_seconds.set(max((row["waited_s"] for row in rows), default=0.0))
        store = await connection.fetchrow(QUERIES["store"])
        self.vehicles.set(store["vehicles"])
        self.store_bytes.set(store["bytes"])


class Backlog:
    """Gauges over what waits for the settler, as they were read last."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.vehicles = Gauge(
            "kerbsafe_settler_backlog_vehicles", "Vehicles that wait for the settler.", registry=registry
        )
        self.oldest_seconds = Gauge(
            "kerbsafe_settler_backlog_seconds", "How long the oldest of them has waited.", registry=registry
        )
        self.aside = Gauge(
            "kerbsafe_settler_aside_vehicles",
            "Vehicles that wait and are set aside, since one takes as long as a city.",
            registry=registry,
        )
        self.aside_oldest_seconds = Gauge(
            "kerbsafe_settler_aside_seconds", "How long the oldest of those has waited.", registry=registry
        )

    async def read(
        self, connection: asyncpg.Connection, now_us: int, horizon: timedelta, aside: Sequence[int]
    ) -> None:
        """Read them anew; `now_us` is event time, microseconds since 1970."""
        row = await connection.fetchrow(QUERIES["backlog"], to_datetime(now_us), horizon, aside)
        self.vehicles.set(row["vehicles"])
        self.oldest_seconds.set(row["oldest_s"])
        self.aside.set(row["aside"])
        self.aside_oldest_seconds.set(row["aside_oldest_s"])

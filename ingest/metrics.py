"""What Prometheus sees of the hot path. `docs/operations.md` says what each means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from ingest.receipt import Receipt

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_LAGS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 600, 3600, 86_400)


class Metrics:
    """Counters of one ingest process, fed with receipts after each commit."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"kerbsafe_ingest_{name}", text, labels, registry=registry)

        self.messages = counter("messages", "Messages committed.", "source")
        self.observations = counter("observations", "Observations received.", "source")
        self.stored = counter("stored", "Observations stored.")
        self.duplicates = counter("duplicates", "Observations that were stored before.")
        self.rejected = counter("rejected", "Observations rejected.", "reason")
        self.fixes = counter("fixes", "Fixes by whether they could be judged at once.", "timeliness")
        self.episodes = counter("episodes", "Episodes opened by the hot path.")
        self.batch_messages = Histogram(
            "kerbsafe_ingest_batch_messages", "Messages in a batch.", buckets=_SIZES, registry=registry
        )
        self.stage_seconds = Histogram(
            "kerbsafe_ingest_stage_seconds",
            "Seconds a batch spent in a stage of the pipeline.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.lag_seconds = Histogram(
            "kerbsafe_ingest_lag_seconds",
            "Received minus measured, of the newest live fix of a batch.",
            buckets=_LAGS,
            registry=registry,
        )
        self.vehicles = Gauge("kerbsafe_ingest_vehicles", "Vehicles in the live memory.", registry=registry)
        self.connected = Gauge(
            "kerbsafe_ingest_connected", "1 if live messages can arrive.", registry=registry
        )

    def add(self, receipt: Receipt) -> None:
        """Count one committed batch."""
        self.messages.labels(receipt.source).inc(receipt.messages)
        self.observations.labels(receipt.source).inc(receipt.received)
        self.stored.inc(receipt.stored)
        self.duplicates.inc(receipt.duplicates)
        for reason, count in receipt.rejected.items():
            self.rejected.labels(reason).inc(count)
        for timeliness in ("judged", "late", "history", "ahead"):
            self.fixes.labels(timeliness).inc(getattr(receipt, timeliness))
        self.episodes.inc(receipt.alerts)
        self.batch_messages.observe(receipt.messages)
        for stage, seconds in receipt.seconds.items():
            self.stage_seconds.labels(stage).observe(seconds)
        if receipt.source == "live" and not math.isnan(receipt.lag_s):
            self.lag_seconds.observe(receipt.lag_s)

"""What Prometheus sees of the hot path. `docs/operations.md` says what each means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from alerts.words.transitions import Rule
from fleet.wire.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from ingest.mqtt.inbox import Counters
    from ingest.pipeline.log import Source
    from ingest.pipeline.receipt import Receipt

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_TIMELINESS = ("judged", "late", "history", "ahead", "crowded")
_LAGS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 600, 3600, 86_400)


class Metrics:
    """Counters of one ingest process, fed with receipts after each commit."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self.messages = self._counter("messages", "Messages committed.", "source")
        self.observations = self._counter("observations", "Observations received.", "source")
        self.stored = self._counter("stored", "Observations stored.")
        self.duplicates = self._counter("duplicates", "Observations that were stored before.")
        self.rejected = self._counter("rejected", "Observations rejected.", "reason")
        self.fixes = self._counter("fixes", "Fixes by whether they could be judged at once.", "timeliness")
        self.episodes = self._counter("episodes", "Episodes opened by the hot path.", "rule")
        self.batch_messages = self._histogram("batch_messages", "Messages in a batch.", _SIZES)
        self.stage_seconds = self._histogram(
            "stage_seconds", "Seconds a batch spent in a stage of the pipeline.", _SECONDS, "stage"
        )
        self.ack_seconds = self._histogram(
            "ack_seconds",
            "Seconds from the arrival of a batch's first message to its acknowledgement.",
            _SECONDS,
            "source",
        )
        self.lag_seconds = self._histogram(
            "lag_seconds", "Received minus measured, of the newest live fix of a batch.", _LAGS
        )
        self.alert_seconds = self._histogram(
            "alert_seconds", "Seconds from the fix that decided to the commit of its alert.", _LAGS, "rule"
        )
        self.vehicles = self._gauge("vehicles", "Vehicles in the live memory.")
        self.reporting = self._gauge(
            "vehicles_reporting", "Vehicles whose newest judged fix is at most 5 minutes old."
        )
        self.connected = self._gauge("connected", "1 if live messages can arrive.")
        self.caught_up = self._gauge("caught_up", "1 if live messages arrive without a backlog.")
        self.days_ahead = self._gauge("days_ahead", "Days after today that the store has room for.")
        self.clock_skew_seconds = self._gauge(
            "clock_skew_seconds", "The database's clock minus that of this machine."
        )
        self.rule_failures = self._gauge(
            "rule_failures", "Times a rule threw since the start; it is left out, the others go on.", "rule"
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Show every label from the start: Prometheus does not see the first increase of a new series."""
        for source in ("live", "history"):
            for by_source in (self.messages, self.observations, self.ack_seconds):
                by_source.labels(source)
        for reason in Reason:
            self.rejected.labels(reason)
        for timeliness in _TIMELINESS:
            self.fixes.labels(timeliness)
        for rule in Rule:
            self.episodes.labels(rule.name.lower())
            self.alert_seconds.labels(rule.name.lower())

    def add(self, receipt: Receipt) -> None:
        """Count one committed batch."""
        self.messages.labels(receipt.source).inc(receipt.messages)
        self.observations.labels(receipt.source).inc(receipt.received)
        self.stored.inc(receipt.stored)
        self.duplicates.inc(receipt.duplicates)
        for reason, count in receipt.rejected.items():
            self.rejected.labels(reason).inc(count)
        for timeliness in _TIMELINESS:
            self.fixes.labels(timeliness).inc(getattr(receipt, timeliness))
        self.batch_messages.observe(receipt.messages)
        for stage, seconds in receipt.seconds.items():
            self.stage_seconds.labels(stage).observe(seconds)
        if receipt.source == "live" and not math.isnan(receipt.lag_s):
            self.lag_seconds.observe(receipt.lag_s)
        in_hand_s = sum(receipt.seconds.values())
        for rule, waited_s in receipt.opened:
            self.episodes.labels(rule).inc()
            self.alert_seconds.labels(rule).observe(waited_s + in_hand_s)

    def acknowledged(self, source: Source, seconds: float) -> None:
        """Count one acknowledged batch."""
        self.ack_seconds.labels(source).observe(seconds)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"kerbsafe_ingest_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"kerbsafe_ingest_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"kerbsafe_ingest_{name}", text, labels, buckets=buckets, registry=self._registry)


#: What a session counts, and what that means to an operator.
_SESSION_COUNTERS = {
    "received_messages": "Messages received.",
    "received_bytes": "Bytes of messages received, topics and headers included.",
    "redelivered": "Messages that the broker marked as sent before.",
    "acknowledged": "Messages acknowledged.",
    "acknowledgements_dropped": "Acknowledgements lost with their connection; the broker sends again.",
    "salvaged": "Messages that the codec refused and that were taken in nevertheless.",
    "connects": "Times that the session came up.",
    "failures": "Connections that were lost or could not be made.",
    "sessions_forgotten": "Times that the broker had forgotten our session and what it kept for it.",
    "pauses": "Times that reading stopped because too much was not yet committed.",
}


class SessionCollector:
    """Reads the counters of the MQTT sessions when Prometheus asks: right without traffic too.

    Parameters
    ----------
    counters
        What happened on each session.
    unreleased
        Messages and bytes that each session holds.
    """

    def __init__(
        self,
        counters: Callable[[], Mapping[Source, Counters]],
        unreleased: Callable[[], Mapping[Source, tuple[int, int]]],
    ) -> None:
        self._counters = counters
        self._unreleased = unreleased

    def collect(self) -> Iterator[Metric]:
        """Yield one family a counter, labelled by session (called by prometheus-client)."""
        counters = self._counters()
        for name, text in _SESSION_COUNTERS.items():
            family = CounterMetricFamily(f"kerbsafe_mqtt_{name}", text, labels=["session"])
            for session, counted in counters.items():
                family.add_metric([session], getattr(counted, name))
            yield family
        held = self._unreleased()
        for place, (unit, text) in enumerate(
            (("messages", "Messages held, not yet committed."), ("bytes", "Bytes held, not yet committed."))
        ):
            gauge = GaugeMetricFamily(f"kerbsafe_mqtt_unacknowledged_{unit}", text, labels=["session"])
            for session, amounts in held.items():
                gauge.add_metric([session], amounts[place])
            yield gauge

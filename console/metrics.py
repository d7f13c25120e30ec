"""What Prometheus sees of the console. `docs/operations.md` says what each means."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """Counters of one console process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.request_seconds = Histogram(
            "kerbsafe_console_request_seconds",
            "Seconds from a request to its answer, by operation.",
            ("operation",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.problems = Counter(
            "kerbsafe_console_problems", "Requests answered with a problem.", ("status",), registry=registry
        )
        self.listeners = Gauge("kerbsafe_console_listeners", "Open WebSockets.", registry=registry)
        self.dropped = Counter(
            "kerbsafe_console_dropped_listeners",
            "WebSockets that we ended.",
            ("reason",),
            registry=registry,
        )
        self.feed_entries = Counter(
            "kerbsafe_console_feed_entries", "Entries of the alert feed sent to browsers.", registry=registry
        )
        self.position_seconds = Gauge(
            "kerbsafe_console_positions_query_seconds",
            "Seconds that the newest reading of positions took.",
            registry=registry,
        )
        self.logins = Counter(
            "kerbsafe_console_logins", "Attempts to log in.", ("outcome",), registry=registry
        )
        # Prometheus does not see the first increase of a new series.
        for outcome in ("right", "wrong", "throttled"):
            self.logins.labels(outcome)
        for status in ("500", "503"):
            self.problems.labels(status)

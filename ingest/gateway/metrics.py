"""What Prometheus sees of the gateway. `docs/operations.md` says what each means."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ingest.gateway.refusals import NotCarried, Refusal

#: What may become of a command, as `ack` of wire v1 has it.
RESULTS = ("sent", "done", "refused", "failed", "timed_out", "expired")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters of one gateway."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self.connections = self._gauge("connections", "Connections that stand.")
        self.terminals = self._gauge("terminals", "Terminals that are authenticated and connected.")
        self.known = self._gauge("known_terminals", "Terminals that the registry knows.")
        self.utc_clocks = self._gauge("utc_clocks", "Terminals whose clock was found to show UTC.")
        self.waiting = self._gauge("waiting", "Messages that the broker has not acknowledged yet.")
        self.connected = self._gauge("connected", "1 if messages can go out to the broker.")
        self.reports = self._counter("reports", "Location reports read, by whether they were kept.", "source")
        self.acknowledged = self._counter("acknowledged", "Messages acknowledged to terminals as stored.")
        self.refused = self._counter("refused", "Messages of terminals that were not taken.", "reason")
        self.not_carried = self._counter("not_carried", "Told by terminals, without a place here.", "what")
        self.replaced = self._counter("replaced", "Connections that gave way to a newer one.")
        self.hung_up = self._counter("hung_up", "Connections that the gateway ended.")
        self.commands = self._counter("commands", "Commands to terminals, by what became of them.", "result")
        self.commands_waiting = self._gauge("commands_waiting", "Commands for terminals that are not here.")
        self.ack_seconds = Histogram(
            "kerbsafe_gateway_ack_seconds",
            "Seconds from a report to its acknowledgement.",
            buckets=_SECONDS,
            registry=registry,
        )
        for source in ("live", "kept"):
            self.reports.labels(source)
        for reason in Refusal:
            self.refused.labels(reason)
        for what in NotCarried:
            self.not_carried.labels(what)
        for result in RESULTS:
            self.commands.labels(result)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"kerbsafe_gateway_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"kerbsafe_gateway_{name}", text, registry=self._registry)

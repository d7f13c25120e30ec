"""Which metrics and labels an expression reads, and which metrics our processes have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from alerts.notices.outbox import Metrics as OutboxMetrics
from alerts.store.vitals import Backlog, Vitals
from alerts.worker import Metrics as WorkerMetrics
from console.metrics import Metrics as ConsoleMetrics
from ingest.commands.carrier import Metrics as CarrierMetrics
from ingest.gateway.metrics import Metrics as GatewayMetrics
from ingest.metrics import Metrics as IngestMetrics
from ingest.metrics import SessionCollector
from ingest.mqtt.broker_status import BrokerStatus
from ingest.mqtt.inbox import Counters
from ingest.mqtt.transport import gap_metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric

_STRING = re.compile(r'"[^"]*"')
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_DURATION = re.compile(r"\[[^]]*\]|\boffset\s+\w+")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
#: What Prometheus adds to every target of ours, and what the client library says of its process.
TARGET_LABELS = {"job", "instance", "process"}
OF_EVERY_TARGET = {
    "up": set[str](),
    "kerbsafe_ready": set[str](),
    "process_resident_memory_bytes": set[str](),
    "process_cpu_seconds_total": set[str](),
    "process_start_time_seconds": set[str](),
}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def reads(expression: str) -> list[tuple[str, set[str]]]:
    """Return each metric that an expression reads, with the labels that it is selected or grouped by."""
    bare = _DURATION.sub("", _STRING.sub('""', expression))
    grouped = {label for _, labels in _GROUPING.findall(bare) for label in _NAME.findall(labels)}
    bare = _GROUPING.sub("", bare)
    found = []
    for match in re.finditer(rf"({_NAME.pattern})\s*(\{{[^}}]*\}})?(\s*\()?", bare):
        name, selector, call = match.groups()
        if call is None and name not in _WORDS:
            found.append((name, set(_NAME.findall(selector or "")) | grouped))
    return found


def families(registry: CollectorRegistry) -> list[tuple[Metric, set[str]]]:
    """Return every family of a registry with its labels."""
    found = []
    for collector in registry._collector_to_names:
        for family in collector.collect():
            seen = {label for sample in family.samples for label in sample.labels} - {"le"}
            found.append((family, set(getattr(collector, "_labelnames", seen))))
    return found


def our_registry() -> CollectorRegistry:
    """Return the metrics of all our processes at once."""
    registry = CollectorRegistry()
    of_the_worker = (WorkerMetrics, OutboxMetrics, Backlog, Vitals)
    for make in (IngestMetrics, CarrierMetrics, *of_the_worker, ConsoleMetrics, GatewayMetrics):
        make(registry)
    counters, held = {"live": Counters()}, {"live": (0, 0)}
    registry.register(SessionCollector(lambda: counters, lambda: held))  # type: ignore[arg-type,return-value]
    registry.register(BrokerStatus())
    registry.register(_TransportGaps())
    return registry


class _TransportGaps:
    """What ingest tells of a gap."""

    def collect(self) -> Iterator[Metric]:
        yield gap_metric({"queue_full": 0.0})


def series(found: Iterable[tuple[Metric, set[str]]]) -> dict[str, set[str]]:
    """Return the names under which Prometheus stores families, with their labels."""
    named: dict[str, set[str]] = {}
    for family, labels in found:
        for suffix in _SUFFIXES[family.type]:
            bucket = {"le"} if suffix == "_bucket" else set()
            named[family.name + suffix] = labels | bucket
    return named

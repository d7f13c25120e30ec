"""Every metric has a line in docs/operations.md, and each line there is of a metric."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from alerts import worker
from alerts.notices import outbox
from alerts.store import vitals
from console.metrics import Metrics as ConsoleMetrics
from ingest.commands.carrier import Metrics as CarrierMetrics
from ingest.gateway.metrics import Metrics as GatewayMetrics
from ingest.metrics import Metrics as IngestMetrics
from ingest.metrics import SessionCollector
from ingest.mqtt.broker_status import BrokerStatus
from ingest.mqtt.inbox import Counters
from ingest.mqtt.transport import gap_metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

OPERATIONS = (Path(__file__).resolve().parents[3] / "docs/operations.md").read_text("utf-8")


def collected() -> Iterator[Metric]:
    registry = CollectorRegistry()
    of_the_worker = (worker.Metrics, vitals.Backlog, vitals.Vitals, outbox.Metrics)
    for metrics in (IngestMetrics, CarrierMetrics, *of_the_worker, ConsoleMetrics, GatewayMetrics):
        metrics(registry)
    yield from registry.collect()
    yield from SessionCollector(lambda: {"live": Counters()}, lambda: {"live": (0, 0)}).collect()
    yield from BrokerStatus().collect()
    yield gap_metric({})


def test_the_metrics_are_those_of_the_page() -> None:
    there = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in collected()}
    chapter = OPERATIONS.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(kerbsafe_\w+)` \|", chapter, re.MULTILINE))
    assert listed - there == set()
    assert there - listed == set()

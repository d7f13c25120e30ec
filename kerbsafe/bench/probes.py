"""What one of our processes says of itself at /metrics."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIB = 2**20


class Probes:
    """Reads the metrics of a process on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port

    def read(self) -> Mapping[str, float]:
        """Return every sample; labels are added up."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        samples: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples[sample.name] = samples.get(sample.name, 0.0) + sample.value
        return samples


def rss_mib(samples: Mapping[str, float]) -> float:
    """Return the resident memory, MiB."""
    return round(samples["process_resident_memory_bytes"] / _MIB, 1)

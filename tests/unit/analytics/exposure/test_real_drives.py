"""Kilometres of recorded drives against the matched routes, whose lengths nobody in the project measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analytics.exposure import steps as measuring
from fleet import trackfile
from tests.unit.analytics.exposure.drives import RULES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def errors_percent(shared_data: Path) -> dict[str, float]:
    folder = shared_data / "data/tracks/turns"
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    found = {}
    for label in labels["tracks"]:
        record = measuring.record(trackfile.read(folder / f"{label['track']}.csv").fixes, RULES)
        km = measuring.measure(record, RULES).distance_mm.sum() / 1e6
        found[label["track"]] = 100 * (km / label["route_km_ground_truth"] - 1)
    return found


def test_kilometres_are_those_of_the_matched_routes(errors_percent: dict[str, float]) -> None:
    error = np.abs(list(errors_percent.values()))
    assert len(error) == 39
    assert np.median(error) < 0.7
    assert np.percentile(error, 95) < 2.0


def test_there_is_no_bias(errors_percent: dict[str, float]) -> None:
    assert abs(np.median(list(errors_percent.values()))) < 0.4

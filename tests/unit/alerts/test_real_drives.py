"""Accuracy on recorded drives: what docs/accuracy.md promises of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.words.turns import Kind
from fleet.units import MICROSECONDS
from kerbsafe.drives import recordings

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scripts be imported, as they import each other."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.usefixtures("benchmarks", "shared_data")
def test_aggressive_drives_are_longer_above_the_limit() -> None:
    """The same driver on the same road, at limit + 5 km/h; no episode rests on a spike."""
    from speeding_share import drives  # noqa: PLC0415 - a script, importable only with its folder on the path

    judged = {drive.name.split("-", 2)[2]: drive for drive in drives()}
    for driver in ("D1", "D2"):
        usual, aggressive = (judged[f"{driver}-{how}-SECONDARY"].share for how in ("NORMAL1", "AGGRESSIVE"))
        assert aggressive >= 1.5 * usual > 0
    for drive in judged.values():
        assert drive.episodes
        assert all((drive.inside(episode) & drive.above).sum() >= 10 for episode in drive.episodes)


@pytest.mark.long
@pytest.mark.usefixtures("benchmarks")
def test_right_turns_of_labelled_drives(shared_data: Path) -> None:
    """Through the files, as `kerbsafe replay` reads them."""
    from labelled_drives import scorer  # noqa: PLC0415 - a script, importable only with its folder on the path

    labels = json.loads((shared_data / "data/tracks/turns/labels.json").read_text("utf-8"))
    drives = recordings.read(sorted((shared_data / "data/tracks/turns").glob("*.csv")))
    context = Context(Rulebooks([documents.default()]), replay.UniformFacts())
    turns = replay.settled(drives.fixes, context).turns
    turns = turns.take(turns.kind == Kind.TURN)
    rows: list[dict[str, Any]] = []
    for vehicle, entered_us, exited_us in zip(
        turns.vehicle_id.tolist(), turns.entered_us.tolist(), turns.exited_us.tolist(), strict=True
    ):
        drive = drives.drives[vehicle]
        span = [(time_us - drive.origin_us) / MICROSECONDS for time_us in (entered_us, exited_us)]
        rows.append({"track": drive.track, "entered_s": span[0], "exited_s": span[1]})
    figures = scorer().score(rows, labels)
    assert figures["recall"] >= 0.985
    assert figures["false_per_100_km"] <= 2.2
    assert figures["wrong_side"] <= 6
    assert figures["median_apex_error_s"] <= 1.5

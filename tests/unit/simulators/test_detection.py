"""What the engine finds in what trucks send, scored against what they did: the loop that all this is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.words.transitions import Change, Rule
from fleet.columns import Fixes
from fleet.wire.batch import Published
from fleet.wire.v1.decoding import decode
from kerbsafe.cli import main
from simulators import scenario, score, writing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from simulators.scenario import Plan

START_US = 1_772_402_400_000_000


class Facts(replay.UniformFacts):
    """The class limits of a plan's trucks."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._limits = np.array([truck.kind.limit_kmh for truck in plan.trucks], np.int16)

    def at(
        self, vehicle_id: NDArray[np.int32], time_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int16]]:
        company, kind, limit = super().at(vehicle_id, time_us)
        return company, kind, np.broadcast_to(self._limits[vehicle_id], limit.shape)


def episodes(plan: Plan, fixes: Fixes) -> list[dict[str, Any]]:
    """Return the settled speeding episodes, as `kerbsafe replay --json` prints them."""
    context = Context(Rulebooks([documents.default()]), Facts(plan))
    found = replay.settled(fixes, context).transitions
    found = found.take(found.rule == Rule.SPEEDING)
    ended = found.take((found.change == Change.CLOSED) | (found.change == Change.LOST))
    return [
        {
            "kind": "speeding",
            "vehicle": plan.trucks[vehicle].code,
            "started_s": started / 1e6,
            "ended_s": end / 1e6,
        }
        for vehicle, started, end in zip(
            ended.vehicle_id.tolist(), ended.started_us.tolist(), ended.ended_us.tolist(), strict=True
        )
    ]


def scored(plan: Plan, fixes: Fixes) -> dict[str, Any]:
    figures = score.score(
        score.truth_events(plan.truth),
        score.detected_events(episodes(plan, fixes)),
        faults=writing.fault_rows(plan),
    )
    speeding: dict[str, Any] = figures["kinds"]["speeding"]
    return speeding


def received(plan: Plan) -> Fixes:
    """Return everything that can be read of what was sent, one row for each vehicle and time."""

    numbers = {truck.code: truck.number for truck in plan.trucks}

    class Known:
        def find(self, _company: str, vehicle: str, /) -> int:
            return numbers[vehicle]

    sent = [Published(m.topic, m.payload) for batch in plan.messages() for m in batch]
    return decode(sent, Known()).fixes


def test_calm_raises_nothing() -> None:
    plan = scenario.build("calm", 4, trucks=40, duration_s=1800, start_us=START_US)
    row = scored(plan, Fixes.concat(list(plan.columns())))
    assert (row["truth"], row["detected"]) == (0, 0)


def test_rush_is_found_whole_and_nothing_else(rush: Plan) -> None:
    """Every planned speeding, no other, each within 2 s."""
    row = scored(rush, Fixes.concat(list(rush.columns())))
    assert row["truth"] > 10
    assert row["recall"]["value"] == 1.0
    assert row["precision"]["value"] == 1.0
    assert row["start_error_s"]["max_abs"] <= 2.0
    assert row["end_error_s"]["max_abs"] <= 2.0


def test_demo_of_a_minute_has_something_to_find() -> None:
    """Even the outage, which hides one episode whole, hides nothing after the back-fill."""
    for seed in range(1, 6):
        plan = scenario.build("demo", seed, trucks=20, duration_s=60, start_us=START_US)
        row = scored(plan, received(plan))
        assert row["truth"] >= 3
        assert row["matched"] == row["truth"]
        assert row["false"] == row["split"] == 0
        assert len(plan.planned_outages) == 1


def test_storm_is_found_but_for_what_cannot_be_seen() -> None:
    plan = scenario.build("storm", 9, trucks=40, duration_s=2400, start_us=START_US)
    row = scored(plan, received(plan))
    assert row["truth"] > 15
    assert row["recall"]["value"] >= 0.8
    assert row["recall_observable"]["value"] == 1.0
    assert row["precision"]["value"] >= 0.95


def scored_from_files(folder: Path, capsys: pytest.CaptureFixture[str], *plan: str) -> dict[str, Any]:
    """Simulate, replay with the city's fences and registry, and score: as a person types it."""
    files = {name: str(folder / name) for name in (writing.MESSAGES, writing.FENCES, writing.REGISTRY)}
    assert main(["simulate", *plan, "--out", str(folder)]) == 0
    known = ["--fences", files[writing.FENCES], "--registry", files[writing.REGISTRY]]
    capsys.readouterr()
    assert main(["replay", files[writing.MESSAGES], *known, "--json"]) == 0
    (folder / "detected.ndjson").write_text(capsys.readouterr().out, "utf-8")
    assert main(["score", str(folder / writing.TRUTH), str(folder / "detected.ndjson"), "--json"]) == 0
    kinds: dict[str, Any] = json.loads(capsys.readouterr().out)["kinds"]
    return kinds


def test_every_danger_of_the_rush_is_found_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Within 2 s; of right turns as rows the place of a slow arc's end is less sure."""
    plan = ("--scenario", "rush", "--seed", "3", "--trucks", "24", "--hours", "0.6")
    kinds = scored_from_files(tmp_path, capsys, *plan)
    assert {kind for kind, row in kinds.items() if row["truth"]} >= {
        *("speeding", "right_turn", "turn_too_fast", "rollover_margin", "no_stop", "conflict", "forbidden"),
    }
    for kind, row in kinds.items():
        assert row["missed"] == row["false"] == row["split"] == 0, kind
        if row["truth"] and kind != "right_turn":
            assert max(row["start_error_s"]["max_abs"], row["end_error_s"]["max_abs"]) <= 2, kind


@pytest.mark.parametrize("scenario_name", ["calm", "tunnel"])
def test_nothing_false_is_found_and_nothing_missed(
    scenario_name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of lawful driving only turns are told; what is back-filled is found."""
    plan = ("--scenario", scenario_name, "--seed", "2", "--trucks", "8", "--hours", "0.2")
    kinds = scored_from_files(tmp_path, capsys, *plan)
    assert kinds["right_turn"]["truth"] > 3
    for kind, row in kinds.items():
        assert row["missed"] == row["false"] == row["split"] == 0, kind
        assert scenario_name != "calm" or kind == "right_turn" or row["detected"] == 0


@pytest.mark.long
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_storm_hides_only_what_its_faults_explain(
    seed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After settling, 95 in 100 of the gravest speeding are found."""
    plan = ("--scenario", "storm", "--seed", seed, "--trucks", "100", "--hours", "1")
    kinds = scored_from_files(tmp_path, capsys, *plan)
    for kind, row in kinds.items():
        if row["truth"]:
            assert row["recall_observable"]["value"] == 1.0, kind
            assert row["precision"]["value"] >= 0.9, kind
    assert kinds["speeding"]["critical"]["recall"]["value"] >= 0.95

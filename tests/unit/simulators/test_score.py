from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import score
from simulators.errors import SimulatorError


def happened(
    begin: float, end: float, kind: str = "speeding", vehicle: str = "a", **more: Any
) -> dict[str, Any]:
    return {"kind": kind, "vehicle": vehicle, "started_us": begin * 1e6, "ended_us": end * 1e6, **more}


def found(begin: float, end: float, kind: str = "speeding", vehicle: str = "a") -> dict[str, Any]:
    return {"kind": kind, "vehicle": vehicle, "started_s": begin, "ended_s": end}


def figures(truth: list[dict[str, Any]], detected: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    shift_s = options.pop("shift_s", 0.0)
    scored = score.score(score.truth_events(truth), score.detected_events(detected, shift_s), **options)
    kinds: dict[str, Any] = scored["kinds"]
    return kinds


@pytest.mark.parametrize(
    ("truth", "detected", "matched", "missed", "false", "split"),
    [
        ([happened(10, 30)], [found(11, 31)], 1, 0, 0, 0),
        ([happened(10, 30)], [], 0, 1, 0, 0),
        ([], [found(11, 31)], 0, 0, 1, 0),
        ([happened(10, 30)], [found(32, 40)], 1, 0, 0, 0),  # within the tolerance of 3 s
        ([happened(10, 30)], [found(34, 40)], 0, 1, 1, 0),
        ([happened(10, 30)], [found(10, 15), found(18, 30)], 1, 0, 0, 1),
        ([happened(10, 30)], [found(10, 30, vehicle="b")], 0, 1, 1, 0),
        ([happened(10, 30), happened(50, 70)], [found(10, 70)], 1, 1, 0, 0),
        ([happened(10, 30, care=False)], [found(10, 30)], 0, 0, 0, 0),
        ([happened(10, 30, care=False)], [], 0, 0, 0, 0),
        ([happened(10, 30, care=False), happened(29, 60)], [found(12, 58)], 1, 0, 0, 0),
    ],
)
def test_matching(
    truth: list[dict[str, Any]],
    detected: list[dict[str, Any]],
    matched: int,
    missed: int,
    false: int,
    split: int,
) -> None:
    row = figures(truth, detected)["speeding"]
    assert (row["matched"], row["missed"], row["false"], row["split"]) == (matched, missed, false, split)


def test_largest_overlap_wins() -> None:
    row = figures([happened(0, 100)], [found(0, 10), found(20, 99)])["speeding"]
    assert row["start_error_s"]["median"] == 20


def test_figures_of_a_small_set() -> None:
    """Three of four found, one false: recall 0.75, precision 0.75; early by 1 s at the median."""
    truth = [happened(100 * i, 100 * i + 20) for i in range(1, 5)]
    detected = [found(99, 120), found(199, 222), found(301, 320), found(900, 910)]
    row = figures(truth, detected)["speeding"]
    assert row["recall"]["value"] == 0.75
    assert row["precision"]["value"] == 0.75
    assert row["start_error_s"] == {"median": -1.0, "p95_abs": 1.0, "max_abs": 1.0}
    assert row["end_error_s"]["max_abs"] == 2.0
    assert row["misses"][0]["cause"] == "unexplained"


@pytest.mark.parametrize(
    ("hits", "of", "lower", "upper"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson(hits: int, of: int, lower: float, upper: float) -> None:
    """The third is Newcombe's published example (1998, Statistics in Medicine 17:857)."""
    assert score.wilson(hits, of) == pytest.approx((lower, upper), abs=1e-4)


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilson_holds_the_share(hits: int, more: int) -> None:
    interval = score.wilson(hits, hits + more)
    assert interval is not None
    assert 0 <= interval[0] <= hits / (hits + more) <= interval[1] <= 1


def test_nothing_to_count_is_no_share() -> None:
    row = figures([], [])["speeding"]
    assert row["recall"] == {"value": None, "lower": None, "upper": None, "reason": "nothing to count"}


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"kind": "outage", "started_us": 5e6, "ended_us": 50e6, "backfilled": False}, "outage"),
        ({"kind": "outage", "started_us": 5e6, "ended_us": 50e6, "backfilled": True}, "unexplained"),
        ({"kind": "outage", "started_us": 50e6, "ended_us": 90e6, "backfilled": False}, "unexplained"),
        ({"kind": "sparse", "interval_s": 40.0}, "sparse"),
        ({"kind": "frozen", "started_us": 20e6, "ended_us": 25e6}, "frozen"),
        ({"kind": "wrong_datum"}, "wrong_datum"),
    ],
)
def test_causes_of_misses(fault: dict[str, Any], cause: str) -> None:
    row = figures([happened(10, 30)], [], faults=[{"vehicle": "a", **fault}])["speeding"]
    assert row["causes"] == {cause: 1}
    assert row["recall_observable"]["value"] == (0.0 if cause == "unexplained" else None)


def test_a_camera_that_overlooked_somebody_explains_a_conflict_and_nothing_else() -> None:
    fault = {"kind": "overlooked", "vehicle": "a", "started_us": 10e6, "ended_us": 30e6}
    rows = figures([happened(10, 30, "conflict"), happened(10, 30)], [], faults=[fault])
    assert rows["conflict"]["causes"] == {"overlooked": 1}
    assert rows["speeding"]["causes"] == {"unexplained": 1}


def test_kinds_that_nobody_detects_are_named_not_scored() -> None:
    truth = [happened(1, 2, "passing"), happened(1, 2)]
    scored = score.score(score.truth_events(truth), [])
    assert set(scored["kinds"]) == {"speeding"}
    assert scored["not_scored"] == ["passing"]
    assert set(score.score(score.truth_events(truth), [], kinds=["passing"])["kinds"]) == {"passing"}


def test_played_times_are_shifted_back() -> None:
    row = figures([happened(10, 30)], [found(1010, 1030)], shift_s=1000.0)["speeding"]
    assert row["start_error_s"]["median"] == 0


def test_turns_have_other_words_for_their_ends() -> None:
    turn = {"kind": "right_turn", "track": "a", "entered_s": 10, "exited_s": 15}
    row = figures([happened(10, 15, "right_turn")], [turn])["right_turn"]
    assert row["matched"] == 1


def test_rules_are_scored_against_the_dangers_that_they_find() -> None:
    """A rule that found nothing is scored too; a visit is no danger, and nobody wrote its truth."""
    truth = [happened(10, 20, "turn_too_fast"), happened(30, 40, "no_stop"), happened(50, 60, "permitted")]
    detected = [found(10, 20, "right_turn_fast"), found(51, 60, "left_permitted"), found(1, 99, "site")]
    scored = score.score(score.truth_events(truth), score.detected_events(detected))
    recall = {kind: row["recall"]["value"] for kind, row in scored["kinds"].items()}
    assert recall == {"turn_too_fast": 1, "no_stop": 0, "permitted": 1, "speeding": None}
    assert (scored["not_scored"], scored["without_truth"]) == ([], ["site"])


@pytest.mark.parametrize("row", [{"kind": "speeding"}, {"vehicle": "a", "started_s": 1}, {}])
def test_a_detection_without_who_or_when_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(SimulatorError, match="detection 1 lacks"):
        score.detected_events([row])


def test_critical_rows_are_counted_apart() -> None:
    truth = [happened(10, 30, critical=True), happened(50, 70, critical=True), happened(90, 99)]
    row = figures(truth, [found(10, 30)])["speeding"]
    assert (row["critical"]["matched"], row["critical"]["recall"]["value"]) == (1, 0.5)

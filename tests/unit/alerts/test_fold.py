"""A record is folded in goes: they change nothing, and between two of them it can be ended."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from alerts.episodes.episodes import collect
from alerts.live import replay
from fleet.columns import Fixes
from tests.unit.alerts.tracks import context, track

JUDGE = context()
SPEEDS = st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0, 50, 90])), min_size=1, max_size=6)


def drive(speeds: list[tuple[int, int]], vehicle_id: int) -> Fixes:
    text, at_s = [], 0
    for length_s, speed in speeds:
        text.append(f"{at_s}..{at_s + length_s - 1}:{speed}")
        at_s += length_s
    return track(" ".join(text), vehicle_id=vehicle_id)


@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(one=SPEEDS, other=SPEEDS, steps=st.integers(1, 50))
def test_goes_of_any_length_judge_the_same(
    one: list[tuple[int, int]], other: list[tuple[int, int]], steps: int
) -> None:
    fixes, calls = Fixes.concat([drive(one, 1), drive(other, 2)]), []
    whole, expected = replay.fold(fixes, JUDGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "STEPS_AT_ONCE", steps)
        state, judgement = replay.fold(fixes, JUDGE, lambda: calls.append(1))
    assert collect(judgement.transitions, JUDGE.rulebooks) == collect(expected.transitions, JUDGE.rulebooks)
    assert sorted(judgement.segments.started_us.tolist()) == sorted(expected.segments.started_us.tolist())
    assert str(state["motion"].tolist()) == str(whole["motion"].tolist())
    longest = max(sum(length for length, _ in speeds) for speeds in (one, other))
    assert len(calls) == -(-longest // steps)


def test_a_fold_ends_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "STEPS_AT_ONCE", 10)
    calls: list[int] = []

    def end_at_the_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        replay.fold(track("0..99:50"), JUDGE, end_at_the_third)
    assert len(calls) == 3

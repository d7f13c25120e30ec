"""Settling right turns: which stored one is which, by when it was entered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alerts.episodes.pairing import Verdict
from alerts.episodes.turn_records import StoredTurn, Turn, missed, settle
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    import uuid

TURN = Turn(
    vehicle_id=1,
    kind="turn",
    entered_us=0,
    exited_us=6 * MICROSECONDS,
    lat_udeg=30_700_000,
    lon_udeg=120_750_000,
    entry_course_deg=0.0,
    course_change_deg=88.0,
    entry_kmh=18.0,
    min_kmh=11.0,
    max_kmh=18.0,
    path_m=21.0,
    radius_m=12.0,
    lateral_g=0.11,
    approach_kmh=16.0,
    approach_stood_s=0.0,
    interval_s=1.0,
    longest_s=1.0,
    indicator=True,
    loaded=None,
    junction_id=None,
    stop=None,
    reason=None,
    confidence=0.9,
    armed=True,
    conflicts=0,
    rulebook="r1",
)


def judged(at_s: float, *, vehicle: int = 1, max_kmh: float = 18.0) -> Turn:
    return replace(TURN, vehicle_id=vehicle, entered_us=round(at_s * MICROSECONDS), max_kmh=max_kmh)


def stored(at_s: float, status: str = "provisional", *, vehicle: int = 1, added: bool = False) -> StoredTurn:
    turn = judged(at_s, vehicle=vehicle)
    settled_as = {"provisional": None, "settled": Verdict.CONFIRMED, "withdrawn": Verdict.WITHDRAWN}[status]
    return StoredTurn(turn.id, turn, status, Verdict.ADDED if added else settled_as)


@pytest.mark.parametrize(
    ("rows", "turns", "verdicts"),
    [
        pytest.param([stored(0)], [judged(0)], {"confirmed": 1}, id="judged the same"),
        pytest.param([stored(0)], [judged(0, max_kmh=19)], {"amended": 1}, id="with another speed"),
        pytest.param([stored(0)], [judged(10)], {"amended": 1}, id="ten seconds later it is the same"),
        pytest.param([stored(0)], [judged(10.1)], {"added": 1, "withdrawn": 1}, id="farther it is another"),
        pytest.param(
            [stored(0)], [judged(0, vehicle=2)], {"added": 1, "withdrawn": 1}, id="of another vehicle"
        ),
        pytest.param([], [judged(0)], {"added": 1}, id="live had missed it"),
        pytest.param([stored(0)], [], {"withdrawn": 1}, id="the record does not show it"),
        pytest.param([stored(0, "settled")], [judged(0)], {}, id="settled so already"),
        pytest.param([stored(0, "withdrawn")], [], {}, id="withdrawn already"),
        pytest.param([stored(0, "withdrawn")], [judged(0)], {"amended": 1}, id="withdrawn, and there"),
        pytest.param([stored(0, added=True)], [judged(0, max_kmh=19)], {"added": 1}, id="added stays added"),
    ],
)
def test_verdicts(rows: list[StoredTurn], turns: list[Turn], verdicts: dict[str, int]) -> None:
    found = [str(one.verdict) for one in settle(rows, turns)]
    assert {verdict: found.count(verdict) for verdict in found} == verdicts


def ids_by_entry(rows: list[StoredTurn], turns: list[Turn]) -> dict[int, uuid.UUID]:
    """The id of each turn, by when it was entered, seconds."""
    return {one.turn.entered_us // MICROSECONDS: one.id for one in settle(rows, turns) if one.turn}


def test_of_several_the_nearest_is_it_and_one_that_stands_before_one_withdrawn() -> None:
    """Turned twice, 8 s apart: each finds its own, whatever the order."""
    rows = [stored(0), stored(8), stored(7, "withdrawn")]
    ids = {
        one.turn.entered_us // MICROSECONDS: one.id
        for one in settle(rows, [judged(7), judged(1)])
        if one.turn
    }
    assert ids == {1: rows[0].id, 7: rows[1].id}


def test_an_id_that_another_turn_keeps_is_not_taken_twice() -> None:
    """The row that began at 0 is the turn at 9; the one that truly begins at 0 is new."""
    row = stored(0)
    ids = {
        one.turn.entered_us // MICROSECONDS: one.id
        for one in settle([row], [judged(9), judged(20)])
        if one.turn
    }
    assert ids[9] == row.id
    assert ids[20] == judged(20).id
    again = settle([replace(row, turn=judged(9))], [judged(9), judged(0)])
    assert len({one.id for one in again} | {row.id}) == 2


def test_of_a_segment_that_still_runs_only_what_was_missed_is_added() -> None:
    assert [one.verdict for one in missed([stored(0), stored(30)], [judged(1), judged(60)])] == [
        Verdict.ADDED
    ]

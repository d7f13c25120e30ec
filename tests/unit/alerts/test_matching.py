"""Settling, as a person would do it: which provisional episode is which settled one."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.episodes import matching
from alerts.episodes.episodes import Episode
from alerts.episodes.matching import StoredEpisode
from alerts.episodes.pairing import Verdict
from alerts.words.transitions import Rule

S = 1_000_000


def episode(start: int, end: int | None, *, vehicle: int = 1, peak: float = 80) -> Episode:
    return Episode(
        vehicle_id=vehicle,
        rule=Rule.SPEEDING,
        started_us=start * S,
        ended_us=None if end is None else end * S,
        ended_as=None if end is None else "closed",
        severity=2,
        peak=peak,
        limit=60,
        limit_source="class",
        rulebook="r1",
        measures={"distance_m": 10},
        decided_us=0,
    )


def stored(
    start: int, end: int | None, *, status: str = "provisional", vehicle: int = 1, **other: object
) -> StoredEpisode:
    like = episode(start, end, vehicle=vehicle)
    fields = {
        name: getattr(like, name) for name in StoredEpisode.__slots__ if hasattr(like, name) and name != "id"
    }
    settled_as = None if status == "provisional" else Verdict.CONFIRMED
    row = StoredEpisode(id=like.id, **fields, status=status, settled_as=settled_as)
    return replace(row, **other)


def verdicts(rows: list[StoredEpisode], judged: list[Episode]) -> list[tuple[str, int | None]]:
    """(verdict, start of the judgement in seconds) of each row that must be written."""
    return sorted(
        (str(s.verdict), None if s.episode is None else s.episode.started_us // S)
        for s in matching.settle(rows, judged)
    )


@pytest.mark.parametrize(
    ("rows", "judged", "expected"),
    [
        ([], [], []),
        ([(0, 20)], [(0, 20)], [("confirmed", 0)]),
        ([(5, 20)], [(0, 20)], [("amended", 0)]),
        ([(0, None)], [(0, 20)], [("amended", 0)]),
        ([], [(0, 20)], [("added", 0)]),
        ([(0, 20)], [], [("withdrawn", None)]),
        ([(0, 20)], [(20, 40)], [("added", 20), ("withdrawn", None)]),  # touching is not overlapping
        # live saw two, there was one: the larger part keeps its id, the other goes into it
        ([(0, 10), (15, 50)], [(0, 50)], [("amended", 0), ("withdrawn", None)]),
        # live saw one, there were two
        ([(0, 50)], [(0, 10), (15, 50)], [("added", 0), ("amended", 15)]),
    ],
)
def test_verdicts(
    rows: list[tuple[int, int | None]], judged: list[tuple[int, int]], expected: list[object]
) -> None:
    assert verdicts([stored(*row) for row in rows], [episode(*one) for one in judged]) == expected


def test_a_match_keeps_the_stored_id() -> None:
    row = stored(5, 20)
    assert matching.settle([row], [episode(0, 20)])[0].id == row.id


def test_what_was_merged_says_into_which() -> None:
    first, second = stored(0, 10), stored(15, 50)
    gone = [s for s in matching.settle([first, second], [episode(0, 50)]) if s.episode is None]
    assert [(s.id, s.merged_into) for s in gone] == [(first.id, second.id)]


def test_settling_again_without_news_writes_nothing() -> None:
    assert matching.settle([stored(0, 20, status="settled")], [episode(0, 20)]) == []
    assert matching.settle([stored(0, 20, status="withdrawn", settled_as=Verdict.WITHDRAWN)], []) == []


def test_a_withdrawn_episode_that_is_judged_again_revives() -> None:
    row = stored(0, 20, status="withdrawn", settled_as=Verdict.WITHDRAWN)
    (again,) = matching.settle([row], [episode(0, 20)])
    assert (again.id, again.verdict, again.is_new) == (row.id, Verdict.AMENDED, False)


def test_an_id_that_another_episode_keeps_is_not_taken_twice() -> None:
    """A row that began at 0 becomes the episode at 15; the one that truly begins at 0 gets the next id."""
    row = stored(0, 50)
    settled = {
        s.episode.started_us // S: s.id for s in matching.settle([row], [episode(0, 10), episode(15, 50)])
    }
    assert settled[15] == row.id
    assert settled[0] != row.id


def test_vehicles_are_not_mixed_up() -> None:
    assert verdicts([stored(0, 20, vehicle=1)], [episode(0, 20, vehicle=2)]) == [
        ("added", 0),
        ("withdrawn", None),
    ]


def test_two_fences_are_not_mixed_up() -> None:
    """Entered and left with the same fixes, they are two episodes with ids of their own."""
    east, west = (replace(episode(0, 20), measures={"fence": code}) for code in ("east", "west"))
    assert len({episode(0, 20).id, east.id, west.id}) == 3
    row = replace(stored(0, 20), id=west.id, measures={"fence": "west"})
    settlements = matching.settle([row], [east, west])
    assert [(s.id, str(s.verdict)) for s in settlements] == [(east.id, "added"), (west.id, "confirmed")]


def test_an_episode_of_one_fix_is_found_again() -> None:
    assert verdicts([stored(5, 5)], [episode(5, 5)]) == [("confirmed", 5)]
    assert verdicts([stored(5, 5)], [episode(5, 30)]) == [("amended", 5)]
    assert verdicts([stored(5, 5)], [episode(16, 16)]) == [("added", 16), ("withdrawn", None)]


def test_of_a_running_segment_only_what_live_has_missed_is_written() -> None:
    rows = [stored(0, 20), stored(100, None)]
    judged = [episode(0, 25), episode(40, 60), episode(100, None)]
    assert [(s.verdict, s.episode.started_us // S) for s in matching.missed(rows, judged)] == [("added", 40)]


def test_of_a_running_segment_what_was_added_is_followed() -> None:
    """It ends, or was nothing; the hot path's row beside it, which was nothing either, is left alone."""
    added = [replace(stored(at, None), settled_as=Verdict.ADDED) for at in (0, 40)]
    rows = [*added, stored(100, None), replace(stored(200, 210), settled_as=Verdict.ADDED)]
    found = matching.missed(rows, [episode(0, 25), episode(200, 210)])
    assert [(s.id, str(s.verdict), s.episode and s.episode.ended_us) for s in found] == [
        (added[0].id, "added", 25 * S),
        (added[1].id, "withdrawn", None),
    ]


def test_of_a_running_segment_what_was_withdrawn_is_added_again() -> None:
    gone = replace(stored(0, 0), status="withdrawn", settled_as=Verdict.WITHDRAWN)
    assert [(s.id, str(s.verdict)) for s in matching.missed([gone], [episode(0, 25)])] == [(gone.id, "added")]


intervals = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 60)).map(lambda t: (t[0], t[0] + t[1])),
    max_size=6,
    unique_by=lambda t: t[0],
)


@given(rows=intervals, judged=intervals)
def test_every_row_and_every_judgement_is_accounted_for_once(
    rows: list[tuple[int, int]], judged: list[tuple[int, int]]
) -> None:
    have, want = [stored(*row) for row in rows], [episode(*one) for one in judged]
    settled = matching.settle(have, want)
    assert sorted(s.episode.started_us for s in settled if s.episode) == sorted(e.started_us for e in want)
    assert {row.id for row in have} <= {s.id for s in settled}
    assert len({s.id for s in settled}) == len(settled)
    assert all(isinstance(s.merged_into, uuid.UUID | None) for s in settled)


@pytest.mark.parametrize(
    ("rows", "judged", "expected"),
    [
        ([10], [13], [("amended", 13)]),
        ([10], [19], [("amended", 19)]),
        ([10], [20], [("added", 20), ("withdrawn", None)]),
        ([10, 16], [14], [("amended", 14), ("withdrawn", None)]),
        ([10, 14], [12, 19], [("amended", 12), ("amended", 19)]),
    ],
)
def test_instants_are_matched_by_the_nearest_start_within_ten_seconds(
    rows: list[int], judged: list[int], expected: list[tuple[str, int | None]]
) -> None:
    """As conflicts whose only detection is dated otherwise once the camera's clock is known better."""
    found = verdicts([stored(at, at) for at in rows], [episode(at, at) for at in judged])
    assert found == expected
    kept = {
        s.id for s in matching.settle([stored(at, at) for at in rows], [episode(at, at) for at in judged])
    }
    if rows == [10, 16]:
        assert stored(16, 16).id in kept


INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([0, 1, 5, 30, None]), st.sampled_from([1, 2])), max_size=8
)


def ended(start: int, length: int | None) -> int | None:
    return None if length is None else start + length


@given(rows=INTERVALS, judged=INTERVALS, withdrawn=st.sets(st.integers(0, 7)))
def test_who_is_near_in_time_is_found_as_if_all_were_compared(
    rows: list[tuple[int, int | None, int]], judged: list[tuple[int, int | None, int]], withdrawn: set[int]
) -> None:
    standing = [
        stored(start, ended(start, length), vehicle=vehicle, id=uuid.UUID(int=place))
        if place not in withdrawn
        else stored(start, ended(start, length), vehicle=vehicle, id=uuid.UUID(int=place), status="withdrawn")
        for place, (start, length, vehicle) in enumerate(rows)
    ]
    found = [episode(start, ended(start, length), vehicle=vehicle) for start, length, vehicle in judged]
    pairs = sorted(
        (row.status == "withdrawn", -overlap, one.started_us, row.started_us, index, row.id)
        for index, one in enumerate(found)
        for row in standing
        if row.vehicle_id == one.vehicle_id and (overlap := matching._overlap_us(row, one)) > 0
    )
    expected: dict[int, uuid.UUID] = {}
    for *_order, index, row_id in pairs:
        if index not in expected and row_id not in expected.values():
            expected[index] = row_id
    assert {index: row.id for index, row in matching.matches(standing, found).items()} == expected


def test_thousands_are_matched_without_comparing_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one unit can be made to have done in a month."""
    compared, overlap_us = [], matching._overlap_us

    def counted(row: StoredEpisode, one: Episode) -> float:
        compared.append(1)
        return overlap_us(row, one)

    monkeypatch.setattr(matching, "_overlap_us", counted)
    rows = [stored(start, start + 30) for start in range(0, 60_000, 60)]
    judged = [episode(start, start + 40) for start in range(0, 60_000, 60)]
    assert len(matching.settle(rows, judged)) == 1_000
    assert len(compared) == 1_000

"""When data may be missing, from what was known and what is known now."""

from __future__ import annotations

import pytest

from ingest.mqtt.gaps import DROPPED, Gap, Known, Source, Told, Up, dropped, forgotten

S = 1_000_000
LIVE = "kerbsafe.ingest-live"


def up(second: int, *, resumed: bool) -> Up:
    return Up(LIVE, second * S, resumed)


@pytest.mark.parametrize(
    ("ups", "known_s", "expected"),
    [
        ([], 100, []),
        ([up(200, resumed=True)], 100, []),
        # Also of an ingest that has not lived through it: the database remembers that there was a session.
        ([up(200, resumed=False)], 100, [(100, 200)]),
        # A new installation has lost nothing.
        ([up(200, resumed=False)], None, []),
        ([up(200, resumed=False), up(300, resumed=False)], 100, [(100, 200), (200, 300)]),
        ([up(200, resumed=True), up(300, resumed=False)], 100, [(200, 300)]),
        ([up(200, resumed=False), up(300, resumed=False)], None, [(200, 300)]),
        # A clock that was set back gives no gap that ends before it begins.
        ([up(90, resumed=False)], 100, [(90, 90)]),
    ],
)
def test_a_session_that_was_known_and_is_new_is_a_gap(
    ups: list[Up], known_s: int | None, expected: list[tuple[int, int]]
) -> None:
    before = None if known_s is None else Known(LIVE, known_s * S)
    assert forgotten(ups, before) == [
        Gap("session_forgotten", begins * S, ends * S, LIVE) for begins, ends in expected
    ]


@pytest.mark.parametrize(
    ("before", "figure", "started_s", "expected"),
    [
        (None, 800, 0, []),  # what it dropped before we knew it is nobody's loss
        (0, 0, 0, []),
        (0, 800, 0, [("queue_full", 85, 1000, 800)]),
        (800, 800, 0, []),
        (800, 801, 0, [("queue_full", 85, 1000, 1)]),
        # Started anew soon after it was heard: no queue fills in five minutes.
        (800, 5, 300, [("queue_full", 85, 1000, 5)]),
        (800, 900, 300, [("queue_full", 85, 1000, 900)]),
        (800, 0, 400, []),
        # Long after: what it had thrown away before, nobody can know.
        (800, 0, 401, [("broker_restarted", 85, 401, None)]),
        (800, 5, 401, [("broker_restarted", 85, 401, None), ("queue_full", 401, 1000, 5)]),
    ],
)
def test_what_the_broker_dropped_since_it_was_known(
    before: int | None, figure: int, started_s: int, expected: list[tuple[Source, int, int, int | None]]
) -> None:
    known = None if before is None else Known(DROPPED, 100 * S, before)
    assert dropped(Told(figure, started_s * S), known, 1000 * S) == [
        Gap(source, from_s * S, until_s * S, messages=messages)
        for source, from_s, until_s, messages in expected
    ]

"""When data may be missing, from what was known and what is known now."""

from __future__ import annotations

import pytest

from ingest.mqtt.gaps import DROPPED, Gap, Known, Up, dropped, forgotten

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
    ("before", "figure", "lost"),
    [
        (None, 800, None),  # what it dropped before we knew it is nobody's loss
        (0, 0, None),
        (0, 800, 800),
        (800, 800, None),
        (800, 801, 1),
        (800, 5, 5),  # the broker was started anew
        (800, 0, None),
    ],
)
def test_what_the_broker_dropped_since_it_was_known(
    before: int | None, figure: int, lost: int | None
) -> None:
    known = None if before is None else Known(DROPPED, 100 * S, before)
    expected = [] if lost is None else [Gap("queue_full", 85 * S, 200 * S, messages=lost)]
    assert dropped(figure, known, 200 * S) == expected

"""What the settler judges next: segments [0,100) [100,200) [200,300) and one from 300 that runs."""

from __future__ import annotations

import pytest

from alerts.settling.stretches import Dirty, Segment, Stretch, extended, first_stretch, inside


def timeline(settled: str = "yyy.", *, at_rest: bool = False) -> list[Segment]:
    """A letter a segment: y settled, n not."""
    starts = [0, 100, 200, 300][: len(settled)]
    return [
        Segment(
            start,
            None if place == len(starts) - 1 else start + 100,
            letter == "y",
            at_rest and place == len(starts) - 1,
        )
        for place, (start, letter) in enumerate(zip(starts, settled, strict=True))
    ]


@pytest.mark.parametrize(
    ("segments", "dirty", "expected"),
    [
        (timeline(), [], None),
        (timeline("yyn."), [], (200, 300)),
        (timeline("nnn."), [], (0, 300)),
        (timeline("nyn."), [], (0, 100)),
        (timeline(at_rest=True), [], (300, None)),
        (timeline("yyn.", at_rest=True), [], (200, None)),
        # late fixes: from the segment that holds the earliest
        (timeline(), [(150, 160)], (100, 200)),
        (timeline(), [(150, 250)], (100, 300)),
        (timeline(), [(150, 350)], (100, None)),
        (timeline(), [(350, 360)], (300, None)),
        # the boundary itself belongs to the later segment
        (timeline(), [(200, 200)], (200, 300)),
        # before all that is known, and where nothing is known
        (timeline(), [(-50, -40)], (-50, 0)),
        ([], [(50, 60)], (50, None)),
    ],
)
def test_first_stretch(
    segments: list[Segment], dirty: list[tuple[int, int]], expected: tuple[int, int | None] | None
) -> None:
    rows = [Dirty(n, *row) for n, row in enumerate(dirty)]
    found = first_stretch(7, segments, rows)
    assert found == (None if expected is None else Stretch(7, *expected))


def test_a_stretch_grows_by_one_segment_at_a_time() -> None:
    stretch = Stretch(7, 0, 100)
    assert extended(stretch, timeline()) == Stretch(7, 0, 200)
    assert extended(Stretch(7, 200, 300), timeline()) == Stretch(7, 200, None)
    assert extended(Stretch(7, 300, None), timeline()) == Stretch(7, 300, None)


def test_exactly_the_dirty_rows_inside_are_done() -> None:
    """Not those that reach beyond the stretch, nor those younger than what was judged."""
    rows = [Dirty(1, 100, 150), Dirty(2, 150, 199), Dirty(3, 150, 200), Dirty(4, 90, 120)]
    assert inside(Stretch(7, 100, 200), rows, judged_until_us=1000) == [1, 2]
    assert inside(Stretch(7, 100, None), rows, judged_until_us=199) == [1, 2]

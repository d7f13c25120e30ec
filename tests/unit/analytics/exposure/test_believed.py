"""The positions that count are those that the engine believes, fix by fix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.folding import motion
from analytics.exposure.believed import believed
from fleet.columns import Fixes, FixFlag
from tests.unit.analytics.exposure.drives import RULES, fixes


def folded(drive: Fixes) -> tuple[list[bool], list[bool]]:
    """Judge fix after fix, as the engine does."""
    state = motion.blank(1)
    trusted, cut = [], []
    for row in range(len(drive)):
        moved = motion.step(state, drive.take(slice(row, row + 1)), RULES)
        state = moved.after
        trusted.append(bool(moved.trusted[0]))
        cut.append(bool(moved.cut[0]))
    return trusted, cut


PIECE = st.tuples(
    st.integers(1, 12),  # fixes
    st.sampled_from([1, 1, 2, 5, 10, 40]),  # seconds between them
    st.sampled_from([0, 0, 10, 36, 90]),  # km/h
    st.sampled_from([0, 0, 0, 45, 60, 400, 3000]),  # metres aside
    st.sampled_from(["tells", "tells", "silent", "zero", "frozen", "lost"]),
)


def drive(pieces: list[tuple[int, int, int, int, str]], vehicle_id: int = 1) -> Fixes:
    at_s, east, north, speed, flags = [0.0], [0.0], [0.0], [-0.1], [0]
    for many, every_s, kmh, aside, how in pieces:
        for _ in range(many):
            at_s.append(at_s[-1] + every_s)
            east.append(east[-1] + (0 if how == "frozen" else kmh / 3.6 * every_s))
            north.append(aside)
            speed.append({"silent": -0.1, "zero": 0.0}.get(how, float(kmh)))
            flags.append(FixFlag.NO_POSITION if how == "lost" else 0)
    return fixes(at_s, east, north, speed_kmh=speed, flags=flags, vehicle_id=vehicle_id)


@given(st.lists(PIECE, min_size=1, max_size=8), st.lists(PIECE, max_size=4))
@settings(max_examples=150, deadline=None)
def test_it_believes_what_the_engine_believes(
    one: list[tuple[int, int, int, int, str]], other: list[tuple[int, int, int, int, str]]
) -> None:
    drives = [drive(one, 1), drive(other, 2)]
    told = believed(Fixes.concat(drives), RULES)
    begins = 0
    for each in drives:
        trusted, cut = folded(each)
        own = slice(begins, begins + len(each))
        assert told.trusted[own].tolist() == trusted
        assert told.cut[own].tolist() == cut
        begins += len(each)


@pytest.mark.parametrize("aside", [1, 3, 40])
def test_a_jump_is_doubted_and_nothing_else(aside: int) -> None:
    at_s = np.arange(200.0)
    north = np.zeros(200)
    north[100 : 100 + aside] = 2000
    told = believed(fixes(at_s, at_s * 0, north, speed_kmh=0), RULES)
    assert np.flatnonzero(~told.trusted).tolist() == list(range(100, 100 + aside))
    assert not told.cut.any()

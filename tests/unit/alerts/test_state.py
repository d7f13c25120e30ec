"""A checkpoint is read by the layout that wrote it, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.engine import engine
from alerts.engine.state import ENGINE_VERSION, MEANING, EngineState, fits
from alerts.folding.memory import version_of
from alerts.rules import fatigue
from tests.unit.alerts.tracks import context, track

FIELDS = [(name, fatigue.STATE[name].str) for name in fatigue.STATE.names or ()]
SWAPPED = [*FIELDS[1::-1], *FIELDS[2:]]
RENAMED = [("newest_us", FIELDS[0][1]), *FIELDS[1:]]
NARROWER = [*FIELDS[:-2], (FIELDS[-2][0], "<i2"), FIELDS[-1]]


@pytest.mark.parametrize("fields", [SWAPPED, RENAMED, NARROWER, FIELDS[:-1]])
def test_another_layout_is_another_version(fields: list[tuple[str, str]]) -> None:
    """Two fields that change places are as long as before, and mean something else."""
    assert version_of([np.dtype(fields, align=True)], MEANING) != version_of(
        [np.dtype(FIELDS, align=True)], MEANING
    )


def test_the_same_layout_is_the_same_version_until_its_meaning_changes() -> None:
    again = np.dtype(FIELDS, align=True)
    assert version_of([again], MEANING) == version_of([fatigue.STATE], MEANING)
    assert version_of([again], MEANING + 1) != version_of([again], MEANING)
    assert 0 < ENGINE_VERSION < 2**31, "the store keeps it as an integer"


def test_what_is_cut_short_is_not_loaded() -> None:
    state = EngineState()
    engine.advance(state, track("0..20:80"), context())
    packed = state.pack(0)
    assert fits(packed)
    assert not any(fits(cut) for cut in (b"", packed[:-1], packed + b"x"))

"""Which settled episodes may have been an accident."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from analytics.ledger.candidates.rule import Candidate, Episode, Why, candidates
from fleet.columns import Fixes

AT, S = 1_700_000_000_000_000, 1_000_000


def episode(rule: str, severity: int = 1) -> Episode:
    return Episode(UUID(int=1), rule, severity, AT - 2 * S, AT)


def after(*speeds: tuple[int, int, float], every_s: int = 10) -> Fixes:
    """Fixes from a second to another after the episode, at a speed."""
    seconds = np.concatenate([np.arange(begin, end, every_s) for begin, end, _ in speeds])
    kmh = np.concatenate(
        [np.full(len(np.arange(begin, end, every_s)), speed) for begin, end, speed in speeds]
    )
    north_m = np.cumsum(kmh / 3.6 * every_s)
    return Fixes.build(
        vehicle_id=1,
        time_us=AT + seconds * S,
        lat_udeg=30_750_000 + np.round(north_m * 9),
        lon_udeg=120_760_000,
        speed_dkmh=np.round(kmh * 10),
    )


@pytest.mark.parametrize(
    ("rule", "severity", "fixes", "why", "stood_s", "silent"),
    [
        ("harsh_braking", 1, after((10, 30, 20), (30, 660, 0)), Why.BRAKING_AND_STAY, 620, False),
        ("harsh_braking", 1, after((10, 30, 20), (30, 300, 0), (300, 660, 40)), None, None, False),
        ("harsh_braking", 1, after((10, 100, 20), (100, 660, 0)), None, None, False),  # stood too late
        ("harsh_braking", 1, after((10, 660, 40)), None, None, False),
        ("harsh_braking", 1, Fixes.empty(), Why.BRAKING_AND_STAY, None, True),
        ("right_turn_lateral", 3, Fixes.empty(), Why.ROLLOVER, None, False),
        ("conflict", 4, after((10, 20, 10), (20, 150, 0)), Why.CONFLICT_AND_STOP, 120, False),
        ("conflict", 4, after((10, 60, 20)), None, None, False),
        ("conflict", 3, after((10, 150, 0)), None, None, False),
        ("speeding", 4, after((10, 660, 0)), None, None, False),
    ],
)
def test_what_may_have_been_an_accident(
    rule: str, severity: int, fixes: Fixes, why: Why | None, stood_s: int | None, silent: bool
) -> None:
    one = episode(rule, severity)
    expected = [] if why is None else [Candidate(one, why, stood_s, silent)]
    assert candidates([(one, fixes)]) == expected

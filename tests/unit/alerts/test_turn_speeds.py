"""Turns of units whose reported speed is late or wrong; turning back; bends: what is said, and counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alerts.episodes.turn_records import Turn, collect
from alerts.in_force.watch import Watch
from alerts.rules.camera import blind_spot, conflicts
from fleet.columns import Fixes
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS
from kerbsafe.replay.replay_rows import row
from tests.unit.alerts import sights
from tests.unit.alerts.turn_tracks import START_US, UDEG_PER_M, context, dangers, driven, judged, way
from tests.unit.fleet.fences.shapes import fence, rectangle


def braked(lag_s: float, scale: float = 1.0, *, turn_kmh: float = 22, seed: int = 0) -> Fixes:
    """Down from 70 km/h at 2.5 m/s² to a right angle of 10 m radius, and up again; positions to 0.7 m."""
    line = way(400, 90, 400, radius_m=10)
    at_m = np.arange(len(line.x_m)) * 0.25
    off_m = np.maximum(np.maximum(400 - at_m, at_m - 400 - 10 * np.pi / 2), 0)
    mps = np.minimum(np.sqrt((turn_kmh / 3.6) ** 2 + 2 * 2.5 * off_m), 70 / 3.6)
    at_s = np.cumsum(0.25 / mps)
    time_s = np.arange(6, at_s[-1] - 1)
    noise = np.random.default_rng(seed).normal(0, 0.7, (2, len(time_s)))
    x, y = (np.interp(time_s, at_s, along) + off for along, off in zip(line[:2], noise, strict=True))
    return Fixes.build(
        vehicle_id=1,
        time_us=START_US + (time_s * MICROSECONDS).astype(np.int64),
        lat_udeg=np.rint(y * UDEG_PER_M),
        lon_udeg=120_000_000 + np.rint(x * UDEG_PER_M),
        speed_dkmh=np.rint(np.interp(time_s - lag_s, at_s, mps * 36) * scale),
    )


def rows(fixes: Fixes, watch: Watch | None = None) -> list[Turn]:
    return collect(judged(fixes, watch).turns, context().rulebooks)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("lag_s", "scale"), [(2, 1.19), (3, 1), (3, 1.19), (5, 1)])
def test_a_speed_that_lags_takes_no_turn_away_and_raises_nothing(
    lag_s: float, scale: float, seed: int
) -> None:
    """22 km/h on 10 m is 0.38 g; by the late speed it would be 0.9 g and more."""
    fixes = braked(lag_s, scale, seed=seed)
    (turn,) = rows(fixes)
    assert turn.course_change_deg == pytest.approx(90, abs=8)
    assert (turn.evaluable, turn.reason) == (False, "speed_disagrees")
    assert turn.max_kmh == pytest.approx(26, abs=4)
    assert dangers(judged(fixes)) == set()


@pytest.mark.parametrize("seed", range(5))
def test_a_speed_in_time_is_used(seed: int) -> None:
    fixes = braked(0, seed=seed)
    (turn,) = rows(fixes)
    assert (turn.evaluable, turn.reason) == (True, None)
    assert turn.lateral_g == pytest.approx(0.38, abs=0.08)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("lag_s", "scale"), [(0, 1), (0.5, 1), (1, 1), (1, 1.19), (2, 1), (3, 1.19)])
def test_no_lag_makes_a_lawful_turn_dangerous(lag_s: float, scale: float, seed: int) -> None:
    """16 km/h on 10 m is 0.2 g."""
    assert "right_turn_lateral" not in dangers(judged(braked(lag_s, scale, turn_kmh=16, seed=seed)))


def test_turns_of_a_unit_that_says_zero_are_found() -> None:
    """Once the positions have contradicted it for 10 s, what they show counts."""
    line = way(300, 90, 300)
    fixes = driven(line, 20, reports=True)
    (turn,) = rows(replace(fixes, speed_dkmh=np.zeros(len(fixes), np.int16)))
    assert (turn.reason, turn.max_kmh) == ("speed_disagrees", pytest.approx(20, abs=2))


@pytest.mark.parametrize("speed_kmh", [12, 15, 18, 20])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("radius_m", [6, 8, 10, 12])
def test_turning_back_is_no_right_turn(speed_kmh: float, seed: int, radius_m: float) -> None:
    """Half a circle to the right, as on a street up to 24 m wide."""
    assert rows(driven(way(150, 180, 150, radius_m=radius_m), speed_kmh, noise_m=0.5, seed=seed)) == []


#: 90 degrees on a radius of 60 m: 0.29 g at 47 km/h.
BEND = way(200, 90, 200, radius_m=60)


@pytest.mark.parametrize(
    ("line", "speed_kmh", "kind"),
    [
        (BEND, 47, "bend"),
        (BEND, 36, "bend"),
        (BEND, 30, "turn"),
        (way(200, 90, 200, radius_m=20), 40, "turn"),
        (way(200, 90, 200, radius_m=12), 20, "turn"),
    ],
)
def test_what_no_truck_turns_at_a_junction_is_a_bend(line: tuple[float], speed_kmh: float, kind: str) -> None:
    (turn,) = rows(driven(line, speed_kmh, reports=True))
    assert turn.kind == kind
    assert row(turn, "drive", None, 0)["kind"] == {"turn": "right_turn", "bend": "bend"}[kind]


def test_in_a_must_stop_junction_it_is_a_turn() -> None:
    junction = fence(1, rectangle(-100, 100, 200, 400), FenceKind.MUST_STOP)
    (turn,) = rows(driven(BEND, 47, reports=True), Watch(Fences([junction]), Passes([])))
    assert (turn.kind, turn.stop) == ("turn", "not_stopped")


def test_nobody_looks_for_conflicts_in_a_bend() -> None:
    """Neither the numerator nor the denominator of their rate."""
    seen = blind_spot.detections(sights.camera("12 single a"), sights.rules())
    for kind, conflict, told in ((0, True, 1), (1, False, -1)):
        turns = sights.turns((10, 15), kind=kind)
        of_turn = blind_spot.join(turns, seen, sights.rules())
        assert (of_turn == 0).any() == conflict
        marked = conflicts.mark(turns, np.ones(1, np.bool_), of_turn)
        assert marked.conflicts.tolist() == [told]

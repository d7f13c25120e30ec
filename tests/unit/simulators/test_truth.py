"""What plans promise: truth before observation, physics before both."""

from __future__ import annotations

import collections
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet import geo
from simulators import scenario, shift
from simulators.faults import FaultPlan
from simulators.observation import PERFECT
from simulators.sampling import States
from simulators.truck import G_MPS2

if TYPE_CHECKING:
    from simulators.scenario import Plan

START_US = 1_772_402_400_000_000
EVERYTHING = FaultPlan(**{f.name: 0.3 for f in fields(FaultPlan)})


@pytest.fixture(scope="module")
def states(rush: Plan) -> States:
    """The true states of the rush, truck by truck in order of time."""
    made = States.concat([step.states for step in rush.steps()])
    return made.take(np.lexsort((made.time_us, made.truck)))


def successive(states: States) -> np.ndarray:
    """Positions of rows whose next row is the same truck a second later."""
    return np.flatnonzero((np.diff(states.truck) == 0) & (np.diff(states.time_us) == 1_000_000))


def test_speed_is_distance_over_time(states: States) -> None:
    """The odometer moves by the mean speed of each second; the position moves no further than that."""
    rows = successive(states)
    driven = states.odometer_m[rows + 1] - states.odometer_m[rows]
    slower = np.minimum(states.speed_mps[rows], states.speed_mps[rows + 1])
    faster = np.maximum(states.speed_mps[rows], states.speed_mps[rows + 1])
    # In one second speed may dip below or rise above both ends by what braking and power can do.
    assert (driven <= faster + 0.8).all()
    assert (driven >= slower - 0.8).all()
    moved = np.hypot(np.diff(states.x_m)[rows], np.diff(states.y_m)[rows])
    assert (moved <= driven + 1e-6).all()
    assert (moved >= driven * 0.9 - 0.5).all()


def test_nothing_teleports_and_nothing_wrenches(states: States) -> None:
    rows = successive(states)
    assert len(rows) > 60_000
    assert np.abs(np.diff(states.speed_mps)[rows]).max() <= 1.6
    turned = (np.diff(states.heading_deg)[rows] + 180) % 360 - 180
    assert np.abs(turned).max() <= 35


def test_lateral_acceleration_stays_within_the_plan(rush: Plan) -> None:
    """No driver presses more than the danger that is planned for: 0.33 g, and 0.22 g but in fast turns."""
    window = rush.world.window
    for truck in rush.trucks[:20]:
        for made in shift.drives(rush.world, truck):
            time = np.arange(0, made.motion.duration_s, 0.2)
            distance, speed, _ = made.motion.at(time)
            piece = made.course.path.piece(distance)
            lateral_g = speed**2 * np.abs(made.course.path.curvature_per_m[piece]) / G_MPS2
            assert lateral_g.max() <= 0.331
            fast = any(row["kind"] == "turn_too_fast" for row in made.truth)
            whole = window.from_us < made.started_us and made.ended_us < window.until_us
            if whole and not fast:
                assert lateral_g.max() <= 0.221


def test_who_is_not_speeding_by_plan_is_clearly_within_the_limit(rush: Plan, states: States) -> None:
    limit = np.array([t.kind.limit_kmh for t in rush.trucks])[states.truck]
    excess = states.speed_mps * 3.6 - np.minimum(limit, states.limit_kmh)
    planned = np.zeros(len(states), bool)
    number = {t.code: t.number for t in rush.trucks}
    for row in rush.truth:
        if row["kind"] == "speeding":
            near = (states.time_us > row["started_us"] - 15e6) & (states.time_us < row["ended_us"] + 15e6)
            planned |= near & (states.truck == number[row["vehicle"]])
    assert excess[~planned].max() < -1.0
    assert excess[planned].max() > 9.0


def test_planned_speeding_is_unmistakable(rush: Plan) -> None:
    rows = [row for row in rush.truth if row["kind"] == "speeding"]
    assert len(rows) > 10
    for row in rows:
        assert row["care"]
        assert (row["ended_us"] - row["started_us"]) / 1e6 >= 15
        assert row["peak"] >= row["limit"] + 8.5


def test_right_turns_are_clearly_fast_or_clearly_not(rush: Plan) -> None:
    turns = [row for row in rush.truth if row["kind"] == "right_turn"]
    speeds = np.array([row["max_speed_kmh"] for row in turns])
    assert len(turns) > 30
    assert ((speeds <= 16) | (speeds >= 23)).mean() > 0.97
    stops = collections.Counter(row["stop"] for row in turns)
    assert stops["stopped"] > 2
    assert stops["not_stopped"] > 2
    assert all(row["approach_kmh"] == 0 for row in turns if row["stop"] == "stopped")


def test_dangers_of_every_kind_are_there() -> None:
    plan = scenario.build("blind", 3, trucks=60, duration_s=3 * 3600, start_us=START_US)
    kinds = {row["kind"] for row in plan.truth}
    assert kinds == {
        "speeding", "right_turn", "turn_too_fast", "no_stop", "rollover_margin", "conflict", "passing",
        "forbidden", "permitted", "dwell", "offline", "camera_covered",
    }  # fmt: skip
    for row in (row for row in plan.truth if row["kind"] == "dwell"):
        # From the gate to the stand a truck takes a quarter of a minute.
        assert (row["ended_us"] - row["started_us"]) / 1e6 == pytest.approx(
            row["peak"] - row["limit"] + 14, abs=4
        )


def test_truth_does_not_know_of_faults_or_sensors(rush: Plan) -> None:
    """However it is observed and corrupted, the same happened."""
    bad = replace(rush, recipe=replace(rush.recipe, faults=EVERYTHING, sensors=PERFECT))
    assert bad.truth == rush.truth
    first, second = next(rush.steps()), next(bad.steps())
    assert np.array_equal(first.states.x_m, second.states.x_m)


def test_same_seed_same_bytes_other_seed_other_bytes() -> None:
    def bytes_of(seed: int) -> list[tuple[int, str, bytes]]:
        plan = scenario.build("storm", seed, trucks=6, duration_s=400, start_us=START_US)
        return [tuple(message) for batch in plan.messages() for message in batch]

    assert bytes_of(7) == bytes_of(7)
    assert bytes_of(7) != bytes_of(8)


def test_messages_are_in_order_of_sending() -> None:
    plan = scenario.build("storm", 7, trucks=6, duration_s=900, start_us=START_US)
    at_us = [message.at_us for batch in plan.messages() for message in batch]
    assert at_us == sorted(at_us)


def test_one_truck_does_not_depend_on_the_others(rush: Plan) -> None:
    alone = list(shift.drives(rush.world, rush.trucks[17]))
    again = list(shift.drives(rush.world, rush.trucks[17]))
    assert [drive.truth for drive in alone] == [drive.truth for drive in again]


def test_positions_on_the_globe_agree_with_the_plane(rush: Plan, states: States) -> None:
    """Geodesic distances of true positions are within 0.15 % of the metres of the plane."""
    some = states.take(slice(0, 1800))
    lat, lon = rush.world.city.projection.to_degrees(some.x_m, some.y_m)
    there = geo.distance_m(lat[0] * 1e6, lon[0] * 1e6, lat * 1e6, lon * 1e6)
    here = np.hypot(some.x_m - some.x_m[0], some.y_m - some.y_m[0])
    assert there == pytest.approx(here, rel=0.0015, abs=1.0)


def test_a_month_has_thirty_mornings_and_quiet_nights() -> None:
    plan = scenario.build("month", 2, trucks=2, duration_s=30 * 1800, start_us=START_US)
    parts = [step.states for step in plan.steps()]
    made = States.concat(parts)
    day = (made.time_us - START_US) // 86_400_000_000
    moving = made.speed_mps > 0
    assert set(day[moving].tolist()) == set(range(30))
    at_night = (made.time_us - START_US) % 86_400_000_000 > 4 * 3_600_000_000
    assert not moving[at_night].any()
    assert (made.flags[at_night] & 2 == 0).mean() > 0.99

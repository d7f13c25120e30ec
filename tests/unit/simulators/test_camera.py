from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet.columns import CameraEvents, CameraState, HealthReports, Phase, Side
from simulators import scenario
from simulators.camera import Cameras, Health
from simulators.intervals import Intervals
from simulators.observation import USUAL, Observer

if TYPE_CHECKING:
    from simulators.scenario import Plan

START_US = 1_772_402_400_000_000
NONE = Intervals.of([])


def seen(plan: Plan, covered: Intervals = NONE, **sensors: float) -> tuple[CameraEvents, list[int]]:
    cameras = Cameras(1, replace(USUAL, **sensors), [t.code for t in plan.trucks], covered)
    made = []
    for step in plan.steps():
        rows = [row for row in step.rows if row["kind"] in {"conflict", "passing"}]
        made.append(cameras.observe(rows, step.states, step.from_us, step.until_us))
    return CameraEvents.concat([events for events, _ in made]), [t for _, times in made for t in times]


def test_everybody_beside_a_truck_is_seen_once_from_start_to_end(rush: Plan) -> None:
    """A sound camera reports start and end of each within half a second, on the right."""
    window = rush.world.window
    truth = [
        row
        for row in rush.truth
        if row["kind"] in {"conflict", "passing"} and window.from_us <= row["started_us"]
    ]
    events, _ = seen(rush)
    starts = events.take(events.phase == Phase.START)
    ends = events.take(events.phase == Phase.END)
    assert len(starts) == len(ends) == len(truth) > 10
    assert (events.side == Side.RIGHT).all()
    assert sorted(starts.event_id.tolist()) == sorted(ends.event_id.tolist())
    late_s = (np.sort(starts.time_us) - np.sort([row["started_us"] for row in truth])) / 1e6
    assert late_s.min() >= 0.1
    assert late_s.max() <= 0.51
    assert len(set(zip(events.vehicle_id.tolist(), events.event_id.tolist(), strict=True))) == len(truth)


def test_a_blind_camera_sees_nobody(rush: Plan) -> None:
    assert len(seen(rush, camera_detects=0.0)[0]) == 0
    everywhere = Intervals.of([(n, START_US - 10**9, START_US + 10**10) for n in range(len(rush.trucks))])
    assert len(seen(rush, everywhere)[0]) == 0


def test_ghosts_are_seen_as_often_as_set(rush: Plan) -> None:
    """Six an hour and truck, 40 trucks, half an hour: about 120, of unknown kind, only while driving."""
    events, _ = seen(rush, camera_ghosts_per_hour=6.0)
    ghosts = (events.phase == Phase.START) & (events.lat_udeg == 0)
    assert ghosts.sum() == pytest.approx(120, abs=35)


def test_clocks_of_cameras_are_their_own(rush: Plan) -> None:
    """Each camera is wrong by one constant, in the same direction for all its events."""
    events, true_us = seen(rush, camera_clock_s=2.0)
    wrong_us = events.time_us - np.array(true_us) // 1000 * 1000
    offsets = {
        truck: set(wrong_us[events.vehicle_id == truck].tolist()) for truck in set(events.vehicle_id.tolist())
    }
    assert all(max(found) - min(found) <= 1000 for found in offsets.values())
    assert len({next(iter(found)) for found in offsets.values()}) > 5


def test_health_at_first_every_ten_minutes_and_when_it_changes() -> None:
    plan = scenario.build("calm", 1, trucks=2, duration_s=1800, start_us=START_US)
    covered = Intervals.of([(1, START_US + 100_500_000, START_US + 200_500_000)])
    health = Health(2, covered)
    reports = HealthReports.concat([health.observe(step.states)[0] for step in plan.steps()])
    of_first, of_second = (reports.take(reports.vehicle_id == number) for number in (0, 1))
    assert ((of_first.time_us - START_US) // 1_000_000).tolist() == [0, 600, 1200]
    assert (of_first.camera == CameraState.OK).all()
    told = list(
        zip(((of_second.time_us - START_US) // 1_000_000).tolist(), of_second.camera.tolist(), strict=True)
    )
    assert told == [(0, 1), (101, 2), (201, 1), (593, 1), (1193, 1), (1793, 1)]


def test_clocks_of_units_are_off_by_a_constant_and_a_drift(rush: Plan) -> None:
    """Each unit by its own: about as much as was set, growing by parts per million, in milliseconds."""
    sensors = replace(USUAL, clock_offset_s=2.0, clock_drift_ppm=50.0)
    observer = Observer(1, sensors, rush.world.city.projection, [60] * 200)
    truck = np.arange(200)
    at_six, hour_us = np.full(200, START_US), 3_600_000_000
    first = observer.device_us(truck, at_six) - at_six
    later = observer.device_us(truck, at_six + hour_us) - at_six - hour_us
    assert (first % 1000 == 0).all()
    assert ((later - first) / hour_us * 1e6).std() == pytest.approx(50.0, rel=0.15)
    assert first.std() / 1e6 == pytest.approx(np.hypot(2.0, 50e-6 * 22 * 3600), rel=0.2)


def test_position_errors_are_as_large_and_as_slow_as_set(rush: Plan) -> None:
    """Errors have the deviation that was set, and what is left of them after 40 s is 1/e."""
    sensors = replace(USUAL, position_m=5.0, canyon_factor=1.0)
    observer = Observer(1, sensors, rush.world.city.projection, [60] * len(rush.trucks))
    errors: dict[int, list[float]] = {truck.number: [] for truck in rush.trucks}
    for step in rush.steps():
        fixes = observer.observe(step.states)
        _, north = rush.world.city.projection.to_metres(fixes.lat_udeg * 1e-6, fixes.lon_udeg * 1e-6)
        for number, error in zip(step.states.truck.tolist(), (north - step.states.y_m).tolist(), strict=True):
            errors[number].append(error)
    table = np.array(list(errors.values()))
    assert table.std() == pytest.approx(5.0, rel=0.1)
    assert (table[:, 40:] * table[:, :-40]).mean() / table.var() == pytest.approx(np.exp(-1), abs=0.08)

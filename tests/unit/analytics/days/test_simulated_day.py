"""A small simulated morning, whose truth is known: kilometres, right turns and conflicts by company."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.rules.camera.conflicts import Sights
from alerts.rules.right_turn import right_turn_fold
from analytics.days.closing import ClosedDay
from analytics.days.judged import Episodes, Judgements, count
from analytics.days.measuring import Terms, driven
from fleet.columns import CameraEvents, CameraState, Fixes, HealthReports
from simulators import scenario
from simulators.camera import Cameras
from simulators.intervals import Intervals
from simulators.observation import USUAL

if TYPE_CHECKING:
    from simulators.scenario import Plan

DAY = date(2026, 3, 2)
#: 08:00 civil time.
START_US = round(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1e6)
TRUCKS, SECONDS = 10, 1800
#: Of the two firms that the trucks belong to.
FIRMS = (0, 1)
NONE = Intervals.of([])


def firm(truck: int) -> int:
    return truck % len(FIRMS)


def observed(plan: Plan) -> tuple[Fixes, Sights]:
    """What sound units send."""
    cameras = Cameras(1, USUAL, [truck.code for truck in plan.trucks], NONE)
    events = [
        cameras.observe(
            [row for row in step.rows if row["kind"] == "conflict"], step.states, step.from_us, step.until_us
        )[0]
        for step in plan.steps()
    ]
    healthy = HealthReports.build(
        vehicle_id=[truck.number for truck in plan.trucks],
        time_us=START_US,
        camera=int(CameraState.OK),
        firmware="",
    )
    fixes = Fixes.concat(list(plan.columns()))
    fixes = fixes.take(np.lexsort((fixes.time_us, fixes.vehicle_id)))
    return fixes, Sights(CameraEvents.concat(events), healthy)


def closed(fixes: Fixes, sights: Sights) -> list[ClosedDay]:
    context = Context(Rulebooks([documents.default()]), replay.UniformFacts())
    terms = Terms(context, None)
    turns = replay.settled(fixes, context, sights).turns
    last = {
        key: row
        for row, key in enumerate(zip(turns.vehicle_id.tolist(), turns.entered_us.tolist(), strict=True))
    }
    turns = turns.take(np.array(sorted(last.values()), np.intp))  # a camera may tell of one later on
    nowhere = np.full(len(turns), -1, np.int32)
    said = Judgements(
        turns, right_turn_fold.too_fast(turns, context.rulebooks), nowhere, Episodes.empty(), nowhere[:0]
    )
    counted = count(range(TRUCKS), said)
    return [
        ClosedDay.of(
            driven(truck, DAY, fixes.take(fixes.vehicle_id == truck), terms), counted[truck], firm(truck)
        )
        for truck in range(TRUCKS)
    ]


def test_a_simulated_day_is_closed_as_it_was_driven() -> None:
    plan = scenario.build("rush", 5, trucks=TRUCKS, duration_s=SECONDS, start_us=START_US)
    days = closed(*observed(plan))
    ways_m: dict[int, list[float]] = {}
    for step in plan.steps():
        for truck, odometer_m in zip(
            step.states.truck.tolist(), step.states.odometer_m.tolist(), strict=True
        ):
            ways_m.setdefault(truck, []).append(odometer_m)
    number = {truck.code: truck.number for truck in plan.trucks}
    end_us = START_US + SECONDS * 1_000_000
    truth = Counter(
        (row["kind"], firm(number[row["vehicle"]]))
        for row in plan.truth
        if row["started_us"] >= START_US and row["ended_us"] < end_us
    )
    for one, (turns, conflicts) in enumerate([(10, 0), (10, 2)]):
        own = [day for day in days if day.company_id == one]
        driven_km = sum(way[-1] - way[0] for truck, way in ways_m.items() if firm(truck) == one) / 1000
        assert sum(day.way.distance_mm for day in own) / 1e6 == pytest.approx(driven_km, rel=0.003)
        assert sum(day.judged.right_turns for day in own) == truth["right_turn", one] == turns
        assert sum(day.judged.conflicts for day in own) == truth["conflict", one] == conflicts
        assert sum(day.judged.armed for day in own) == turns

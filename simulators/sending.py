"""From a plan to what is sent: observed, corrupted, encoded, in the order of sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fleet.columns import CameraEvents, Fixes, HealthReports
from fleet.units import MICROSECONDS
from simulators.camera import Cameras, Health, overlooks
from simulators.faults import C, Faults, Sends
from simulators.messages import Encoder
from simulators.observation import Observer
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.messages import Message
    from simulators.scenario import Plan
    from simulators.truth import Row

#: Messages are encoded for this much time at once: a city's for a minute would take a gigabyte.
BATCH_US = 10 * MICROSECONDS
END_OF_TIME_US = 2**62
SEEN_BY_CAMERAS = frozenset({"conflict", "passing"})


def columns(plan: Plan) -> Iterator[Fixes]:
    """Yield what sound units measure, step by step, in time order for each truck: for benches."""
    observer = _observer(plan)
    for step in plan.steps():
        yield observer.observe(step.states)


def faults(plan: Plan) -> Faults:
    """Return the faults of a plan, before any has struck."""
    window = plan.world.window
    span = (window.from_us, window.until_us)
    return Faults(
        window.seed, plan.recipe.faults, len(plan.trucks), span, plan.planned_outages, plan.silent_exits
    )


def overlooked(plan: Plan) -> Iterator[Row]:
    """Yield the rows of the truth that a camera should see and does not."""
    number = {truck.code: truck.number for truck in plan.trucks}
    for row in plan.truth:
        if _is_seen(row) and overlooks(
            plan.world.window.seed, plan.recipe.sensors, number[row["vehicle"]], row
        ):
            yield row


def messages(plan: Plan) -> Iterator[list[Message]]:
    """Yield the messages in the order in which they are sent, in batches of some seconds."""
    observer, spoiler, encoder = _observer(plan), faults(plan), Encoder(plan.trucks)
    covered, seed = plan.world.covered, plan.world.window.seed
    cameras = Cameras(seed, plan.recipe.sensors, [t.code for t in plan.trucks], covered)
    health = Health(len(plan.trucks), covered)
    waiting = _Waiting(_nothing(Fixes), _nothing(CameraEvents), _nothing(HealthReports))
    for number, step in enumerate(plan.steps()):
        incidents = [row for row in step.rows if _is_seen(row)]
        seen = cameras.observe(incidents, step.states, step.from_us, step.until_us)
        waiting = _Waiting(
            waiting.fixes.then(spoiler.apply(observer.observe(step.states), step.states.time_us)),
            waiting.events.then(spoiler.carry(*seen)),
            waiting.reports.then(spoiler.carry(*health.observe(step.states))),
        )
        rng = stream(seed, "broken", number)
        for until_us in range(step.from_us + BATCH_US, step.until_us + BATCH_US, BATCH_US):
            made, waiting = _due(waiting, min(until_us, step.until_us), encoder, rng)
            if made:
                yield made
    made, _ = _due(waiting, END_OF_TIME_US, encoder, stream(seed, "broken at last"))
    if made:
        yield made


class _Waiting(NamedTuple):
    """What was measured and is not sent yet."""

    fixes: Sends[Fixes]
    events: Sends[CameraEvents]
    reports: Sends[HealthReports]


def _due(
    waiting: _Waiting, until_us: int, encoder: Encoder, rng: np.random.Generator
) -> tuple[list[Message], _Waiting]:
    """Return the messages sent before a time, in order, and what still waits."""
    now = [sends.at_us < until_us for sends in waiting]
    made = encoder.fixes(waiting.fixes.take(now[0]), rng)
    made += encoder.camera(waiting.events.take(now[1]), rng)
    made += encoder.health(waiting.reports.take(now[2]), rng)
    made.sort()
    rest = (
        waiting.fixes.take(~now[0]),
        waiting.events.take(~now[1]),
        waiting.reports.take(~now[2]),
    )
    return made, _Waiting(*rest)


def _nothing(kind: type[C]) -> Sends[C]:
    none = np.empty(0, np.int64)
    return Sends(kind.empty(), none, none, none)


def _is_seen(row: Row) -> bool:
    return row["kind"] in SEEN_BY_CAMERAS and row.get("hidden_by") != "offline"


def _observer(plan: Plan) -> Observer:
    limits = [truck.kind.limit_kmh for truck in plan.trucks]
    return Observer(plan.world.window.seed, plan.recipe.sensors, plan.world.city.projection, limits)

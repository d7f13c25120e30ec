"""From a plan to what is sent: observed, corrupted, encoded, in the order of sending."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from simulators.camera import Cameras, Health
from simulators.faults import Faults
from simulators.messages import Encoder
from simulators.observation import Observer
from simulators.streams import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.columns import Fixes
    from simulators.messages import Message
    from simulators.scenario import Plan
    from simulators.truth import Row

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
    return Faults(window.seed, plan.recipe.faults, len(plan.trucks), span, plan.planned_outages)


def messages(plan: Plan) -> Iterator[list[Message]]:
    """Yield the messages in the order in which they are sent, in batches of about a minute."""
    observer, spoiler, encoder = _observer(plan), faults(plan), Encoder(plan.trucks)
    covered, seed = plan.world.covered, plan.world.window.seed
    cameras = Cameras(seed, plan.recipe.sensors, [t.code for t in plan.trucks], covered)
    health = Health(len(plan.trucks), covered)
    late: list[Message] = []
    for number, step in enumerate(plan.steps()):
        rng = stream(seed, "broken", number)
        incidents = [row for row in step.rows if _is_seen(row)]
        fixes = spoiler.apply(observer.observe(step.states), step.states.time_us)
        events = spoiler.carry(*cameras.observe(incidents, step.states, step.from_us, step.until_us))
        reports = spoiler.carry(*health.observe(step.states))
        made = late + encoder.fixes(fixes, rng) + encoder.camera(events, rng) + encoder.health(reports, rng)
        made.sort()
        due = _before(made, step.until_us)
        late = made[due:]
        if due:
            yield made[:due]
    if late:
        yield late


def _is_seen(row: Row) -> bool:
    return row["kind"] in SEEN_BY_CAMERAS and row.get("hidden_by") != "offline"


def _before(messages: list[Message], at_us: int) -> int:
    """Return how many of the sorted messages are sent before a time."""
    return bisect_left(messages, at_us, key=lambda message: message.at_us)


def _observer(plan: Plan) -> Observer:
    limits = [truck.kind.limit_kmh for truck in plan.trucks]
    return Observer(plan.world.window.seed, plan.recipe.sensors, plan.world.city.projection, limits)

"""What the live memory follows: the episodes that are open in it, by which the store is checked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts import fencing
from alerts.rules import fatigue, qualification
from alerts.transitions import Rule

if TYPE_CHECKING:
    from alerts.engine import Context
    from alerts.state import EngineState


class Followed(NamedTuple):
    """An episode that goes on, as whoever follows it knows it."""

    vehicle_id: int
    rule: Rule
    started_us: int
    #: The code of its fence, or nothing.
    about: str = ""


def followed(state: EngineState, context: Context) -> set[Followed]:
    """Return the episodes that are open in memory, without those of the rules about arrival."""
    found: set[Followed] = set()
    for rule, started_us, is_open in (
        (Rule.SPEEDING, state.speeding["over_since_us"], state.speeding["is_open"]),
        (Rule.FATIGUE, state.fatigue["opened_us"], state.fatigue["opened_us"] != fatigue.NEVER),
        (Rule.UNQUALIFIED, state.crew["opened_us"], state.crew["opened_us"] != qualification.NEVER),
    ):
        slots = np.flatnonzero(is_open)
        vehicles = state.vehicle_id[slots].tolist()
        found |= {
            Followed(vehicle, rule, started)
            for vehicle, started in zip(vehicles, started_us[slots].tolist(), strict=True)
        }
    if context.fences is None:
        return found
    stays = fencing.open_stays(state, context.fences)
    return found | {Followed(vehicle, rule, started, fence) for vehicle, rule, started, fence in stays}

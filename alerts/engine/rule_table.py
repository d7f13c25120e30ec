"""Every rule that is folded over fixes: what it remembers, what it judges, how fixes and silence change it.

A rule is a function over arrays and a row here. What follows from the row is made from it: the layout of a
checkpoint and its version (`alerts.engine.state`), the engine's rounds and ticks, and what is left alone
where a rule has thrown. The rules about arrival (`alerts.live.reporting`) and the join with cameras
(`alerts.rules.camera.conflicts`) are folded over something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alerts.rules import (
    fatigue_fold,
    harsh_braking,
    qualification_fold,
    speed_disagrees_fold,
    speeding_fold,
)
from alerts.rules.fence import fence_fold
from alerts.rules.right_turn import right_turn_fold
from alerts.words.transitions import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from alerts.folding.memory import Layout, Memory
    from alerts.folding.rounds import Round
    from alerts.in_force.context import Context
    from alerts.words.transitions import Judgement, Ongoing, Transitions


class Folded(NamedTuple):
    """One rule, or several that one look at the fixes decides."""

    judges: frozenset[Rule]
    #: Sections of the rulebook that it owns, and what each of their numbers means.
    numbers: Mapping[str, Mapping[str, tuple[str, float, float]]]
    #: What it remembers of a vehicle, by name: its own names.
    memory: Mapping[str, Layout]
    #: Fold one round into the memory, in place.
    advance: Callable[[Memory, Round, Context], Transitions | Judgement]
    #: Let time pass without fixes, in place.
    tick: Callable[[Memory, int, Context], Transitions | Judgement]
    #: The episodes that are open in the memory.
    ongoing: Callable[[Memory, Context], Iterator[Ongoing]]
    #: Numbers, as `section.name`, of which the first must not exceed the second.
    ordered: Sequence[tuple[str, str]] = ()
    #: In shadow until a document says otherwise.
    on_trial: bool = False


def _folded(module: object, *judges: Rule) -> Folded:
    """Return the row of a module that has these names; the last two it may leave out."""
    found = (getattr(module, name) for name in ("NUMBERS", "MEMORY", "advance", "tick", "ongoing"))
    ordered, on_trial = getattr(module, "ORDERED", ()), getattr(module, "ON_TRIAL", False)
    return Folded(frozenset(judges), *found)._replace(ordered=ordered, on_trial=on_trial)


#: In the order in which they are folded: each by itself, none knows another.
RULES: dict[str, Folded] = {
    "speeding": _folded(speeding_fold, Rule.SPEEDING),
    "right_turn": _folded(
        right_turn_fold, Rule.RIGHT_TURN_FAST, Rule.RIGHT_TURN_LATERAL, Rule.RIGHT_TURN_NO_STOP
    ),
    "fatigue": _folded(fatigue_fold, Rule.FATIGUE),
    "unqualified": _folded(qualification_fold, Rule.UNQUALIFIED),
    "harsh_braking": _folded(harsh_braking, Rule.HARSH_BRAKING),
    "speed_disagrees": _folded(speed_disagrees_fold, Rule.SPEED_DISAGREES),
    "fence": _folded(fence_fold, Rule.FORBIDDEN, Rule.LEFT_PERMITTED, Rule.DWELL, Rule.SITE),
}

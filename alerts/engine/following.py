"""What the live memory follows: the episodes that are open in it, by which the store is checked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.engine.rule_table import RULES

if TYPE_CHECKING:
    from alerts.folding.memory import Memory
    from alerts.in_force.context import Context
    from alerts.words.transitions import Ongoing


def followed(memory: Memory, context: Context) -> set[Ongoing]:
    """Return the episodes that are open in memory, without those of the rules about arrival."""
    return {episode for rule in RULES.values() for episode in rule.ongoing(memory, context)}

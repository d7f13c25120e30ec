"""Right turns counted: the denominator of every rate of turns. Settled rows are read, never judged again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerts.words.turns import NO_JUNCTION, Kind, Reason, Seen, Stop

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alerts.words.turns import Turns

    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TurnCounts:
    """Right turns of one vehicle in a time. Bends are no turns, and are counted apart."""

    #: All, and those seen well enough to be judged: what is said below is said of these.
    turns: int
    evaluable: int
    #: Of these, those during which somebody looked at the camera.
    looked: int
    #: The right-hand camera was known to work; None: nobody has looked at cameras.
    armed: int | None
    #: Of those with a working camera, how many had a conflict.
    conflicts: int | None
    #: In must-stop junctions: those whose stop could be judged, and those of them that did not stop.
    must_stop: int
    not_stopped: int
    too_fast: int
    bends: int


def counts(turns: Turns, too_fast: Bools) -> TurnCounts:
    """Count settled turns, one row a turn; `too_fast` marks what `alerts.turning.too_fast` says of each."""
    is_turn = turns.kind == Kind.TURN
    evaluable = is_turn & (turns.reason == Reason.NONE)
    looked = evaluable & (turns.conflicts >= 0)
    armed = looked & (turns.armed == Seen.YES)
    asked = evaluable & (turns.junction != NO_JUNCTION) & (turns.stop != Stop.NOT_EVALUABLE)
    nobody_looked = bool(evaluable.any()) and not looked.any()
    return TurnCounts(
        turns=int(is_turn.sum()),
        evaluable=int(evaluable.sum()),
        looked=int(looked.sum()),
        armed=None if nobody_looked else int(armed.sum()),
        conflicts=None if nobody_looked else int((armed & (turns.conflicts > 0)).sum()),
        must_stop=int(asked.sum()),
        not_stopped=int((asked & (turns.stop == Stop.NOT_STOPPED)).sum()),
        too_fast=int((evaluable & too_fast).sum()),
        bends=int((turns.kind == Kind.BEND).sum()),
    )

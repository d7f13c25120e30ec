"""A batch, or a part of one, on its way: judged, then laid out and waiting for its commit. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.live.timeliness import Timeliness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alerts.in_force.context import Context
    from alerts.live.holds import Changes
    from alerts.store.checkpoint_store import PackedStates
    from alerts.words.transitions import Judgement
    from ingest.pipeline.parts import Part
    from ingest.pipeline.screen import Screened
    from ingest.pipeline.writer import Rows


class Judged(NamedTuple):
    """A screened batch and what the engine says of it."""

    screened: Screened
    #: `Timeliness` of each fix.
    timeliness: NDArray[np.int8]
    judgement: Judgement

    @property
    def live(self) -> NDArray[np.bool_]:
        """Mark the fixes that were judged at once."""
        return np.asarray(self.timeliness == Timeliness.LIVE)


class Work(NamedTuple):
    """What has been judged and waits for its commit; nothing in it changes any more."""

    part: Part
    batch_id: int
    received_us: int
    judged: Judged
    rows: Rows
    #: Vehicles about whose stored fixes nothing was known.
    unknown: NDArray[np.int32]
    checkpoints: PackedStates
    holds: Changes
    context: Context
    #: Spent in each stage so far.
    seconds: dict[str, float]

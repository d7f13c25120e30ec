"""What became of one committed batch, or a part of one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from alerts.live.timeliness import Timeliness
from alerts.words.transitions import Change, Rule
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.words.transitions import Judgement
    from fleet.wire.batch import Rejected
    from ingest.pipeline.parts import Part
    from ingest.pipeline.work import Judged
    from ingest.pipeline.writer import Stored


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one committed batch; the metrics are made of these."""

    source: str
    messages: int
    received: int
    stored: int
    duplicates: int
    rejected: dict[str, int]
    judged: int
    late: int
    history: int
    ahead: int
    crowded: int
    #: Episodes that the batch opened: rule, and received minus measured of the fix that decided, seconds.
    opened: list[tuple[str, float]]
    #: Received minus measured, of the newest fix, seconds; NaN without fixes.
    lag_s: float
    seconds: dict[str, float] = field(default_factory=dict)


def receipt_of(
    part: Part, received_us: int, judged: Judged, stored: Stored, rejects: Sequence[Rejected]
) -> Receipt:
    """Count what became of a part of a batch that was received, judged and stored."""
    by_reason: dict[str, int] = {}
    for reject in rejects:
        by_reason[reject.reason] = by_reason.get(reject.reason, 0) + reject.observations
    counts = np.bincount(judged.timeliness, minlength=len(Timeliness))
    fixes = judged.screened.fixes
    lag_us = received_us - int(fixes.time_us.max()) if len(fixes) else None
    return Receipt(
        source=part.batch.source,
        messages=part.messages,
        received=judged.screened.received,
        stored=stored.stored,
        duplicates=judged.screened.duplicates + stored.duplicates,
        rejected=by_reason,
        judged=int(counts[Timeliness.LIVE]),
        late=int(counts[Timeliness.LATE]),
        history=int(counts[Timeliness.HISTORY]),
        ahead=int(counts[Timeliness.AHEAD]),
        crowded=int(counts[Timeliness.CROWDED]),
        opened=_opened(judged.judgement, received_us),
        lag_s=float("nan") if lag_us is None else lag_us / MICROSECONDS,
    )


def _opened(judgement: Judgement, received_us: int) -> list[tuple[str, float]]:
    """Return the rule of each episode that began, and how long ago its deciding fix was measured, seconds."""
    changes = judgement.transitions
    begun = np.flatnonzero(changes.change == Change.OPENED)
    waited_s = (received_us - changes.at_us[begun]) / MICROSECONDS
    names = [Rule(rule).name.lower() for rule in changes.rule[begun].tolist()]
    return list(zip(names, waited_s.tolist(), strict=True))

"""What became of one committed batch."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    alerts: int
    #: Received minus measured, of the newest fix, seconds; NaN without fixes.
    lag_s: float
    seconds: dict[str, float] = field(default_factory=dict)

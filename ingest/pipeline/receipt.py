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
    crowded: int
    #: Episodes that the batch opened: rule, and received minus measured of the fix that decided, seconds.
    opened: list[tuple[str, float]]
    #: Received minus measured, of the newest fix, seconds; NaN without fixes.
    lag_s: float
    seconds: dict[str, float] = field(default_factory=dict)

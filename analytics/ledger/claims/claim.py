"""One claim, as an insurer's list has it. `None` and "" mean that nothing was said."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.ledger.accident import Moment, Vehicle


@dataclass(frozen=True, slots=True)
class Claim:
    """What an insurer says of one report."""

    occurred: Moment
    #: The vehicle that is insured. Of others than the fleet's no claim is kept.
    vehicle: Vehicle
    insurer: str = ""
    police_no: str = ""
    county: str = ""
    place: str = ""
    dead: int | None = None
    hurt: int | None = None
    paid_yuan: int | None = None

    @property
    def has_casualties(self) -> bool | None:
        """Whether anybody was hurt or killed; None: nobody has said."""
        if self.dead or self.hurt:
            return True
        return None if self.dead is None or self.hurt is None else False


@dataclass(frozen=True, slots=True)
class ClaimVersion:
    """One account of a claim."""

    number: int
    recorded_at: datetime
    who: str
    #: The file that it came from.
    why: str
    claim: Claim


def changed_fields(before: Claim, after: Claim) -> tuple[str, ...]:
    """Return the names of what differs."""
    return tuple(
        each.name for each in fields(after) if getattr(before, each.name) != getattr(after, each.name)
    )

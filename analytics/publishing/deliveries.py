"""Who was sent a publication, and who has confirmed that they have it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.publishing.keys import PublishingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


class Step(StrEnum):
    """What happened."""

    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step, as it is kept."""

    number: int
    recipient: str
    step: Step
    at: datetime
    recorded_at: datetime
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """How far a publication has come with one recipient."""

    recipient: str
    sent_at: datetime
    #: None: nothing is confirmed.
    received_at: datetime | None


def holders(deliveries: Iterable[Delivery], number: int) -> list[Holder]:
    """Return the recipients of a publication, in the order in which it was first sent to them."""
    sent: dict[str, datetime] = {}
    received: dict[str, datetime] = {}
    for each in deliveries:
        if each.number == number:
            (sent if each.step is Step.SENT else received).setdefault(each.recipient, each.at)
    return [Holder(recipient, at, received.get(recipient)) for recipient, at in sent.items()]


def require_sound(step: Delivery, known: Sequence[Delivery], publications: int) -> None:
    """Raise `PublishingError` if a step cannot have happened."""
    if not 1 <= step.number <= publications:
        raise PublishingError(f"there is no publication {step.number}: `kerbsafe report list` shows them")
    if not step.recipient.strip() or not step.who.strip():
        raise PublishingError("say to whom, and who says so: both stay on record")
    if step.at > step.recorded_at:
        raise PublishingError("the time given lies in the future: look at --at and the clock")
    if step.step is Step.RECEIVED:
        same = [each for each in holders(known, step.number) if each.recipient == step.recipient]
        if not same:
            raise PublishingError(
                f"publication {step.number} was not sent to {step.recipient}: record that first "
                "(`kerbsafe report send`)"
            )
        if step.at < same[0].sent_at:
            raise PublishingError(f"{step.recipient} cannot have received it before it was sent")

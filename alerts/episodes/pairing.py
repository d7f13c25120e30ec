"""Which stored row a judged one is, one to one, and what settling makes of it. Pure.

Episodes (`matching`) and turns (`turn_records`) are matched alike; each says what is near.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterable


class Verdict(StrEnum):
    """How settling sees what is stored."""

    #: Judged the same.
    CONFIRMED = "confirmed"
    #: Judged again, with other times or figures.
    AMENDED = "amended"
    #: Live had missed it.
    ADDED = "added"
    #: The complete record does not show it.
    WITHDRAWN = "withdrawn"


class Row(Protocol):
    """A row as the store has it."""

    @property
    def id(self) -> uuid.UUID:
        """The id that it keeps."""

    @property
    def status(self) -> str:
        """provisional, settled or withdrawn."""

    @property
    def settled_as(self) -> Verdict | None:
        """What settling made of it last."""


AnyRow = TypeVar("AnyRow", bound=Row)


class Candidate(NamedTuple, Generic[AnyRow]):
    """A stored row, and a judged one that it may be."""

    row: AnyRow
    #: Index of the judged one.
    which: int
    #: How far the two are from each other, by whatever measure: the least fits best.
    apart: float
    #: When both begin, microseconds since 1970.
    judged_us: int
    stored_us: int


def one_to_one(candidates: Iterable[Candidate[AnyRow]]) -> dict[int, AnyRow]:
    """Return the stored row that each judged one is, by the index of that.

    Rows still standing before withdrawn ones, then those that fit best, then the earliest.
    """
    match: dict[int, AnyRow] = {}
    used: set[uuid.UUID] = set()
    for one in sorted(candidates, key=_order):
        if one.which not in match and one.row.id not in used:
            match[one.which] = one.row
            used.add(one.row.id)
    return match


def _order(one: Candidate[AnyRow]) -> tuple[bool, float, int, int, int, uuid.UUID]:
    is_withdrawn = one.row.status == "withdrawn"
    return is_withdrawn, one.apart, one.judged_us, one.stored_us, one.which, one.row.id


def verdict(row: Row, *, same: bool) -> Verdict | None:
    """Return how settling sees a row that is judged again; None: it stands in the store like that already."""
    if row.status == "settled" and same:
        return None
    if row.settled_as == Verdict.ADDED:
        return Verdict.ADDED
    return Verdict.CONFIRMED if same and row.status == "provisional" else Verdict.AMENDED


def free_id(own: uuid.UUID, again: Callable[[int], uuid.UUID], taken: set[uuid.UUID]) -> uuid.UUID:
    """Return the own id of what is new, or the next one if a row that began there became something else.

    `again` makes the second id of the same, the third, and so on.
    """
    candidates = (own if number == 1 else again(number) for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)

"""Stays: a vehicle's memory of fences, and the relation of each new fix to those it is in.

The relations of two successive fixes to a fence are the five of tile38: enter, inside, exit, outside, and
cross (the way between them meets the fence although both are outside; `crossing` in `fence`). A fix
counts until the next one. To enter takes two fixes, or one that has counted for a hold; to exit takes the
same beyond a margin from the boundary. So a track along a boundary does not flutter, and one stray fix is
neither a visit nor a departure.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Times = NDArray[np.int64]

NEVER = -1
#: `due_us` of a vehicle that is in no fence and has left none; of one that has but waits for nothing; and
#: of one to look at with every fix.
IDLE_US, NOT_DUE_US, ALWAYS_DUE_US = 2**62, 2**62 - 1, 0
#: Fences a vehicle can be in at once; what is beyond waits for a free slot.
SLOTS = 8


class Relation(IntEnum):
    """Of two successive fixes to a fence."""

    OUTSIDE = 0
    ENTER = 1
    INSIDE = 2
    EXIT = 3
    CROSS = 4


#: Phases of a stay: was seen inside but not yet long enough; inside; has left a permitted fence for no
#: other one. Plain numbers: they are compared in arrays, many times a round.
FREE, ENTERING, INSIDE, LEFT = range(4)


#: One vehicle's memory, of which every fix needs a look. Times in microseconds since 1970; NEVER is none.
HEAD = np.dtype(
    [
        ("signature", "u8"),  # of the fences that the newest fix is in; see FenceIndex.signatures
        ("time_us", "i8"),  # newest fix with a trusted position
        ("due_us", "i8"),  # from then on every fix is looked at
        ("lat_udeg", "i4"),
        ("lon_udeg", "i4"),
        ("rulebook", "i4"),
    ],
    align=True,
)

#: One of a vehicle's `SLOTS` stays, of which only some fixes need a look. All zero is free.
STAY = np.dtype(
    [
        ("valid_from_us", "i8"),  # the fence's version
        ("since_us", "i8"),  # first fix inside, or when version, rulebook or pass changed during the stay
        ("arrived_us", "i8"),  # first fix inside, whatever changed since
        ("outside_us", "i8"),  # first fix outside since the newest inside
        ("beyond_us", "i8"),  # first fix outside beyond the margin since then
        ("open_us", "i8"),  # beginning of the open episode
        ("fence_id", "i4"),
        ("longest_s", "f4"),  # that it may stay in a site; 0 without limit
        ("rulebook", "i2"),
        ("kind", "i1"),
        ("phase", "i1"),
        (
            "found",
            "?",
        ),  # was there (outside, of a permitted one) when first seen, in this segment or after a gap
        ("covered", "?"),  # by a pass
        ("visiting", "?"),  # the visit of a site has been told
        ("own_limit", "?"),  # the limit of the stay is the site's own, not the rulebook's
    ],
    align=True,
)


def blank_heads(size: int) -> NDArray[np.void]:
    """Return the memory of `size` vehicles that have reported nothing."""
    heads = np.zeros(size, HEAD)
    heads["time_us"] = heads["rulebook"] = NEVER
    heads["due_us"] = IDLE_US
    return heads


def blank_stays(size: int) -> NDArray[np.void]:
    """Return the stays (size, SLOTS) of vehicles that have reported nothing."""
    return np.zeros((size, SLOTS), STAY)


def begun(
    fence_id: NDArray[np.int32], valid_from_us: Times, kind: NDArray[np.int8], time_us: Times, found: Bools
) -> NDArray[np.void]:
    """Return stays that begin now: those of vehicles `found` inside have entered, others are entering."""
    stay = np.zeros(len(fence_id), STAY)
    stay["fence_id"], stay["valid_from_us"], stay["kind"] = fence_id, valid_from_us, kind
    stay["since_us"] = stay["arrived_us"] = time_us
    stay["outside_us"] = stay["beyond_us"] = stay["open_us"] = NEVER
    stay["found"] = found
    stay["phase"] = np.where(found, INSIDE, ENTERING)
    return stay


def may_leave(stay: NDArray[np.void], inside: Bools, time_us: Times, hold_us: NDArray[np.float64]) -> Bools:
    """Mark the stays for which it matters how far outside the fix is."""
    within = (stay["phase"] == INSIDE) | _held_inside(stay, inside, time_us, hold_us)
    return np.asarray(within & ~inside)


class Hold(NamedTuple):
    """What one fix needs to count; a number, or one a stay."""

    #: It counts as entered, or as left, if no other comes for this long.
    enter_us: NDArray[np.float64]
    exit_us: NDArray[np.float64]
    #: A second fix beyond the margin does not make it count: the vehicle stands, and not far off.
    stays_put: Bools


def relate(
    stay: NDArray[np.void],
    inside: Bools,
    beyond: Bools,
    time_us: Times,
    hold: Hold,
) -> NDArray[np.int8]:
    """Fold one fix a stay into entering and inside stays, in place; return each one's `Relation`.

    `inside` is the fix in the fence; `beyond`, it is outside by more than the margin. An entering stay is
    still OUTSIDE; a stay that ends keeps its times, and its phase is free.
    """
    entering, within = stay["phase"] == ENTERING, stay["phase"] == INSIDE
    held_inside = _held_inside(stay, inside, time_us, hold.enter_us)
    entered = (entering & inside) | held_inside
    waiting = within & (stay["beyond_us"] != NEVER)
    again = beyond & ~inside & ~hold.stays_put
    exited = waiting & ((time_us - stay["beyond_us"] >= hold.exit_us) | again)

    remains = (within & ~exited) | entered
    outside = remains & ~inside
    for name, since in (("outside_us", outside), ("beyond_us", outside & beyond)):
        first = since & (stay[name] == NEVER)
        stay[name][first] = time_us[first]
    stay["beyond_us"][remains & (inside | ~beyond)] = NEVER
    stay["outside_us"][remains & inside] = NEVER

    stay["phase"][entered] = INSIDE
    stay["phase"][exited | (entering & ~inside & ~held_inside)] = FREE
    relation = np.asarray(within * np.int8(Relation.INSIDE))
    relation[exited] = Relation.EXIT
    relation[entered] = Relation.ENTER
    return relation


def _held_inside(
    stay: NDArray[np.void], inside: Bools, time_us: Times, hold_us: NDArray[np.float64]
) -> Bools:
    """Mark the entering stays whose one fix inside counted for the hold until this one outside."""
    entering = (stay["phase"] == ENTERING) & ~inside
    return np.asarray(entering & (time_us - stay["since_us"] >= hold_us))


class Placed(NamedTuple):
    """Stays out of their vehicles' slots, one element a stay."""

    row: NDArray[np.intp]
    slot: NDArray[np.intp]
    stay: NDArray[np.void]


def taken_out(stays: NDArray[np.void]) -> Placed:
    """Return copies of the stays that are not free."""
    row, slot = np.nonzero(stays["phase"])
    return Placed(row, slot, stays[row, slot])


def put_back(stays: NDArray[np.void], placed: Placed) -> None:
    """Write stays into their slots; free ones leave nothing behind."""
    stays[placed.row, placed.slot] = placed.stay
    free = placed.stay["phase"] == FREE
    stays[placed.row[free], placed.slot[free]] = np.zeros((), STAY)


def add(stays: NDArray[np.void], row: NDArray[np.intp], stay: NDArray[np.void]) -> Placed:
    """Put new stays (sorted by row) into free slots; return those for which there was one."""
    free = stays["phase"] == FREE
    order = np.argsort(~free, axis=1, kind="stable")
    rank = np.arange(len(row)) - np.searchsorted(row, row, side="left")
    fits = rank < free.sum(axis=1)[row]
    row, stay = row[fits], stay[fits]
    placed = Placed(row, order[row, rank[fits]], stay)
    stays[placed.row, placed.slot] = stay
    return placed

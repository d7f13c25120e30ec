"""What of a table can be told without telling a number under three, also by subtracting what is told. Pure.

A sum is told if it is 3 or more and if, from all that is told, every sum under 3 could still be 0, 1 or 2.
The reader is taken to know that counts are whole and not negative, which sums are made of which cells, and
such inequalities as "every accident hurts somebody". What can be inferred is found by linear programming: for
each small sum the least and the greatest value that agrees with everything told. Where that is too narrow,
the duals name the sums that it follows from, and the least important of them is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from analytics.publishing.keys import PublishingError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Fewer than this is not told.
MIN_TOLD = 3
#: A small sum must still be able to be this much or less, and this much or more.
_LOW, _HIGH = 0, MIN_TOLD - 1
_TOLERANCE = 1e-6
_UNBOUNDED, _SOLVED = 3, 0


@dataclass(frozen=True, slots=True)
class Sum:
    """A number that might be told.

    Attributes
    ----------
    cells
        Indices of the cells that it adds up.
    value
        What it is.
    rank
        0 is told sooner than 1, and given up later.
    """

    cells: frozenset[int]
    value: int
    rank: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """What everybody knows: some cells together are at most others together."""

    cells: frozenset[int]
    others: frozenset[int]


def tellable(
    sums: Sequence[Sum], cells: int, known: Sequence[AtMost] = (), told_before: Collection[int] = ()
) -> list[bool]:
    """Return which sums can be told.

    Parameters
    ----------
    sums
        All that might be told; each is kept apart from every other, and protected if it is small.
    cells
        Number of cells.
    known
        Inequalities that hold, and that the reader knows.
    told_before
        Indices of sums that an earlier publication told: they cannot be taken back. They are taken as known
        with the values of today.
    """
    told = [each.value >= MIN_TOLD or at in told_before for at, each in enumerate(sums)]
    small = [each for at, each in enumerate(sums) if each.value < MIN_TOLD and not told[at]]
    for each in small:
        while follows := _follows_from(each, sums, told, cells, known):
            removable = [other for other in follows if other not in told_before]
            if not removable:
                raise PublishingError(
                    "what an earlier extract told, with what has become known since, tells a number under "
                    "three: a person must decide what is published"
                )
            told[max(removable, key=lambda other: (sums[other].rank, -sums[other].value, other))] = False
    # What was left out in vain is told after all, the most important first.
    left_out = [at for at, each in enumerate(sums) if each.value >= MIN_TOLD and not told[at]]
    for at in sorted(left_out, key=lambda at: (sums[at].rank, -sums[at].value, at)):
        told[at] = True
        told[at] = not any(_follows_from(each, sums, told, cells, known) for each in small)
    return told


def interval(
    wanted: Sum, sums: Sequence[Sum], told: Sequence[bool], cells: int, known: Sequence[AtMost] = ()
) -> tuple[float, float]:
    """Return the least and the greatest value of a sum that agree with all that is told."""
    least, _ = _extreme(wanted, sums, told, cells, known, sign=1)
    greatest, _ = _extreme(wanted, sums, told, cells, known, sign=-1)
    return least, greatest


def _follows_from(
    wanted: Sum, sums: Sequence[Sum], told: Sequence[bool], cells: int, known: Sequence[AtMost]
) -> list[int]:
    """Return the told sums from which a small sum is known too well; none: it is protected."""
    least, why = _extreme(wanted, sums, told, cells, known, sign=1)
    if least > _LOW + _TOLERANCE:
        return why
    greatest, why = _extreme(wanted, sums, told, cells, known, sign=-1)
    return why if greatest < _HIGH - _TOLERANCE else []


def _extreme(
    wanted: Sum,
    sums: Sequence[Sum],
    told: Sequence[bool],
    cells: int,
    known: Sequence[AtMost],
    *,
    sign: int,
) -> tuple[float, list[int]]:
    """Minimise (sign 1) or maximise (-1) a sum; return the value, and which told sums it follows from."""
    which = [at for at, is_told in enumerate(told) if is_told]
    answer = linprog(
        sign * _row(wanted.cells, cells),
        A_ub=np.array([_row(each.cells, cells) - _row(each.others, cells) for each in known])
        if known
        else None,
        b_ub=np.zeros(len(known)) if known else None,
        A_eq=np.array([_row(sums[at].cells, cells) for at in which]) if which else None,
        b_eq=np.array([float(sums[at].value) for at in which]) if which else None,
        method="highs",
    )
    if answer.status == _UNBOUNDED:
        return -sign * np.inf, []
    if answer.status != _SOLVED:
        raise PublishingError(f"the sums contradict one another: {answer.message}")
    duals: Floats = answer.eqlin.marginals if which else np.zeros(0)
    follows = [at for at, dual in zip(which, duals, strict=True) if abs(dual) > _TOLERANCE]
    return sign * float(answer.fun or 0.0), follows


def _row(chosen: frozenset[int], cells: int) -> Floats:
    row = np.zeros(cells)
    row[list(chosen)] = 1.0
    return row

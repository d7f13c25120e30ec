"""Who stands: noise moves the positions of a standing truck, and none of that is way.

A step belongs to motion if, over a window round it, the middle of the positions moves on by more than noise
does. An excursion that stays by the place where the truck stood is noise too, and what remains is rest: of it
only that counts which leads away for good, a queue that creeps.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Rows = NDArray[np.intp]

#: Half a window: so long, or two intervals where fixes are sparse, up to a minute.
HALF_S, MAX_HALF_S = 15.0, 60.0
#: Motion moves on by so much over a window of 30 s, and by more over a longer one, as wandering noise does.
MOVES_M, MOVES_FAR_M = 25.0, 50.0
_WINDOW_S = 2 * HALF_S
#: Slower is standing, of a reported speed and of a step: as where a stop before a turn is judged.
STANDS_KMH = 2.0
#: Strong noise is exceeded by motion so many standard errors, and spreads over so many deviations.
_SURE, _NOISE_SPREADS = 5.0, 8.0
#: A truck's place is that of so many seconds, and so wide: some deviations of its noise, but at least so far.
_PLACE_S, _PLACE_SPREADS, _PLACE_M = 15.0, 4.0, 3.0
#: Rest is looked at in pieces so long.
_CREEP_S = 60.0


class Line(NamedTuple):
    """Steps of legs, which have no gap, leg behind leg; each has one position more than it has steps."""

    #: Of each step: it begins where the one before ended; and the position there, before that at its end.
    goes_on: Bools
    begin: Rows
    #: Of each position: seconds that grow from one to the next; metres east and north of its leg's beginning.
    at_s: Floats
    east: Floats
    north: Floats
    #: Of each position: when its leg begins and ends, on that line of time.
    first_s: Floats
    last_s: Floats


def line(east: Floats, north: Floats, took_s: Floats, goes_on: Bools) -> Line:
    """Lay steps out; `goes_on` marks those that begin where the one before ended."""
    legs = np.flatnonzero(~goes_on)
    begin = np.arange(len(took_s)) + np.cumsum(~goes_on) - 1
    first = begin[legs]
    many = np.diff(np.r_[first, len(took_s) + len(legs)])
    lengths = np.ones((3, len(took_s) + len(legs)))  # a second between legs, metres begin anew
    lengths[0, begin + 1] = took_s
    for row, steps in ((1, east), (2, north)):
        lengths[row, begin + 1] = steps
        sums = np.r_[0.0, np.cumsum(steps)]
        lengths[row, first] = 0.0
        lengths[row, first[1:]] = -(sums[legs[1:]] - sums[legs[:-1]])
    at_s, x, y = np.cumsum(lengths, axis=1)
    return Line(
        goes_on, begin, at_s, x, y, np.repeat(at_s[first], many), np.repeat(at_s[first + many - 1], many)
    )


class Seen(NamedTuple):
    """What steps are, one each."""

    #: Motion; all others are rest.
    moves: Bools
    #: Way at rest, metres: from where the truck stood to where its motion begins, and what creeps.
    rest_m: Floats


def seen(of: Line, begin_kmh: Floats, end_kmh: Floats, noise: Floats) -> Seen:
    """Tell motion from rest.

    Parameters
    ----------
    of
        The steps.
    begin_kmh, end_kmh
        What the unit reports of its speed at the ends of each; NaN where it tells none.
    noise
        Standard deviation of the positions of each along one axis, metres.
    """
    moves, rest_m = _moves_on(of, noise), np.zeros(len(noise))
    stands = (begin_kmh < STANDS_KMH) & (end_kmh < STANDS_KMH)
    for begin, end in list(_runs(moves, of.goes_on)):
        # What the unit itself calls standing may wander farther.
        nowhere_m = MOVES_FAR_M if stands[begin:end].all() else MOVES_M
        if _spread_m(of, begin, end) < max(nowhere_m, _NOISE_SPREADS * float(noise[begin])):
            moves[begin:end] = False
    for begin, end in list(_runs(~moves, of.goes_on)):
        if end - begin > 1 and _spread_m(of, begin, end) > MOVES_FAR_M:
            _creep(rest_m, of, begin, end)
        _trim(Seen(moves, rest_m), of, begin, end)
    return Seen(moves, rest_m)


def _trim(told: Seen, of: Line, begin: int, end: int) -> None:
    """Let the rest of steps `begin` to before `end` last as long as the truck was at its place, in place.

    Windows see motion some seconds before it begins and after it is over. In these the truck is no farther
    from its place than noise takes it; from the last such position on, the way counts.
    """
    first, last = int(of.begin[begin]), int(of.begin[end - 1]) + 1
    low, came, went, high = np.searchsorted(
        of.at_s,
        [
            max(of.at_s[first] - _WINDOW_S, of.first_s[first]),
            of.at_s[first] + _PLACE_S,
            of.at_s[last] - _PLACE_S,
            min(of.at_s[last] + _WINDOW_S, of.last_s[last]),
        ],
        side="left",
    ).tolist()
    for place, beyond, steps in (
        (slice(first, min(came, last) + 1), slice(low, first), slice(begin - first + low, begin)),
        (slice(max(went, first), last + 1), slice(last + 1, high + 1), slice(end, end + high - last)),
    ):
        ahead = steps.start == end
        direction = 1 if ahead else -1
        away_m, within_m = _away_m(of, place, beyond)
        motion = np.logical_and.accumulate(told.moves[steps][::direction])
        there = np.flatnonzero(motion & (away_m <= within_m)[::direction])
        if len(there):
            trimmed = np.arange(steps.start, steps.stop)[::direction][: there[-1] + 1]
            told.moves[trimmed] = False
            told.rest_m[trimmed[-1]] += away_m[::direction][there[-1]]


def _away_m(of: Line, place: slice, beyond: slice) -> tuple[Floats, float]:
    """Return how far positions are from the middle of a place, and how far noise takes a truck from it."""
    east, north = of.east[place], of.north[place]
    x, y = float(east.sum()) / len(east), float(north.sum()) / len(north)
    variance = (float(east @ east) + float(north @ north)) / len(east) - x * x - y * y
    within_m = min(max(_PLACE_SPREADS * math.sqrt(max(variance, 0.0) / 2), _PLACE_M), MOVES_M)
    return np.hypot(of.east[beyond] - x, of.north[beyond] - y), within_m


def _moves_on(of: Line, noise: Floats) -> Bools:
    """Mark the steps in whose window the mean of the later half lies ahead of that of the earlier."""
    at, row = of.at_s, of.begin
    took, middle = at[row + 1] - at[row], (at[row + 1] + at[row]) / 2
    half = np.clip(2 * took, HALF_S, MAX_HALF_S)
    low = np.maximum(np.minimum(at[row], middle - half), of.first_s[row])
    high = np.minimum(np.maximum(at[row + 1], middle + half), of.last_s[row])
    low_row = np.searchsorted(at, low, side="right") - 1
    high_row = np.searchsorted(at, high, side="left") - 1
    whens = ((low, low_row), (middle, row), (high, high_row))
    ahead = np.zeros(len(middle))
    for along in (of.east, of.north):
        at_low, at_middle, at_high = _integrals(at, along, whens)
        ahead += ((at_high - at_middle) / (high - middle) - (at_middle - at_low) / (middle - low)) ** 2
    wanted = np.clip(MOVES_M * (high - low) / _WINDOW_S, MOVES_M, MOVES_FAR_M)
    error = noise * np.sqrt(2 / np.maximum((high - low) / (2 * took), 1.0))
    # The means of two halves are half a window apart.
    return np.asarray(2 * np.sqrt(ahead) >= np.maximum(wanted, 2 * _SURE * error))


def _integrals(at: Floats, along: Floats, whens: Sequence[tuple[Floats, Rows]]) -> Iterator[Floats]:
    """Yield the integral of straight ways between positions up to times, each with the position before it."""
    between = np.diff(at)
    slope = np.diff(along) / between
    sums = np.r_[0.0, np.cumsum((along[1:] + along[:-1]) / 2 * between)]
    for when, row in whens:
        since = when - at[row]
        yield sums[row] + since * (along[row] + slope[row] * since / 2)


def _runs(marked: Bools, goes_on: Bools) -> Iterator[tuple[int, int]]:
    """Yield where runs of marked steps of one leg begin, and where they are over."""
    joined = goes_on & marked & np.r_[False, marked[:-1]]
    begins = np.flatnonzero(marked & ~joined)
    ends = np.flatnonzero(marked & ~np.r_[joined[1:], False]) + 1
    return zip(begins.tolist(), ends.tolist(), strict=True)


def _spread_m(of: Line, begin: int, end: int) -> float:
    """Return the diagonal of the box round the positions of steps `begin` to before `end`, of one leg."""
    positions = slice(of.begin[begin], of.begin[end - 1] + 2)
    return float(np.hypot(np.ptp(of.east[positions]), np.ptp(of.north[positions])))


def _creep(crept: Floats, of: Line, begin: int, end: int) -> None:
    """Add the way of one rest, in place: from place to place that is left for good."""
    positions = slice(of.begin[begin], of.begin[end - 1] + 2)
    at_s = of.at_s[positions]
    minute = ((at_s - at_s[0]) // _CREEP_S).astype(np.intp)
    first = np.flatnonzero(np.r_[True, minute[1:] != minute[:-1]])
    many = np.diff(np.r_[first, len(minute)])
    east, north = (np.add.reduceat(along[positions], first) / many for along in (of.east, of.north))
    places = list(zip(east.tolist(), north.tolist(), strict=True))
    came, stood = places[0], [places[0]]
    # Where it is a minute later; at the end, where it is. A rest of less than a minute is one place.
    for at, (here, then) in enumerate(pairwise([*places[1:], *places[-1:]]), 1):
        middle = tuple(map(fmean, zip(*stood, strict=True)))
        if min(math.dist(middle, here), math.dist(middle, then)) > MOVES_FAR_M:
            crept[begin + int(first[at]) - 1] += math.dist(came, here)
            came, stood = here, []
        stood.append(here)

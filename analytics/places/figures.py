"""What can be said of each turning place: its rate of conflicts, drawn towards the city's.

A league table of raw rates is a table of luck: the place with two conflicts in three turns leads it. So the
rate of a place is conflicts per 1,000 armed evaluable turns, shrunk by empirical Bayes
(`analytics.statistics.companies`), with a 90 % interval and the probability that it is the worst of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.rules.camera import quiet
from analytics.places.place import NOWHERE, place_turns
from analytics.statistics.companies import company_estimates, fit_prior
from analytics.statistics.inputs import Observed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analytics.places.place import Place, Placed
    from analytics.statistics.companies import CompanyEstimate

    Bools = NDArray[np.bool_]

PER = 1000
#: On fewer armed evaluable turns nothing is said of a place; of the city as a whole neither.
FEWEST_TURNS = 50
#: P(worst) is worked out among so many at most: those whose rate may be highest.
MOST_COMPARED = 400
LEVEL = 0.90


class PlacedTurns(NamedTuple):
    """Settled right turns, without bends; equal lengths."""

    vehicle_id: NDArray[np.int32]
    lat_udeg: NDArray[np.int32]
    lon_udeg: NDArray[np.int32]
    #: Course on the way in, -1 unknown.
    course_deg: NDArray[np.int16]
    #: Seen well enough to be judged; the right-hand camera was known to work.
    evaluable: Bools
    armed: Bools
    #: How many the camera saw; -1: nobody has looked, or what it saw may be lost.
    conflicts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Right turns of one place, or of all. `base` are those that the rate is of."""

    turns: int
    evaluable: int
    #: Evaluable, watched by a camera known to work and not too quiet; and those of them with a conflict.
    base: int
    conflicts: int

    @property
    def unknown(self) -> int:
        """Turns of which nobody can say whether there was a conflict."""
        return self.turns - self.base


@dataclass(frozen=True, slots=True)
class PlaceFigures:
    """One place. `estimate` is None where there are too few turns to say anything."""

    place: Place
    counts: Counts
    estimate: CompanyEstimate | None
    #: None: too few turns, or it is none of the `MOST_COMPARED` that may be the worst.
    p_worst: float | None


@dataclass(frozen=True, slots=True)
class Survey:
    """All places, worst first; those with too few turns last, by number of turns."""

    places: list[PlaceFigures]
    #: All turns; and of these the ones whose direction is unknown, and those at no place.
    total: Counts
    undirected: int
    elsewhere: int
    #: Vehicles whose cameras see far less than others at the same places: their turns count in no rate.
    quiet_vehicles: int
    #: Conflicts per 1,000 that the places are drawn towards; None: too few turns in all, or in each.
    city_rate: float | None
    #: Why the prior is not a fitted one; None: it is.
    prior_reason: str | None


def survey(
    turns: PlacedTurns, known: Sequence[Place], *, share: float, expected: float
) -> tuple[Survey, Placed]:
    """Return what can be said of each place, and which turns are where.

    `share` and `expected` say when a camera is too quiet, as `alerts.rules.camera.quiet.cameras` takes them.
    """
    placed = place_turns(turns.lat_udeg, turns.lon_udeg, turns.course_deg, known)
    silent = _too_quiet(turns, share=share, expected=expected)
    base = turns.evaluable & turns.armed & (turns.conflicts >= 0) & ~np.isin(turns.vehicle_id, silent)
    counts = _counts(turns, base, placed)
    judged = [index for index, one in enumerate(counts) if one.base >= FEWEST_TURNS]
    estimates, city_rate, reason = _estimates([counts[index] for index in judged])
    by_place = dict(zip(judged, estimates, strict=True))
    figures = [
        PlaceFigures(place, counts[index], *by_place.get(index, (None, None)))
        for index, place in enumerate(placed.places)
        if counts[index].turns
    ]
    figures.sort(key=_worst_first)
    nowhere = placed.of_turn == NOWHERE
    undirected = int((turns.course_deg < 0).sum())
    found = Survey(
        places=figures,
        total=Counts(
            len(turns.vehicle_id),
            int(turns.evaluable.sum()),
            int(base.sum()),
            int((turns.conflicts[base] > 0).sum()),
        ),
        undirected=undirected,
        elsewhere=int(nowhere.sum()) - undirected,
        quiet_vehicles=len(silent),
        city_rate=city_rate,
        prior_reason=reason,
    )
    return found, placed


def _too_quiet(turns: PlacedTurns, *, share: float, expected: float) -> NDArray[np.int32]:
    looked = turns.evaluable & turns.armed & (turns.conflicts >= 0)
    where = quiet.places(turns.lat_udeg[looked], turns.lon_udeg[looked])
    found = quiet.cameras(
        turns.vehicle_id[looked], where, turns.conflicts[looked], share=share, expected=expected
    )
    return found.vehicle_id[found.too_quiet]


def _counts(turns: PlacedTurns, base: Bools, placed: Placed) -> list[Counts]:
    at = placed.of_turn != NOWHERE

    def many(which: Bools) -> list[int]:
        counted: list[int] = np.bincount(placed.of_turn[which & at], minlength=len(placed.places)).tolist()
        return counted

    columns = (
        many(np.ones_like(base)),
        many(turns.evaluable),
        many(base),
        many(base & (turns.conflicts > 0)),
    )
    return [Counts(*row) for row in zip(*columns, strict=True)]


def _estimates(
    counts: Sequence[Counts],
) -> tuple[list[tuple[CompanyEstimate, float | None]], float | None, str | None]:
    """Return the estimate and P(worst) of each, the rate they are drawn to, and the prior's reason."""
    if not counts:
        return [], None, None
    observed = [Observed(one.conflicts, one.base / PER) for one in counts]
    prior = fit_prior(observed)
    alone = [
        estimate
        for begin in range(0, len(observed), MOST_COMPARED)
        for estimate in company_estimates(observed[begin : begin + MOST_COMPARED], prior, level=LEVEL)
    ]
    highest = sorted(range(len(alone)), key=lambda index: -alone[index].upper)[:MOST_COMPARED]
    compared = company_estimates([observed[index] for index in highest], prior, level=LEVEL)
    p_worst = {index: one.p_worst for index, one in zip(highest, compared, strict=True)}
    return [(one, p_worst.get(index)) for index, one in enumerate(alone)], prior.a / prior.b, prior.reason


def _worst_first(one: PlaceFigures) -> tuple[bool, float, int, str]:
    if one.estimate is None:
        return True, 0.0, -one.counts.turns, one.place.code
    return False, -one.estimate.estimate, -one.counts.base, one.place.code

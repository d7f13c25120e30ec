"""A street graph in metres, and the shortest ways through it without turning round in the street.

Nodes are junctions or bends, edges are directed: a two-way street is two edges. Ways are sought over
pairs of successive edges (the line graph), so that a U-turn at a junction is never part of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from fleet.units import KMH_PER_MPS
from simulators.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Time lost in a turn at a junction.
TURN_COST_S = 2.0
TURN_DEG = 35.0
#: Some streets are liked less: their time counts up to this many times. It makes ways turn often.
DISLIKE = 1.5
LANE_WIDTH_M = 3.25
NOWHERE = -9999
GOLDEN = 0.6180339887


@dataclass(frozen=True, slots=True)
class Streets:
    """Nodes (n,) and directed edges (m,). Positions in metres east and north of the city's origin."""

    x_m: Floats
    y_m: Floats
    start: Ints
    end: Ints
    #: Posted limit, km/h.
    limit_kmh: Ints
    #: Lanes in this direction; trucks keep to the right-hand one.
    lanes: Ints
    #: Junctions with traffic lights, and those where the law wants a stop before a right turn.
    signals: Bools
    must_stop: Bools
    length_m: Floats = field(init=False)
    #: Edge in the other direction, -1 in a one-way street.
    reverse: Ints = field(init=False)

    def __post_init__(self) -> None:
        along = np.hypot(self.x_m[self.end] - self.x_m[self.start], self.y_m[self.end] - self.y_m[self.start])
        object.__setattr__(self, "length_m", along)
        by_ends = {
            (a, b): i for i, (a, b) in enumerate(zip(self.start.tolist(), self.end.tolist(), strict=True))
        }
        back = [by_ends.get((b, a), -1) for a, b in by_ends]
        object.__setattr__(self, "reverse", np.array(back, np.int64))

    def lane_offset_m(self) -> Floats:
        """Return how far the middle of the right-hand lane lies to the right of each edge's line, (m,)."""
        return np.asarray((self.lanes - 0.5) * LANE_WIDTH_M, np.float64)


class Router:
    """Fastest ways from edge to edge. `closed` edges (m,) are never used, except as the two ends."""

    def __init__(self, streets: Streets, closed: Bools) -> None:
        self._streets = streets
        self._graph = line_graph(streets, closed)
        self._before: dict[int, NDArray[np.int32]] = {}

    def way(self, from_edge: int, to_edge: int) -> list[int]:
        """Return the edges from the first to the last, both included.

        Raises
        ------
        SimulatorError
            If no way leads there.
        """
        before = self._before.get(from_edge)
        if before is None:
            before = dijkstra(self._graph, indices=[from_edge], return_predecessors=True)[1][0]
            self._before[from_edge] = before
        edges = [to_edge]
        while edges[-1] != from_edge:
            previous = int(before[edges[-1]])
            if previous == NOWHERE:
                raise SimulatorError(f"no way leads from street {from_edge} to street {to_edge}")
            edges.append(previous)
        return edges[::-1]


def line_graph(streets: Streets, closed: Bools) -> csr_matrix:
    """Return the costs in seconds of going on from one edge to the next, (m, m)."""
    edges = np.arange(len(streets.start))
    order = np.argsort(streets.start, kind="stable")
    first = np.searchsorted(streets.start[order], streets.end, "left")
    count = np.searchsorted(streets.start[order], streets.end, "right") - first
    came = np.repeat(edges, count)
    within = np.arange(len(came)) - np.repeat(np.cumsum(count) - count, count)
    goes = order[np.repeat(first, count) + within]
    allowed = (goes != streets.reverse[came]) & ~closed[goes]
    came, goes = came[allowed], goes[allowed]
    seconds = streets.length_m / (streets.limit_kmh / KMH_PER_MPS)
    seconds = seconds * (1 + (DISLIKE - 1) * (edges * GOLDEN % 1.0))
    cost = seconds[goes] + TURN_COST_S * (np.abs(turn_deg(streets, came, goes)) > TURN_DEG)
    return csr_matrix((cost, (came, goes)), shape=(len(edges), len(edges)))


def turn_deg(streets: Streets, came: Sequence[int] | Ints, goes: Sequence[int] | Ints) -> Floats:
    """Return the change of direction from each edge to the next, degrees, right positive."""
    bearing = bearing_deg(streets)
    change = bearing[np.asarray(goes)] - bearing[np.asarray(came)]
    return np.asarray((change + 180) % 360 - 180)


def bearing_deg(streets: Streets) -> Floats:
    """Return the direction of every edge, degrees clockwise from north, (m,)."""
    east = streets.x_m[streets.end] - streets.x_m[streets.start]
    north = streets.y_m[streets.end] - streets.y_m[streets.start]
    return np.asarray(np.rad2deg(np.arctan2(east, north)) % 360)

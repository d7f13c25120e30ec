"""Street graphs: a city drawn from a seed, or read from GeoJSON street lines."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from simulators.errors import SimulatorError
from simulators.projection import Projection
from simulators.streets import Streets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Streets of the core are this far apart; every third is an arterial.
BLOCK_M = 620.0
CORE_LINES = 6
ARTERIAL_EVERY = 3
#: Arterials beyond the core, metres from the centre.
OUTER_X_M = (5_600.0, 7_400.0, 9_300.0, 11_900.0)
OUTER_Y_M = (5_400.0, 7_000.0, 8_700.0)
STREET_KMH, ARTERIAL_KMH, TRUNK_KMH = 40, 60, 80
GONE_SHARE = 0.08
SIGNAL_SHARE = 0.35
MUST_STOP_SHARE = 0.35
ROTATION_DEG = 6.0
#: A node where no more than two streets meet is a bend, not a junction.
BEND_DEGREE = 2
HIGHEST_KMH, MAX_LANES = 130, 8
EAST, NORTH = 180.0, 85.0


def draw(rng: np.random.Generator) -> Streets:
    """Return a bent and incomplete lattice: a dense core with trunk roads around it."""
    lines_x, arterial_x = _lines(OUTER_X_M)
    lines_y, arterial_y = _lines(OUTER_Y_M)
    nx, ny = len(lines_x), len(lines_y)
    column, row = (a.ravel() for a in np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"))
    x, y = _bend(lines_x[column], lines_y[row], rng)
    node = np.arange(nx * ny).reshape(nx, ny)
    across = np.stack([node[:-1].ravel(), node[1:].ravel()])
    along = np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    pairs = np.hstack([across, along])
    arterial = np.concatenate([arterial_y[row[across[0]]], arterial_x[column[along[0]]]])
    half = CORE_LINES * BLOCK_M + 1
    middle_x = (lines_x[column[pairs[0]]] + lines_x[column[pairs[1]]]) / 2
    middle_y = (lines_y[row[pairs[0]]] + lines_y[row[pairs[1]]]) / 2
    core = (np.abs(middle_x) < half) & (np.abs(middle_y) < half)
    kept = arterial | (core & (rng.random(len(core)) >= GONE_SHARE))
    limit = np.where(core, np.where(arterial, ARTERIAL_KMH, STREET_KMH), TRUNK_KMH)
    lanes = np.where(arterial, 2, 1)
    both_arterial = arterial_x[column] & arterial_y[row]
    signals = both_arterial | (rng.random(len(x)) < SIGNAL_SHARE)
    must_stop = rng.random(len(x)) < MUST_STOP_SHARE
    streets = two_way(x, y, pairs[:, kept], limit[kept], lanes[kept], signals, must_stop)
    return without_dead_ends(streets)


def _lines(outer_m: tuple[float, ...]) -> tuple[Floats, Bools]:
    """Return the positions of one family of streets, metres ascending, and which are arterials."""
    core = np.arange(-CORE_LINES, CORE_LINES + 1)
    beyond = np.array(outer_m)
    lines = np.concatenate([-beyond[::-1], core * BLOCK_M, beyond])
    outside = np.ones(len(beyond), bool)
    return lines, np.concatenate([outside, core % ARTERIAL_EVERY == 0, outside])


def _bend(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Turn, warp and jitter the lattice, so that no two junctions have the same angles."""
    phase = rng.uniform(0, 2 * np.pi, 4)
    bent_x = x + 90 * np.sin(y / 2300 + phase[0]) + 60 * np.sin(x / 1700 + phase[1])
    bent_y = y + 90 * np.sin(x / 2500 + phase[2]) + 60 * np.sin(y / 1900 + phase[3])
    bent_x += rng.normal(0, 12, x.shape).clip(-25, 25)
    bent_y += rng.normal(0, 12, y.shape).clip(-25, 25)
    angle = np.deg2rad(ROTATION_DEG)
    turned_x = bent_x * np.cos(angle) - bent_y * np.sin(angle)
    return turned_x, bent_x * np.sin(angle) + bent_y * np.cos(angle)


def two_way(
    x: Floats, y: Floats, pairs: Ints, limit: Ints, lanes: Ints, signals: Bools, must_stop: Bools
) -> Streets:
    """Return the graph with an edge in each direction for every pair of nodes (2, k)."""
    start = np.concatenate([pairs[0], pairs[1]])
    end = np.concatenate([pairs[1], pairs[0]])
    return Streets(x, y, start, end, np.tile(limit, 2), np.tile(lanes, 2), signals, must_stop)


def without_dead_ends(streets: Streets) -> Streets:
    """Return the graph without streets that only lead back; node numbers stay."""
    while True:
        degree = np.bincount(streets.start, minlength=len(streets.x_m))
        alive = (degree[streets.start] > 1) & (degree[streets.end] > 1)
        if alive.all():
            return streets
        streets = replace(
            streets,
            start=streets.start[alive],
            end=streets.end[alive],
            limit_kmh=streets.limit_kmh[alive],
            lanes=streets.lanes[alive],
        )


def read(document: dict[str, Any], rng: np.random.Generator) -> tuple[Projection, Streets]:
    """Return the graph of GeoJSON LineStrings (WGS 84), joined where they share a vertex.

    Properties read of each line: `limit_kmh` (40 if missing), `lanes` in one direction (1).

    Raises
    ------
    SimulatorError
        If there are no lines, a line cannot be read, or the lines leave no street to drive on.
    """
    points: dict[tuple[float, float], int] = {}
    facts: dict[tuple[int, int], tuple[int, int]] = {}
    for number, feature in enumerate(document.get("features") or [], 1):
        try:
            line, fact = _line(feature)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise SimulatorError(f"feature {number} of the street file cannot be read: {error!r}") from error
        nodes = [points.setdefault(point, len(points)) for point in line]
        facts.update({(min(pair), max(pair)): fact for pair in pairwise(nodes) if pair[0] != pair[1]})
    if not facts:
        raise SimulatorError("the street file has no LineString features; give a GeoJSON of street lines")
    lon, lat = np.array(list(points)).T
    projection = Projection(float(lat.mean()), float(lon.mean()))
    x, y = projection.to_metres(lat, lon)
    limit, lanes = np.array(list(facts.values())).T
    pairs = np.array(list(facts))
    junction = np.bincount(pairs.ravel(), minlength=len(x)) > BEND_DEGREE
    signals = junction & (rng.random(len(x)) < SIGNAL_SHARE)
    must_stop = junction & (rng.random(len(x)) < MUST_STOP_SHARE)
    streets = without_dead_ends(two_way(x, y, pairs.T, limit, lanes, signals, must_stop))
    if not len(streets.start):
        raise SimulatorError("the street file has only dead ends; join lines by giving them a common vertex")
    return projection, streets


def _line(feature: dict[str, Any]) -> tuple[list[tuple[float, float]], tuple[int, int]]:
    """Return the points of a street and its (limit, lanes); no points if it is no line."""
    geometry, properties = feature["geometry"], feature.get("properties") or {}
    fact = (int(properties.get("limit_kmh", STREET_KMH)), int(properties.get("lanes", 1)))
    if geometry["type"] != "LineString":
        return [], fact
    limit_kmh, lanes = fact
    if not (0 < limit_kmh <= HIGHEST_KMH and 0 < lanes <= MAX_LANES):
        raise ValueError(f"limit_kmh {limit_kmh} or lanes {lanes} make no sense")
    points = [(round(float(lon), 6), round(float(lat), 6)) for lon, lat, *_ in geometry["coordinates"]]
    if not all(abs(lon) <= EAST and abs(lat) <= NORTH for lon, lat in points):
        raise ValueError("coordinates must be longitude, latitude in degrees")
    return points, fact

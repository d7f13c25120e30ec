"""A city to drive in: streets, places to go to, and the areas that rules speak of.

Drawn from a seed for a place like Jiaxing (lon 120.6-120.9, lat 30.65-30.85), or laid over street lines
that are given. Nothing of it claims to be the real street map; only the coordinates are real.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.sparse.csgraph import connected_components

from simulators import areas, lattice
from simulators.errors import SimulatorError
from simulators.projection import Projection
from simulators.sites import SHORTEST_STREET_M, Site, yard
from simulators.streams import stream
from simulators.streets import Router, Streets, line_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.areas import Area

    Bools = NDArray[np.bool_]

JIAXING = Projection(lat=30.75, lon=120.75)
OPERATING_SHARE = 0.87


@dataclass(frozen=True, slots=True)
class City:
    """What stands still: streets, sites and areas."""

    projection: Projection
    streets: Streets
    sites: tuple[Site, ...]
    areas: tuple[Area, ...]
    #: Edges (m,) that lawful ways leave out: in forbidden areas, or beyond the operating area.
    closed: Bools
    #: Edges in the middle of each forbidden area, and edges beyond the operating area.
    forbidden_edges: tuple[tuple[str, int], ...]
    outside_edges: tuple[int, ...]
    #: Edges (m,) along which a school's speed zone lies; 0 where there is none.
    zone_kmh: NDArray[np.int64]
    lawful: Router = field(repr=False)
    unlawful: Router = field(repr=False)

    def sites_of(self, kind: Literal["plant", "site", "wash"]) -> list[int]:
        """Return the positions in `sites` of those of one kind."""
        return [i for i, site in enumerate(self.sites) if site.kind == kind]

    def fences(self) -> dict[str, Any]:
        """Return all areas as a GeoJSON FeatureCollection in WGS 84."""
        features = [area.feature(self.projection) for area in self.areas]
        return {"type": "FeatureCollection", "features": features}

    def street_lines(self) -> dict[str, Any]:
        """Return the streets as GeoJSON LineStrings, one for both directions; for maps and for `make`."""
        s = self.streets
        lat, lon = self.projection.to_degrees(s.x_m, s.y_m)
        features = [
            {
                "type": "Feature",
                "properties": {"limit_kmh": int(s.limit_kmh[e]), "lanes": int(s.lanes[e])},
                "geometry": {
                    "type": "LineString",
                    "coordinates": [
                        [round(float(lon[n]), 6), round(float(lat[n]), 6)] for n in (s.start[e], s.end[e])
                    ],
                },
            }
            for e in np.flatnonzero((s.start < s.end) | (s.reverse < 0))
        ]
        return {"type": "FeatureCollection", "features": features}


def make(seed: int, plants: int, building_sites: int, lines: dict[str, Any] | None = None) -> City:
    """Draw a city, or lay plants, sites and areas over GeoJSON street `lines`.

    Raises
    ------
    SimulatorError
        If the streets have no room for the sites.
    """
    rng = stream(seed, "city")
    if lines is None:
        projection, streets = JIAXING, lattice.draw(rng)
    else:
        projection, streets = lattice.read(lines, rng)
    drawn = lines is None
    operating = areas.permitted(streets, OPERATING_SHARE)
    old_town = areas.of_old_town(_old_town_centres(streets, rng)) if drawn else []
    inside = np.zeros(len(streets.start), bool)
    for area in old_town:
        inside |= areas.touched(streets, area)
    beyond = areas.outside(streets, operating) if drawn else np.zeros_like(inside)
    closed = inside | beyond
    edges = _free_edges(streets, closed)
    sites = _settle(streets, edges, plants, building_sites, rng)
    schools = _school_edges(streets, edges, sites, rng) if drawn else []
    zone_kmh = np.zeros(len(streets.start), np.int64)
    for edge in schools:
        zone_kmh[[edge, streets.reverse[edge]]] = areas.SCHOOL_KMH
    all_areas = [
        *areas.of_sites(sites),
        *old_town,
        *areas.of_schools(streets, schools),
        *areas.of_must_stop(streets, np.flatnonzero(_used(streets) & streets.must_stop).tolist()),
        *([operating] if drawn else []),
        *areas.of_districts(),
    ]
    return City(
        projection=projection,
        streets=streets,
        sites=sites,
        areas=tuple(all_areas),
        closed=closed,
        forbidden_edges=_middle_edges(streets, old_town),
        outside_edges=tuple(int(e) for e in _far_edges(streets, beyond)),
        zone_kmh=zone_kmh,
        lawful=Router(streets, closed),
        unlawful=Router(streets, np.zeros_like(closed)),
    )


def _used(streets: Streets) -> Bools:
    used = np.zeros(len(streets.x_m), bool)
    used[streets.start] = True
    return used


def _old_town_centres(streets: Streets, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the middles of two blocks of small streets between arterials, metres (2, 2)."""
    middle = (lattice.ARTERIAL_EVERY / 2) * lattice.BLOCK_M
    ideal = np.array([[middle, middle], [-middle, -middle], [middle, -middle], [-middle, middle]])
    chosen = ideal[rng.choice(4, 2, replace=False)]
    nodes = np.stack([streets.x_m, streets.y_m], axis=1)
    distance = np.linalg.norm(nodes[None] - chosen[:, None], axis=2)
    nearest = np.argsort(distance, axis=1)[:, :4]
    return np.asarray(nodes[nearest].mean(axis=1))


def _free_edges(streets: Streets, closed: Bools) -> NDArray[np.int64]:
    """Return the edges that lawful ways connect in both directions and that have room for a yard."""
    graph = line_graph(streets, closed)
    _, component = connected_components(graph, directed=True, connection="strong")
    largest = np.bincount(component[~closed]).argmax()
    roomy = streets.length_m >= SHORTEST_STREET_M
    return np.flatnonzero((component == largest) & roomy & ~closed)


def _settle(
    streets: Streets,
    edges: NDArray[np.int64],
    plants: int,
    building_sites: int,
    rng: np.random.Generator,
) -> tuple[Site, ...]:
    """Lay plants and their wash stations along trunk roads where there are any, building sites anywhere."""
    edges = rng.permutation(edges)
    _, first = np.unique(np.minimum(edges, streets.reverse[edges] % len(streets.start)), return_index=True)
    edges = edges[np.sort(first)]
    washes = max(1, plants // 2)
    wanted = plants + washes + building_sites
    if len(edges) < wanted:
        raise SimulatorError(f"the streets have room for {len(edges)} sites, not {wanted}; ask for fewer")
    trunk_first = np.argsort(streets.limit_kmh[edges] < lattice.TRUNK_KMH, kind="stable")
    outer = edges[trunk_first[: plants + washes]]
    inner = edges[np.sort(trunk_first[plants + washes :])][:building_sites]
    made = [yard(streets, f"plant-{i + 1}", "plant", int(e)) for i, e in enumerate(outer[:plants])]
    made += [yard(streets, f"wash-{i + 1}", "wash", int(e)) for i, e in enumerate(outer[plants:])]
    made += [yard(streets, f"site-{i + 1}", "site", int(e)) for i, e in enumerate(inner)]
    return tuple(made)


def _school_edges(
    streets: Streets, edges: NDArray[np.int64], sites: tuple[Site, ...], rng: np.random.Generator
) -> list[int]:
    taken = {s.edge for s in sites} | {int(streets.reverse[s.edge]) for s in sites}
    small = [int(e) for e in edges if streets.limit_kmh[e] == lattice.STREET_KMH and int(e) not in taken]
    one_a_street = [e for e in small if e < streets.reverse[e] or streets.reverse[e] < 0]
    return sorted(int(e) for e in rng.permutation(one_a_street)[:6])


def _middle_edges(streets: Streets, old_town: list[Area]) -> tuple[tuple[str, int], ...]:
    return tuple(
        (area.code, int(edge)) for area in old_town for edge in np.flatnonzero(~areas.outside(streets, area))
    )


def _far_edges(streets: Streets, beyond: Bools) -> NDArray[np.int64]:
    """Return edges whose both ends have only edges beyond the operating area."""
    node_has_inside = np.zeros(len(streets.x_m), bool)
    node_has_inside[streets.start[~beyond]] = True
    return np.flatnonzero(beyond & ~node_has_inside[streets.start] & ~node_has_inside[streets.end])

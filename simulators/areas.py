"""The fences of a city: where trucks may not go, must not leave, must go slowly, and which county it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from simulators.lattice import BLOCK_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.projection import Projection
    from simulators.sites import Site
    from simulators.streets import Streets

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

SCHOOL_KMH = 30
SITE_DWELL_S = 5400
#: Half the width of a school's speed zone, and the share of the street's length it covers.
ZONE_HALF_M = 45.0
ZONE_FROM, ZONE_TO = 0.3, 0.7
MUST_STOP_RADIUS_M = 45.0
#: Counties around the city proper, clockwise from north, each a sector of 60 degrees.
COUNTIES = ("嘉善县", "平湖市", "海盐县", "海宁市", "桐乡市", "秀洲区")
CITY_PROPER = "市本级"
CITY_PROPER_RADIUS_M = 5_000.0
EDGE_OF_THE_WORLD_M = 40_000.0


@dataclass(frozen=True, slots=True)
class Area:
    """One fence, in metres of the city's plane."""

    code: str
    #: As in the registry: site, forbidden, permitted, speed_zone, must_stop, district.
    kind: str
    name: str
    #: (k, 2), not closed.
    ring_m: Floats
    limit_kmh: int | None = None
    max_dwell_s: int | None = None

    def polygon(self) -> shapely.Polygon:
        """Return the area as a Shapely polygon in metres."""
        return shapely.Polygon(self.ring_m)

    def feature(self, projection: Projection) -> dict[str, Any]:
        """Return the area as a GeoJSON feature, WGS 84, with the registry's properties."""
        properties: dict[str, Any] = {
            "code": self.code,
            "kind": self.kind,
            "name": self.name,
            "source_datum": "wgs84",
        }
        if self.limit_kmh is not None:
            properties["limit_kmh"] = self.limit_kmh
        if self.max_dwell_s is not None:
            properties["max_dwell_s"] = self.max_dwell_s
        ring = projection.ring(self.ring_m[:, 0], self.ring_m[:, 1])
        return {
            "type": "Feature",
            "properties": properties,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }


def of_sites(sites: tuple[Site, ...]) -> list[Area]:
    """Return a fence for each site."""
    names = {"plant": "搅拌站", "site": "工地", "wash": "洗车点"}
    return [
        Area(
            f"site-{s.code}",
            "site",
            f"{names[s.kind]} {s.code}",
            s.fence_m,
            max_dwell_s=SITE_DWELL_S if s.kind == "site" else None,
        )
        for s in sites
    ]


def of_old_town(centres_m: Floats) -> list[Area]:
    """Return a forbidden square round each centre (k, 2), a little smaller than two blocks."""
    half = 0.93 * BLOCK_M
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    return [
        Area(f"forbidden-{i + 1}", "forbidden", f"古城禁行区 {i + 1}", centre + corners)
        for i, centre in enumerate(centres_m)
    ]


def of_schools(streets: Streets, edges: list[int]) -> list[Area]:
    """Return a speed zone along the middle of each street given."""
    areas = []
    for number, edge in enumerate(edges, 1):
        a, b = streets.start[edge], streets.end[edge]
        from_m = np.array([streets.x_m[a], streets.y_m[a]])
        along = np.array([streets.x_m[b], streets.y_m[b]]) - from_m
        aside = np.array([along[1], -along[0]]) / streets.length_m[edge] * ZONE_HALF_M
        first, last = from_m + ZONE_FROM * along, from_m + ZONE_TO * along
        ring = np.array([first - aside, first + aside, last + aside, last - aside])
        areas.append(Area(f"school-{number}", "speed_zone", f"学校路段 {number}", ring, limit_kmh=SCHOOL_KMH))
    return areas


def of_must_stop(streets: Streets, nodes: list[int]) -> list[Area]:
    """Return an octagon round each junction where a stop before a right turn is the law."""
    angle = np.arange(8) * np.pi / 4
    octagon = MUST_STOP_RADIUS_M * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return [
        Area(
            f"stop-{node}",
            "must_stop",
            f"右转必停 {node}",
            octagon + np.array([streets.x_m[node], streets.y_m[node]]),
        )
        for node in nodes
    ]


def permitted(streets: Streets, share: float) -> Area:
    """Return the operating area: a rectangle, turned as the city is, over the middle `share` of it."""
    nodes = np.stack([streets.x_m[streets.start], streets.y_m[streets.start]], axis=1)
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shapely.multipoints(nodes)))[:4]
    middle = box.mean(axis=0)
    return Area("operating-area", "permitted", "营运区域", middle + share * (box - middle))


def of_districts() -> list[Area]:
    """Return the counties as sectors round the city proper. Drawn, not surveyed."""
    angle = np.deg2rad(np.arange(36) * 10.0)
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    areas = [Area("district-0", "district", CITY_PROPER, CITY_PROPER_RADIUS_M * circle)]
    for i, name in enumerate(COUNTIES):
        rays = circle[np.arange(6 * i, 6 * i + 7) % 36]
        ring = np.vstack([CITY_PROPER_RADIUS_M * rays, EDGE_OF_THE_WORLD_M * rays[::-1]])
        areas.append(Area(f"district-{i + 1}", "district", name, ring))
    return areas


def touched(streets: Streets, area: Area) -> Bools:
    """Mark the edges (m,) that come into the area."""
    return np.asarray(shapely.intersects(area.polygon(), _lines(streets)))


def outside(streets: Streets, area: Area) -> Bools:
    """Mark the edges (m,) that are not wholly inside the area."""
    return np.asarray(~shapely.covers(area.polygon(), _lines(streets)))


def _lines(streets: Streets) -> NDArray[np.object_]:
    ends = np.stack(
        [
            np.stack([streets.x_m[streets.start], streets.y_m[streets.start]], axis=1),
            np.stack([streets.x_m[streets.end], streets.y_m[streets.end]], axis=1),
        ],
        axis=1,
    )
    return np.asarray(shapely.linestrings(ends))

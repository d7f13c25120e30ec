"""The same rules as a straightforward service has them: fix by fix, objects, prepared Shapely polygons.

Speeding and the stays in forbidden, permitted and site fences, with the default numbers of the rulebook;
an STRtree finds the fences near a fix. What it says of a drive in order equals what the engine says
(`bench_fences.py` compares them); it knows nothing of segments, versions, hours, passes and rulebooks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import shapely
from shapely import Point, STRtree

EARTH_RADIUS_M = 6_371_008.8
M_PER_UDEG = EARTH_RADIUS_M * math.pi / 180e6


class Fence(NamedTuple):
    """A fence; polygon in micro-degrees."""

    code: str
    kind: str
    polygon: shapely.Polygon
    limit_kmh: float | None


@dataclass
class Stay:
    """A vehicle in a fence, or on its way in."""

    since_s: float
    entered: bool
    outside_s: float | None = None
    beyond_s: float | None = None


@dataclass
class Vehicle:
    """What is remembered of a vehicle."""

    time_s: float = -math.inf
    lat_udeg: int = 0
    lon_udeg: int = 0
    over_s: float | None = None
    clear_s: float | None = None
    speeding: bool = False
    peak_kmh: float = 0.0
    stays: dict[int, Stay] = field(default_factory=dict)


class NaiveEngine:
    """Takes fixes one by one and lists episodes: (vehicle, rule, fence, start, end)."""

    def __init__(self, fences: list[Fence], class_limit_kmh: float) -> None:
        self.fences = fences
        self.class_limit_kmh = class_limit_kmh
        self.tree = STRtree([fence.polygon for fence in fences])
        self.vehicles: dict[int, Vehicle] = {}
        self.episodes: list[tuple[int, str, str, float, float]] = []
        for fence in fences:
            shapely.prepare(fence.polygon)

    def take(self, vehicle_id: int, time_s: float, lat_udeg: int, lon_udeg: int, speed_kmh: float) -> None:
        vehicle = self.vehicles.setdefault(vehicle_id, Vehicle())
        point = Point(lon_udeg, lat_udeg)
        here = [
            int(number) for number in self.tree.query(point) if self.fences[number].polygon.intersects(point)
        ]
        self._speeding(vehicle_id, vehicle, time_s, speed_kmh, here)
        first = time_s - vehicle.time_s > 120
        self._fences(vehicle_id, vehicle, time_s, point, here, first=first)
        if not first:
            self._crossings(vehicle_id, vehicle, time_s, point, here)
        vehicle.time_s, vehicle.lat_udeg, vehicle.lon_udeg = time_s, lat_udeg, lon_udeg

    def _speeding(
        self, vehicle_id: int, vehicle: Vehicle, time_s: float, speed_kmh: float, here: list[int]
    ) -> None:
        limits = [self.class_limit_kmh, *(self.fences[n].limit_kmh for n in here)]
        limit_kmh = min(limit for limit in limits if limit is not None)
        if speed_kmh > limit_kmh + 5 and vehicle.over_s is None:
            vehicle.over_s, vehicle.peak_kmh = time_s, speed_kmh
        if vehicle.over_s is None:
            return
        vehicle.peak_kmh = max(vehicle.peak_kmh, speed_kmh)
        if not vehicle.speeding:
            if speed_kmh <= limit_kmh + 5:
                vehicle.over_s = None
            elif time_s - vehicle.over_s >= 10:
                vehicle.speeding = True
        elif speed_kmh > limit_kmh:
            vehicle.clear_s = None
        else:
            vehicle.clear_s = time_s if vehicle.clear_s is None else vehicle.clear_s
            if time_s - vehicle.clear_s >= 5:
                self.episodes.append((vehicle_id, "speeding", "", vehicle.over_s, vehicle.clear_s))
                vehicle.over_s, vehicle.clear_s, vehicle.speeding = None, None, False

    def _fences(
        self, vehicle_id: int, vehicle: Vehicle, time_s: float, point: Point, here: list[int], *, first: bool
    ) -> None:
        inside = {number for number in here if self.fences[number].kind != "speed_zone"}
        for number, stay in list(vehicle.stays.items()):
            if number in inside:
                stay.entered = True
                stay.outside_s = stay.beyond_s = None
            elif not stay.entered:
                del vehicle.stays[number]
            else:
                stay.outside_s = time_s if stay.outside_s is None else stay.outside_s
                if self._distance_m(number, point) <= 20:
                    stay.beyond_s = None
                elif stay.beyond_s is None:
                    stay.beyond_s = time_s
                else:
                    self.episodes.append(self._episode(vehicle_id, number, stay.since_s, stay.outside_s))
                    del vehicle.stays[number]
        for number in inside - vehicle.stays.keys():
            vehicle.stays[number] = Stay(time_s, entered=first)

    def _crossings(
        self, vehicle_id: int, vehicle: Vehicle, time_s: float, point: Point, here: list[int]
    ) -> None:
        before = Point(vehicle.lon_udeg, vehicle.lat_udeg)
        way_m = self._between_m(before, point)
        if way_m < 20:
            return
        way = shapely.LineString([before, point])
        for number in self.tree.query(way).tolist():
            fence = self.fences[number]
            if (
                fence.kind == "forbidden"
                and number not in vehicle.stays
                and number not in here
                and fence.polygon.intersects(way)
                and not fence.polygon.intersects(before)
                and way_m * fence.polygon.intersection(way).length / way.length >= 20
            ):
                self.episodes.append(self._episode(vehicle_id, number, vehicle.time_s, time_s))

    def _episode(
        self, vehicle_id: int, number: int, start_s: float, end_s: float
    ) -> tuple[int, str, str, float, float]:
        fence = self.fences[number]
        return vehicle_id, fence.kind, fence.code, start_s, end_s

    def _distance_m(self, number: int, point: Point) -> float:
        nearest = shapely.shortest_line(self.fences[number].polygon, point)
        (lon, lat), _ = nearest.coords
        return self._between_m(Point(lon, lat), point)

    @staticmethod
    def _between_m(one: Point, other: Point) -> float:
        east = (other.x - one.x) * math.cos(math.radians((one.y + other.y) * 0.5e-6))
        return math.hypot(east, other.y - one.y) * M_PER_UDEG

"""The same rules as a straightforward service has them: fix by fix, objects, prepared Shapely polygons.

Plausibility, segments, speeding, fatigue, zones, and the stays in forbidden, permitted and site fences, by
the numbers of the rulebook in force, with fences, facts and passes that are effective-dated. An STRtree finds
the fences near a fix. What it says of a drive in order equals what the engine says (`bench_fences.py`
compares them), but for weekly hours and for what ends when a version does, of which it knows nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import shapely
from naive_turns import NaiveTurns, Path
from shapely import Point, STRtree

EARTH_RADIUS_M = 6_371_008.8
M_PER_UDEG = EARTH_RADIUS_M * math.pi / 180e6

T = TypeVar("T")


class Fix(NamedTuple):
    """A fix; micro-degrees, seconds, km/h."""

    vehicle_id: int
    time_s: float
    lat_udeg: int
    lon_udeg: int
    speed_kmh: float | None
    hdop: float | None = None


class Fence(NamedTuple):
    """A fence; polygon in micro-degrees."""

    code: str
    kind: str
    polygon: shapely.Polygon
    limit_kmh: float | None = None
    max_dwell_s: float | None = None
    valid_from_s: float = -math.inf
    until_s: float = math.inf

    def in_force(self, time_s: float) -> bool:
        return self.valid_from_s <= time_s < self.until_s


class Numbers(NamedTuple):
    """A version of the rulebook: what these rules read of it."""

    tolerance_kmh: float = 5
    speeding_hold_s: float = 10
    clear_s: float = 5
    coarse_s: float = 30
    jump_kmh: float = 160
    jump_ratio: float = 3
    jump_m: float = 50
    frozen_kmh: float = 10
    frozen_s: float = 10
    motion_kmh: float = 5
    rest_s: float = 1200
    silence_s: float = 3600
    gap_s: float = 120
    gap_intervals: float = 3
    hold_s: float = 10
    exit_m: float = 20
    hdop_m: float = 5
    cross_m: float = 20
    mixer_dwell_s: float = 5400
    drive_s: float = 14_400
    stand_s: float = 300
    unknown_s: float = 300


class Facts(NamedTuple):
    """What the registry says of a vehicle."""

    is_mixer: bool
    limit_kmh: float


class Versions(Generic[T]):
    """Values in force one after another."""

    def __init__(self, since_s: list[float], values: list[T]) -> None:
        self.since_s, self.values = since_s, values

    def at(self, time_s: float) -> T:
        """Return the value in force; before the first, the first."""
        return self.values[max(bisect_right(self.since_s, time_s) - 1, 0)]


class Episode(NamedTuple):
    """An episode that has ended."""

    vehicle_id: int
    rule: str
    fence: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class Motion:
    """Where a vehicle was, and since when it rests."""

    last: Fix | None = None
    segment_s: float = -math.inf
    motion_s: float = -math.inf
    rest_s: float | None = None
    frozen_s: float | None = None
    usual_s: float | None = None
    chord: deque[Fix] = field(default_factory=lambda: deque(maxlen=8))


@dataclass(slots=True)
class Speeding:
    """A run above the limit, or an open episode."""

    over_s: float | None = None
    clear_s: float | None = None
    is_open: bool = False
    last_s: float = -math.inf
    peak_kmh: float = 0.0
    excess_kmh_s: float = 0.0
    above_s: float = 0.0
    distance_m: float = 0.0


@dataclass(slots=True)
class Stay:
    """A vehicle in a fence, or on its way in."""

    since_s: float
    entered: bool
    outside_s: float | None = None
    beyond_s: float | None = None
    dwells: bool = False


@dataclass(slots=True)
class Driving:
    """Time at the wheel since a rest."""

    last_s: float | None = None
    wheel_s: float | None = None
    driven_s: float = 0.0
    tired_s: float | None = None


@dataclass(slots=True)
class Vehicle:
    """What is remembered of a vehicle."""

    motion: Motion = field(default_factory=Motion)
    speeding: Speeding = field(default_factory=Speeding)
    stays: dict[int, Stay] = field(default_factory=dict)
    path: Path = field(default_factory=Path)
    driving: Driving = field(default_factory=Driving)


def distance_m(one: Fix, other: Fix) -> float:
    east = (other.lon_udeg - one.lon_udeg) * math.cos(math.radians((one.lat_udeg + other.lat_udeg) * 0.5e-6))
    return math.hypot(east, other.lat_udeg - one.lat_udeg) * M_PER_UDEG


class NaiveEngine:
    """Takes fixes one by one and lists the episodes that have ended."""

    def __init__(
        self,
        fences: list[Fence],
        facts: dict[int, Versions[Facts]],
        rulebooks: Versions[Numbers],
        passes: dict[tuple[int, str], list[tuple[float, float]]],
        turns: NaiveTurns | None = None,
    ) -> None:
        self.fences, self.facts, self.rulebooks, self.passes = fences, facts, rulebooks, passes
        self.turns = turns
        self.tree = STRtree([fence.polygon for fence in fences])
        self.vehicles: dict[int, Vehicle] = {}
        self.episodes: list[Episode] = []
        for fence in fences:
            shapely.prepare(fence.polygon)

    def take(self, fix: Fix) -> None:
        """Judge one fix."""
        vehicle = self.vehicles.setdefault(fix.vehicle_id, Vehicle())
        facts = self.facts[fix.vehicle_id].at(fix.time_s)
        rules = self.rulebooks.at(fix.time_s)
        before = vehicle.motion.last
        gap_s = max(rules.gap_s, rules.gap_intervals * (vehicle.motion.usual_s or 0.0))
        speed_kmh, moved_m, trusted, begins = self._move(vehicle.motion, fix, rules)
        if begins or (before is not None and fix.time_s - before.time_s > gap_s):
            vehicle.speeding, vehicle.stays, before = Speeding(), {}, None
        if begins:
            vehicle.path = Path()
        if self.turns is not None:
            self._fatigue(vehicle, fix, rules, begins=begins)
        if not trusted:
            return
        if self.turns is not None and speed_kmh is not None:
            self.turns.take(vehicle.path, fix.vehicle_id, fix.time_s, (fix.lat_udeg, fix.lon_udeg), speed_kmh)
        point = Point(fix.lon_udeg, fix.lat_udeg)
        here = {
            number
            for number in self.tree.query(point).tolist()
            if self.fences[number].in_force(fix.time_s) and self.fences[number].polygon.intersects(point)
        }
        if speed_kmh is not None:
            self._speeding(vehicle.speeding, fix, speed_kmh, moved_m, self._limit_kmh(facts, here), rules)
        was_in = set(vehicle.stays)
        self._stays(vehicle, fix, point, here, rules, first=before is None)
        self._dwell(vehicle, fix, facts, rules)
        if before is not None and moved_m >= rules.cross_m:
            self._crossings(was_in | vehicle.stays.keys() | here, before, fix, moved_m, rules)

    def _move(self, motion: Motion, fix: Fix, rules: Numbers) -> tuple[float | None, float, bool, bool]:
        """Return speed, way, whether the position can be trusted, and whether a segment begins."""
        last, elapsed_s, moved_m = motion.last, math.inf, 0.0
        if last is not None:
            elapsed_s, moved_m = fix.time_s - last.time_s, distance_m(last, fix)
        trusted = not (
            self._jumped(fix, elapsed_s, moved_m, rules) or self._frozen(motion, fix, moved_m, rules)
        )
        speed_kmh = fix.speed_kmh if fix.speed_kmh is not None else self._derived_kmh(motion, fix, rules)
        moving = trusted and speed_kmh is not None and speed_kmh >= rules.motion_kmh
        rested = motion.rest_s is not None and fix.time_s - motion.rest_s >= rules.rest_s
        begins = last is None or (moving and (rested or elapsed_s >= rules.silence_s))
        if moving:
            motion.motion_s, motion.rest_s = fix.time_s, None
        elif motion.rest_s is None:
            motion.rest_s = fix.time_s
        if begins:
            motion.segment_s = fix.time_s
        elif elapsed_s > 0:
            usual_s = elapsed_s if motion.usual_s is None else motion.usual_s
            motion.usual_s = usual_s + 0.1 * (elapsed_s - usual_s)
        if not motion.chord or fix.time_s - motion.chord[0].time_s >= 0.9:
            motion.chord.appendleft(fix)
        motion.last = fix
        return (speed_kmh if trusted else None), (moved_m if trusted else 0.0), trusted, begins

    def _jumped(self, fix: Fix, elapsed_s: float, moved_m: float, rules: Numbers) -> bool:
        implied_kmh = moved_m / max(elapsed_s, 1e-3) * 3.6
        contradicts = fix.speed_kmh is None or implied_kmh > rules.jump_ratio * fix.speed_kmh
        return implied_kmh > rules.jump_kmh and moved_m > rules.jump_m and contradicts

    def _frozen(self, motion: Motion, fix: Fix, moved_m: float, rules: Numbers) -> bool:
        if motion.last is None or moved_m > 0 or (fix.speed_kmh or 0.0) < rules.frozen_kmh:
            motion.frozen_s = None
            return False
        motion.frozen_s = motion.last.time_s if motion.frozen_s is None else motion.frozen_s
        return fix.time_s - motion.frozen_s >= rules.frozen_s

    def _derived_kmh(self, motion: Motion, fix: Fix, rules: Numbers) -> float | None:
        for point in motion.chord:
            if 4 <= fix.time_s - point.time_s <= rules.coarse_s:
                return distance_m(point, fix) / (fix.time_s - point.time_s) * 3.6
        return None

    def _fatigue(self, vehicle: Vehicle, fix: Fix, rules: Numbers, *, begins: bool) -> None:
        """Count the time at the wheel; standing for long is none, and a rest ends it."""
        rest_s, driving = vehicle.motion.rest_s, vehicle.driving
        if begins or (rest_s is not None and fix.time_s - rest_s >= rules.rest_s):
            if driving.tired_s is not None and driving.wheel_s is not None:
                episode = Episode(fix.vehicle_id, "fatigue", "", driving.tired_s, driving.wheel_s)
                self.episodes.append(episode)
            driving = vehicle.driving = Driving()
        since_s = 0.0 if driving.last_s is None else fix.time_s - driving.last_s
        if rest_s is None:
            stood_s = since_s if driving.wheel_s is None else fix.time_s - driving.wheel_s
            if since_s <= rules.unknown_s:
                driving.driven_s += stood_s if stood_s < rules.stand_s else since_s
            if driving.tired_s is None and driving.driven_s >= rules.drive_s:
                driving.tired_s = fix.time_s
            driving.wheel_s = fix.time_s
        driving.last_s = fix.time_s

    def _limit_kmh(self, facts: Facts, here: set[int]) -> float:
        zones_kmh = (self.fences[number].limit_kmh for number in here)
        return min([facts.limit_kmh, *(limit for limit in zones_kmh if limit is not None)])

    def _speeding(
        self, run: Speeding, fix: Fix, speed_kmh: float, moved_m: float, limit_kmh: float, rules: Numbers
    ) -> None:
        excess_kmh = speed_kmh - limit_kmh
        coarse = fix.time_s - run.last_s > rules.coarse_s
        if run.over_s is None or (coarse and not run.is_open):
            run.over_s = None
            if excess_kmh > rules.tolerance_kmh:
                run.over_s = fix.time_s
        run.last_s = fix.time_s
        if run.over_s is None:
            return
        run.peak_kmh = max(run.peak_kmh, speed_kmh)
        if excess_kmh > 0:
            run.excess_kmh_s += excess_kmh
            run.above_s += 1
            run.distance_m += moved_m
        if run.is_open:
            self._clear(run, fix, excess_kmh, rules)
        elif excess_kmh <= rules.tolerance_kmh:
            run.over_s = None
        elif fix.time_s - run.over_s >= rules.speeding_hold_s:
            run.is_open = True

    def _clear(self, run: Speeding, fix: Fix, excess_kmh: float, rules: Numbers) -> None:
        if excess_kmh > 0:
            run.clear_s = None
            return
        run.clear_s = fix.time_s if run.clear_s is None else run.clear_s
        if fix.time_s - run.clear_s >= rules.clear_s and run.over_s is not None:
            self.episodes.append(Episode(fix.vehicle_id, "speeding", "", run.over_s, run.clear_s))
            run.over_s, run.clear_s, run.is_open = None, None, False
            run.peak_kmh = run.excess_kmh_s = run.above_s = run.distance_m = 0.0

    def _stays(
        self, vehicle: Vehicle, fix: Fix, point: Point, here: set[int], rules: Numbers, *, first: bool
    ) -> None:
        inside = {number for number in here if self.fences[number].kind != "speed_zone"}
        for number, stay in list(vehicle.stays.items()):
            if not stay.entered:
                stay.entered = number in inside or fix.time_s - stay.since_s >= rules.hold_s
                if not stay.entered:
                    del vehicle.stays[number]
                    continue
            elif stay.beyond_s is not None and fix.time_s - stay.beyond_s >= rules.hold_s:
                self._leave(vehicle, fix, number, stay)
                continue
            if number in inside:
                stay.outside_s = stay.beyond_s = None
                continue
            stay.outside_s = fix.time_s if stay.outside_s is None else stay.outside_s
            margin_m = max(rules.exit_m, 2 * rules.hdop_m * (fix.hdop or 0.0))
            if self._outside_m(number, fix, point) <= margin_m:
                stay.beyond_s = None
            elif stay.beyond_s is None:
                stay.beyond_s = fix.time_s
            else:
                self._leave(vehicle, fix, number, stay)
        for number in inside - vehicle.stays.keys():
            vehicle.stays[number] = Stay(fix.time_s, entered=first)

    def _leave(self, vehicle: Vehicle, fix: Fix, number: int, stay: Stay) -> None:
        if not self._covered(fix, number):
            self._ended(fix.vehicle_id, number, stay.since_s, stay.outside_s or fix.time_s)
        del vehicle.stays[number]

    def _covered(self, fix: Fix, number: int) -> bool:
        passes = self.passes.get((fix.vehicle_id, self.fences[number].code), ())
        return any(start_s <= fix.time_s < end_s for start_s, end_s in passes)

    def _dwell(self, vehicle: Vehicle, fix: Fix, facts: Facts, rules: Numbers) -> None:
        for number, stay in vehicle.stays.items():
            fence = self.fences[number]
            if fence.kind == "site" and not stay.dwells:
                limit_s = fence.max_dwell_s or (rules.mixer_dwell_s if facts.is_mixer else math.inf)
                stay.dwells = fix.time_s - stay.since_s >= limit_s

    def _crossings(self, known: set[int], before: Fix, fix: Fix, distance_m: float, rules: Numbers) -> None:
        way = shapely.LineString([(before.lon_udeg, before.lat_udeg), (fix.lon_udeg, fix.lat_udeg)])
        start = Point(before.lon_udeg, before.lat_udeg)
        for number in self.tree.query(way).tolist():
            fence = self.fences[number]
            if (
                fence.kind == "forbidden"
                and number not in known
                and fence.in_force(fix.time_s)
                and fence.polygon.intersects(way)
                and not fence.polygon.intersects(start)
                and distance_m * fence.polygon.intersection(way).length / way.length >= rules.cross_m
                and not self._covered(fix, number)
            ):
                self._ended(fix.vehicle_id, number, before.time_s, fix.time_s)

    def _ended(self, vehicle_id: int, number: int, start_s: float, end_s: float) -> None:
        fence = self.fences[number]
        self.episodes.append(Episode(vehicle_id, fence.kind, fence.code, start_s, end_s))

    def _outside_m(self, number: int, fix: Fix, point: Point) -> float:
        (lon, lat), _ = shapely.shortest_line(self.fences[number].polygon, point).coords
        return distance_m(fix._replace(lat_udeg=lat, lon_udeg=lon), fix)

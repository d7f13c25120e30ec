"""Right turns as a straightforward service finds them: fix by fix, lines over a list of points 5 m apart.

The same lines, numbers and endings as `alerts.rules.right_turn.right_turn`; of the figures those that decide what is
dangerous. The unit's own courses, signals and intervals are left out.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

SPACING_M, POINTS = 5.0, 32
M_PER_UDEG = 6_371_008.8 * math.pi / 180e6


class TurnNumbers(NamedTuple):
    """What the rule reads of the rulebook; lengths in points of 5 m."""

    turn_from_deg: float = 40
    turn_to_deg: float = 150
    before: int = 5
    min_before: int = 3
    between: int = 4
    after: int = 5
    straight_share: float = 0.8
    fallen_deg: float = 10
    passed: int = 2
    settled_deg: float = 8
    decide_s: float = 2
    within_s: float = 25
    impossible_g: float = 1.2
    moving_kmh: float = 5
    break_s: float = 15
    break_m: float = 30


class Point(NamedTuple):
    """A point of the way driven: when, where (metres east and north of its beginning), how fast."""

    time_s: float
    east_m: float
    north_m: float
    speed_kmh: float


class Turn(NamedTuple):
    """A right turn."""

    vehicle_id: int
    time_s: float
    turned_deg: float
    max_kmh: float
    radius_m: float
    lateral_g: float


@dataclass(slots=True)
class Path:
    """What is remembered of a vehicle's way."""

    corner: Point | None = None
    lat_udeg: int = 0
    lon_udeg: int = 0
    last_s: float = 0.0
    distance_m: float = 0.0
    points: deque[Point] = field(default_factory=lambda: deque(maxlen=POINTS))
    #: Points since the reading was highest; None: no turn is watched.
    since_peak: int | None = None
    peak_deg: float = 0.0
    straight_deg: float = 0.0
    straight_s: float = 0.0
    is_spent: bool = False


def wrapped(angle_deg: float) -> float:
    return (angle_deg + 180) % 360 - 180


def course_deg(start: Point, end: Point) -> float:
    return math.degrees(math.atan2(end.east_m - start.east_m, end.north_m - start.north_m))


class NaiveTurns:
    """Takes fixes one by one and lists the right turns."""

    def __init__(self, numbers: TurnNumbers) -> None:
        self.numbers = numbers
        self.turns: list[Turn] = []

    def take(
        self, path: Path, vehicle_id: int, time_s: float, where: tuple[int, int], speed_kmh: float
    ) -> None:
        """Take one fix that can be trusted; `where` is latitude and longitude, micro-degrees."""
        rules = self.numbers
        if path.corner is None:
            self._begin(path, Point(time_s, 0.0, 0.0, speed_kmh), where)
            return
        north_m = (where[0] - path.lat_udeg) * M_PER_UDEG
        mean_deg = math.radians((where[0] + path.lat_udeg) * 0.5e-6)
        east_m = (where[1] - path.lon_udeg) * M_PER_UDEG * math.cos(mean_deg)
        length_m = math.hypot(east_m, north_m)
        corner, since_s = path.corner, time_s - path.last_s
        here = Point(time_s, corner.east_m + east_m, corner.north_m + north_m, speed_kmh)
        path.last_s = time_s
        if since_s > rules.break_s and length_m > rules.break_m:
            self._begin(path, here, where)
        elif speed_kmh >= rules.moving_kmh and length_m >= SPACING_M:
            self._lay(path, vehicle_id, here, length_m)
            path.corner, (path.lat_udeg, path.lon_udeg) = here, where

    def _begin(self, path: Path, here: Point, where: tuple[int, int]) -> None:
        path.points.clear()
        path.points.append(here)
        path.corner, (path.lat_udeg, path.lon_udeg) = here, where
        path.distance_m, path.since_peak, path.is_spent, path.last_s = 0.0, None, False, here.time_s

    def _lay(self, path: Path, vehicle_id: int, here: Point, length_m: float) -> None:
        """Lay points every 5 m of the piece of way that ends here."""
        start = path.corner
        assert start is not None
        next_m = (path.distance_m // SPACING_M + 1) * SPACING_M
        while next_m <= path.distance_m + length_m:
            share = (next_m - path.distance_m) / length_m
            laid = Point(*(a + share * (b - a) for a, b in zip(start, here, strict=True)))
            path.points.append(laid)
            self._read(path, vehicle_id, laid)
            next_m += SPACING_M
        path.distance_m += length_m

    def _read(self, path: Path, vehicle_id: int, newest: Point) -> None:
        """Read the course change between the lines up to the newest point, and follow it."""
        rules, points = self.numbers, path.points
        begins = len(points) - 1 - rules.after
        ends = begins - rules.between
        start = max(ends - rules.before, 0)
        if ends - start < rules.min_before:
            return
        first, second, third = points[start], points[ends], points[begins]
        after_deg = course_deg(third, newest)
        between_deg = course_deg(second, third)
        reading_deg = wrapped(between_deg - course_deg(first, second)) + wrapped(after_deg - between_deg)
        lines = ((first, second, ends - start), (third, newest, rules.after))
        counts = all(
            math.hypot(b.east_m - a.east_m, b.north_m - a.north_m) >= rules.straight_share * many * SPACING_M
            for a, b, many in lines
        )
        if path.since_peak is None and not path.is_spent and counts and reading_deg >= rules.turn_from_deg:
            path.since_peak, path.peak_deg, path.straight_deg = 0, reading_deg, -math.inf
        elif path.since_peak is not None:
            path.since_peak += 1
            if counts and reading_deg > path.peak_deg:
                path.since_peak, path.peak_deg = 0, reading_deg
        if path.since_peak is not None:
            turned_deg = reading_deg + wrapped(course_deg(points[-3], newest) - after_deg)
            if turned_deg > path.straight_deg + rules.settled_deg:
                path.straight_deg, path.straight_s = turned_deg, points[-2].time_s
            if (
                reading_deg < path.peak_deg - rules.fallen_deg
                or path.since_peak >= rules.passed
                or newest.time_s - path.straight_s >= rules.decide_s
            ):
                self._decide(path, vehicle_id)
        path.is_spent &= reading_deg >= rules.turn_from_deg - rules.fallen_deg

    def _decide(self, path: Path, vehicle_id: int) -> None:
        rules, since_peak = self.numbers, path.since_peak or 0
        path.since_peak, path.is_spent = None, True
        length = rules.between + 2
        end = len(path.points) - since_peak - rules.after
        arc = list(islice(path.points, max(end - length, 0), end + 1))
        radius_m = length * SPACING_M / math.radians(path.peak_deg)
        max_kmh = max(point.speed_kmh for point in arc)
        lateral_g = (max_kmh / 3.6) ** 2 / radius_m / 9.81
        took_s = arc[-1].time_s - arc[0].time_s
        is_turn = path.peak_deg <= rules.turn_to_deg and lateral_g <= rules.impossible_g
        if is_turn and took_s <= rules.within_s:
            self.turns.append(Turn(vehicle_id, arc[0].time_s, path.peak_deg, max_kmh, radius_m, lateral_g))

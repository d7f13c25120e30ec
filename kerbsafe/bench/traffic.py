"""Trucks for benches: cheap, vectorised motion whose fixes look like a city's. Pure.

Nothing here is truth to be scored against (`simulators` has that): it is load of the right shape, at a
hundred times the pace. Trucks drive on a plane of streets, turn at corners, stop, and now and then speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.columns import Fixes, FixFlag
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

COMPANY = "bench"
#: Limit of every truck in the registry.
LIMIT_KMH = 60
#: The city is a square of this half side around a place, degrees.
CENTRE_LAT, CENTRE_LON, HALF_DEG = 30.75, 120.75, 0.12
METRES_PER_DEGREE = 111_195.0
#: Of a fix: chances to turn, to stop or go, and to begin or end speeding. With fences as below an alert comes
#: of some thousand fixes: far more than a city has, few enough that positions are the load.
TURNS, STOPS, GOES, SPEEDS, SLOWS = 0.01, 0.01, 0.05, 0.0001, 0.04
CRUISE_KMH, FAST_KMH = (25.0, 55.0), 85.0


@dataclass(frozen=True)
class Traffic:
    """`rounds` fixes of each of `vehicles` trucks, one every `interval_us`, from `start_us` on.

    Row `r * vehicles + k` is truck `order[k]` in round `r`; rows are in the order of their times.
    """

    vehicles: int
    rounds: int
    start_us: int
    interval_us: int = MICROSECONDS
    seed: int = 1
    #: Number of the first truck.
    first: int = 0
    #: Chance of a fix to begin speeding.
    speeds: float = SPEEDS

    def __len__(self) -> int:
        return self.vehicles * self.rounds

    @property
    def codes(self) -> list[str]:
        """Vehicle codes by index."""
        return [f"B{number:06d}" for number in range(self.first, self.first + self.vehicles)]

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """Trucks in the order in which they report within a round."""
        return np.random.default_rng(self.seed).permutation(self.vehicles).astype(np.int32)

    def fixes(self) -> Fixes:
        """Return all fixes; `vehicle_id` is the truck's index."""
        rng = np.random.default_rng((self.seed, 2))
        shape = (self.rounds, self.vehicles)
        # Drawn before what is drawn for each round: more rounds are the same drives, continued.
        start = rng.uniform(-HALF_DEG, HALF_DEG, (2, self.vehicles))
        driven_km = rng.uniform(1e3, 9e4, self.vehicles)
        speed_kmh, course_deg = self._motion(rng, shape)
        step_deg = speed_kmh / 3.6 * (self.interval_us / MICROSECONDS) / METRES_PER_DEGREE
        north, east = np.cos(np.radians(course_deg)), np.sin(np.radians(course_deg))
        lat = CENTRE_LAT + _folded(start[0] + np.cumsum(step_deg * north, axis=0))
        lon = CENTRE_LON + _folded(start[1] + np.cumsum(step_deg * east, axis=0))
        distance_km = np.cumsum(speed_kmh, axis=0) * (self.interval_us / MICROSECONDS / 3600)
        at_us = np.arange(self.rounds)[:, None] * self.interval_us
        phase_us = np.arange(self.vehicles) * self.interval_us // self.vehicles
        return Fixes.build(
            vehicle_id=np.tile(self.order, self.rounds),
            time_us=(self.start_us + at_us + phase_us).ravel(),
            lat_udeg=np.rint(lat * 1e6).ravel(),
            lon_udeg=np.rint(lon * 1e6).ravel(),
            speed_dkmh=np.rint(speed_kmh * 10).ravel(),
            course_deg=course_deg.ravel(),
            altitude_m=rng.integers(2, 30, len(self)),
            odometer_hm=np.rint((driven_km + distance_km) * 10).ravel(),
            satellites=rng.integers(6, 20, len(self)),
            hdop_tenths=rng.integers(7, 15, len(self)),
            flags=int(FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON),
        )

    def _motion(self, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return speed and course of each truck in each round."""
        cruise_kmh = rng.uniform(*CRUISE_KMH, self.vehicles)
        course = rng.integers(0, 4, self.vehicles) * 90.0
        stands, speeds = np.zeros(self.vehicles, bool), np.zeros(self.vehicles, bool)
        speed_kmh, course_deg = np.empty(shape), np.empty(shape)
        for at in range(shape[0]):
            lot = rng.random((3, self.vehicles))
            course = (course + 90.0 * ((lot[0] < TURNS) * np.where(lot[0] < TURNS / 2, 1, 3))) % 360
            stands = np.where(stands, lot[1] >= GOES, lot[1] < STOPS)
            speeds = np.where(speeds, lot[2] >= SLOWS, lot[2] < self.speeds)
            wanted = np.where(stands & ~speeds, 0.0, np.where(speeds, FAST_KMH, cruise_kmh))
            noise = rng.normal(0.0, 0.7, self.vehicles) * (wanted > 0)
            speed_kmh[at] = np.clip(wanted + noise, 0, None)
            course_deg[at] = course
        return speed_kmh, course_deg


def _folded(offset_deg: Floats) -> Floats:
    """Return offsets reflected at the edges of the city, so that trucks stay in it."""
    period = 4 * HALF_DEG
    return np.asarray(np.abs((offset_deg - HALF_DEG) % period - 2 * HALF_DEG) - HALF_DEG)


def fences(count: int, vertices: int, *, seed: int = 1, radius_m: float = 100.0) -> dict[str, Any]:
    """Return forbidden areas as GeoJSON: star-shaped rings of `vertices` points all over the city."""
    rng = np.random.default_rng((seed, 3))
    angle = np.linspace(0.0, 2 * np.pi, vertices, endpoint=False)
    features = []
    for number in range(count):
        lat, lon = rng.uniform(-HALF_DEG, HALF_DEG, 2)
        waves = rng.integers(2, 9)
        reach = radius_m * rng.uniform(0.4, 1.6) * (1 + 0.25 * np.sin(waves * angle)) / METRES_PER_DEGREE
        ring = np.column_stack(
            [
                CENTRE_LON + lon + reach * np.sin(angle) / np.cos(np.radians(CENTRE_LAT)),
                CENTRE_LAT + lat + reach * np.cos(angle),
            ]
        ).round(6)
        features.append(
            {
                "type": "Feature",
                "properties": {"code": f"F{number:04d}", "kind": "forbidden", "name": f"F{number:04d}"},
                "geometry": {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def operating_area(share: float) -> dict[str, Any]:
    """Return the middle of the city as the one area that trucks may not leave, a GeoJSON feature."""
    reach = share * HALF_DEG
    south, north, west, east = CENTRE_LAT - reach, CENTRE_LAT + reach, CENTRE_LON - reach, CENTRE_LON + reach
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"code": "operating-area", "kind": "permitted", "name": "operating area"},
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[round(degrees, 6) for degrees in corner] for corner in ring]],
        },
    }

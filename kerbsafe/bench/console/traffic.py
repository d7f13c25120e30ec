"""Thousands of vehicles that drive up and down the streets of a grid and report once a second, over MQTT.

Run as a process of its own, so that what it costs is not charged to what is measured:
`python -m kerbsafe.bench.console.traffic HOST PORT VEHICLES SECONDS START`.
"""

from __future__ import annotations

import asyncio
import sys
import time

import numpy as np

from fleet.columns import Fixes
from fleet.geo import M_PER_UDEG
from fleet.units import MICROSECONDS
from simulators.load import Target, fix_messages, push

COMPANY = "bench"
#: Middle of the city, degrees, and the side of its square, metres.
CENTRE, SIDE_M = (30.75, 120.76), 16_000.0
STREETS = 40
#: One vehicle in twenty speeds once a minute for 20 s: of 6,000 vehicles, 5 alerts begin each second.
SPEEDERS_EVERY, CYCLE_S, SPEEDING_S = 20, 60.0, 20.0
LIMIT_KMH, CALM_KMH, FAST_KMH = 60, 42.0, 82.0
_WINDOW_S = 5


def codes(vehicles: int) -> list[str]:
    """Return the vehicles' codes."""
    return [f"b{number:05d}" for number in range(vehicles)]


def fixes_at(vehicles: int, second: int, start_us: int) -> Fixes:
    """Return a fix of every vehicle in one second of the run; each keeps its moment within the second."""
    number = np.arange(vehicles)
    moment_s = second + number / vehicles
    phase_s = (
        moment_s + (number // SPEEDERS_EVERY) * (CYCLE_S / max(vehicles // SPEEDERS_EVERY, 1))
    ) % CYCLE_S
    fast = (number % SPEEDERS_EVERY == 0) & (phase_s < SPEEDING_S)
    mean_kmh = np.where(
        number % SPEEDERS_EVERY == 0, CALM_KMH + (FAST_KMH - CALM_KMH) * SPEEDING_S / CYCLE_S, CALM_KMH
    )
    # Up and down a street: a triangle wave over the way driven, each vehicle beginning elsewhere.
    distance_m = (moment_s * mean_kmh / 3.6 + number * 97.0) % (2 * SIDE_M)
    ahead = distance_m < SIDE_M
    along_m = np.where(ahead, distance_m, 2 * SIDE_M - distance_m) - SIDE_M / 2
    across_m = (number % STREETS) * (SIDE_M / STREETS) - SIDE_M / 2
    eastward = (number // STREETS) % 2 == 0
    east_m, north_m = np.where(eastward, along_m, across_m), np.where(eastward, across_m, along_m)
    course = np.where(eastward, np.where(ahead, 90, 270), np.where(ahead, 0, 180))
    return Fixes.build(
        vehicle_id=number,
        time_us=start_us + (moment_s * MICROSECONDS).astype(np.int64),
        lat_udeg=CENTRE[0] * 1e6 + north_m / M_PER_UDEG,
        lon_udeg=CENTRE[1] * 1e6 + east_m / (M_PER_UDEG * np.cos(np.deg2rad(CENTRE[0]))),
        speed_dkmh=np.where(fast, FAST_KMH, CALM_KMH) * 10,
        course_deg=course,
        limit_kmh=LIMIT_KMH,
        satellites=12,
    )


async def drive(target: Target, vehicles: int, seconds: int, start_us: int) -> None:
    """Publish in real time; each window of seconds over a connection of its own."""
    addresses = [(COMPANY, code) for code in codes(vehicles)]
    async with asyncio.TaskGroup() as group:
        for first in range(0, seconds, _WINDOW_S):
            fixes = Fixes.concat([fixes_at(vehicles, first + i, start_us) for i in range(_WINDOW_S)])
            messages = fix_messages(fixes, addresses)
            begins_s = start_us / MICROSECONDS + first
            await asyncio.sleep(max(0.0, begins_s - time.time()))
            one = Target(target.host, target.port, client_prefix=f"bench-{first}-")
            group.create_task(push(messages, one, per_s=vehicles))


if __name__ == "__main__":
    host, port, vehicles_, seconds_, start_ = sys.argv[1:]
    asyncio.run(drive(Target(host, int(port)), int(vehicles_), int(seconds_), int(start_)))

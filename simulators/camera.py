"""Blind-spot cameras and the health of units: what they report of people beside trucks and of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.columns import CameraEvents, CameraState, HealthReports, Phase, Side, Target
from fleet.units import MICROSECONDS
from simulators.streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulators.intervals import Intervals
    from simulators.observation import Sensors
    from simulators.sampling import States
    from simulators.truth import Row

    Ints = NDArray[np.int64]

FIRMWARE = "kb-2.3.1"
HEALTH_EVERY_S = 600
#: From the moment somebody is there to the moment the camera says so.
REACTION_S = (0.15, 0.5)
FALSE_STAY_S = 0.8
TARGETS = {"pedestrian": Target.PEDESTRIAN, "cycle": Target.CYCLE}


class Cameras:
    """The right-hand cameras of all trucks; their clocks are their own."""

    def __init__(self, seed: int, sensors: Sensors, codes: list[str], covered: Intervals) -> None:
        self._seed, self._sensors, self._covered = seed, sensors, covered
        self._number = {code: number for number, code in enumerate(codes)}
        rng = stream(seed, "cameras")
        self.offset_us = np.rint(
            sensors.camera_clock_s * 1000 * rng.normal(size=len(codes)).clip(-3, 3)
        ).astype(np.int64) * (MICROSECONDS // 1000)
        self._windows = 0

    def observe(
        self, rows: list[Row], states: States, from_us: int, until_us: int
    ) -> tuple[CameraEvents, Ints]:
        """Return the events of a window and the true times at which they are reported.

        Parameters
        ----------
        rows
            Truth of kinds `conflict` and `passing` that begins in the window.
        states
            Where trucks are; a camera that sees ghosts sees them at these times.
        """
        rng = stream(self._seed, "detections", self._windows)
        self._windows += 1
        seen = [
            (
                self._number[r["vehicle"]],
                r["started_us"],
                r["ended_us"],
                int(TARGETS[r["target"]]),
                r["where"],
            )
            for r in rows
            if not overlooks(self._seed, self._sensors, self._number[r["vehicle"]], r)
        ]
        seen += self._ghosts(states, (until_us - from_us) / MICROSECONDS, rng)
        return self._events(seen, rng)

    def _ghosts(
        self, states: States, seconds: float, rng: np.random.Generator
    ) -> list[tuple[int, int, int, int, dict[str, float]]]:
        """Return detections of nobody: at moments of trucks that move."""
        trucks = len(np.unique(states.truck))
        many = int(rng.poisson(self._sensors.camera_ghosts_per_hour * trucks * seconds / 3600))
        moving = np.flatnonzero(states.speed_mps > 0)
        if many == 0 or len(moving) == 0:
            return []
        picked = rng.choice(moving, many)
        stay = round(FALSE_STAY_S * MICROSECONDS)
        return [
            (int(states.truck[i]), int(states.time_us[i]), int(states.time_us[i]) + stay, 0, {})
            for i in picked
        ]

    def _events(
        self, seen: list[tuple[int, int, int, int, dict[str, float]]], rng: np.random.Generator
    ) -> tuple[CameraEvents, Ints]:
        """Return a start and an end for everything seen by cameras that are not covered."""
        truck = np.array([s[0] for s in seen], np.int64)
        begin = np.array([s[1] for s in seen], np.int64)
        clear = self._covered.which(truck, begin) < 0
        reaction = (rng.uniform(*REACTION_S, len(seen)) * 1000).astype(np.int64) * (MICROSECONDS // 1000)
        begin = begin + reaction
        end = np.maximum(np.array([s[2] for s in seen], np.int64) + reaction, begin + MICROSECONDS // 10)
        index = np.flatnonzero(clear).repeat(2)
        true_us = np.where(np.arange(len(index)) % 2 == 0, begin[index], end[index])
        shown = true_us + self.offset_us[truck[index]]
        lat = np.array([s[4].get("lat", 0.0) for s in seen])
        lon = np.array([s[4].get("lon", 0.0) for s in seen])
        events = CameraEvents.build(
            vehicle_id=truck[index],
            time_us=shown // 1000 * 1000,
            event_id=np.array([f"{b // 1000:x}" for b in begin[index].tolist()], object),
            side=np.full(len(index), Side.RIGHT),
            target=np.array([s[3] for s in seen], np.int64)[index],
            phase=np.where(np.arange(len(index)) % 2 == 0, Phase.START, Phase.END),
            lat_udeg=np.rint(lat * 1e6)[index] if seen else np.empty(0),
            lon_udeg=np.rint(lon * 1e6)[index] if seen else np.empty(0),
            evidence=np.full(len(index), "", object),
        )
        return events, true_us


def overlooks(seed: int, sensors: Sensors, truck: int, row: Row) -> bool:
    """Say whether a truck's camera does not see what it should: drawn anew for each row, always alike."""
    return bool(stream(seed, "overlooked", truck, row["started_us"]).random() >= sensors.camera_detects)


class Health:
    """Reports of every unit: every ten minutes, at its first fix, and when its camera is covered or freed."""

    def __init__(self, trucks: int, covered: Intervals) -> None:
        self._covered = covered
        #: What was reported last: -1 nothing, 0 free, 1 covered.
        self._last = np.full(trucks, -1)

    def observe(self, states: States) -> tuple[HealthReports, Ints]:
        """Return the reports of a window and their true times; rows in time order for each truck."""
        covered = (self._covered.which(states.truck, states.time_us) >= 0).astype(np.int64)
        order = np.lexsort((states.time_us, states.truck))
        truck, time_us, covered = states.truck[order], states.time_us[order], covered[order]
        first = np.diff(truck, prepend=-1) != 0
        before = np.where(first, self._last[truck], np.roll(covered, 1))
        last = np.roll(first, -1)
        self._last[truck[last]] = covered[last]
        seconds = time_us // MICROSECONDS
        regular = (seconds + truck * 7) % HEALTH_EVERY_S == 0
        due = regular | (covered != before)
        reports = HealthReports.build(
            vehicle_id=truck[due],
            time_us=time_us[due],
            camera=np.where(covered[due] == 1, CameraState.COVERED, CameraState.OK),
            power=np.ones(int(due.sum())),
            gnss=np.ones(int(due.sum())),
            firmware=np.full(int(due.sum()), FIRMWARE, object),
        )
        return reports, time_us[due]

"""Kilometres of drives, parked trucks and gaps: `.venv/bin/python benchmarks/exposure_accuracy.py`.

Prints the tables of docs/accuracy.md on kilometres, and how many fixes are measured a second.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from labelled_drives import Drives, thin

from alerts.in_force.rulebooks import Rulebooks
from alerts.rulebook import documents
from analytics.exposure import plane
from analytics.exposure import steps as measuring
from fleet.columns import Fixes
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.exposure.steps import Steps

EVERY_S = (1, 2, 3, 5, 10, 20, 30)
GAP_MINUTES = (2, 5, 10, 20)
PARKED_S = 8 * 3600
SEEDS = 20
#: Name, standard deviation along one axis in metres, seconds in which it forgets itself.
NOISES = (
    ("independent, 3 m", 3, 0),
    ("independent, 10 m", 10, 0),
    ("wandering 10 m in 5 min", 10, 300),
    ("wandering 10 m in 30 min", 10, 1800),
)
#: The drives are cars, and two of them faster than any truck.
CARS_KMH = 250
COPIES = 5
KM = 1e6


def main() -> None:
    drives = Drives()
    truth = np.array([track["route_km_ground_truth"] for track in drives.labels["tracks"]])
    order = [drives.names.index(track["track"]) for track in drives.labels["tracks"]]
    own = [drives.tracks[at].fixes for at in order]
    print(f"{len(own)} drives, {truth.sum():.0f} km, as trucks: error {told(errors(own, truth, numbers()))}")
    print("\n| interval | straight lines | measured | median error | within, of 95 % |")
    print("|---|---|---|---|---|")
    for every in EVERY_S:
        thinned = [thin(fixes, every) for fixes in own]
        lines = np.array([chords_km(fixes) for fixes in thinned]) / truth * 100 - 100
        found = errors(thinned, truth, numbers(CARS_KMH))
        size = np.abs(found)
        print(
            f"| {every} s | {np.median(lines):+.2f} % | {np.median(found):+.2f} % | {np.median(size):.2f} % "
            f"| {np.percentile(size, 95):.1f} % |"
        )
    print_parked()
    print_gaps(own)
    print_speed(own)


def numbers(jump_kmh: float | None = None) -> NDArray[np.void]:
    """Return [motion] of the default rulebook, with another speed that none is faster than."""
    text = Path(documents.__file__).with_name("rulebook_default.toml").read_text("utf-8")
    if jump_kmh is not None:
        text = re.sub(r"(?m)^jump_kmh = .*$", f"jump_kmh = {jump_kmh}", text)
    return Rulebooks([documents.parse(text)]).numbers("motion", np.zeros(1, np.int32))


def measured(fixes: Fixes, rules: NDArray[np.void]) -> Steps:
    return measuring.measure(measuring.record(fixes, rules), rules)


def errors(
    drives: list[Fixes], truth_km: NDArray[np.float64], rules: NDArray[np.void]
) -> NDArray[np.float64]:
    km = np.array([measured(fixes, rules).distance_mm.sum() / KM for fixes in drives])
    return km / truth_km * 100 - 100


def told(error: NDArray[np.float64]) -> str:
    size = np.abs(error)
    return (
        f"{np.median(error):+.2f} % in the middle; {np.median(size):.2f} % median, "
        f"{np.percentile(size, 95):.2f} % 95th percentile, {size.max():.2f} % worst"
    )


def chords_km(fixes: Fixes) -> float:
    """Return the sum of all straight lines from fix to fix."""
    return float(np.hypot(*plane.steps_m(fixes.lat_udeg, fixes.lon_udeg)).sum()) / 1000


def print_parked() -> None:
    """Park under noise that is another one at every fix, and under such as forgets itself slowly."""
    print("\n| parked 8 hours, metres added | 1 s | 10 s | 30 s | 300 s |")
    print("|---|---|---|---|---|")
    for name, sigma_m, over_s in NOISES:
        cells = []
        for every_s in (1, 10, 30, 300):
            added = [parked_m(seed, sigma_m, over_s, every_s) for seed in range(SEEDS)]
            cells.append(f"{np.mean(added):.0f}, at most {max(added):.0f}")
        print(f"| {name} | {' | '.join(cells)} |")


def parked_m(seed: int, sigma_m: float, over_s: float, every_s: int) -> float:
    from scipy.signal import lfilter  # noqa: PLC0415 - only here

    at_s = np.arange(0, PARKED_S, every_s)
    keeps = np.exp(-every_s / over_s) if over_s else 0.0
    drawn = np.random.default_rng(seed).normal(0, sigma_m * np.sqrt(1 - keeps**2), (2, len(at_s)))
    east, north = lfilter([1.0], [1.0, -keeps], drawn, axis=1)
    fixes = Fixes.build(
        vehicle_id=1,
        time_us=at_s * MICROSECONDS,
        lat_udeg=30_700_000 + np.rint(north / 0.110864),
        lon_udeg=120_750_000 + np.rint(east / 0.095805),
    )
    steps = measured(fixes, numbers())
    return float(steps.distance_mm.sum() + steps.unseen_mm.sum()) / 1000


def print_gaps(drives: list[Fixes]) -> None:
    """What a gap's straight line is of what was truly driven in it."""
    print("\n| gap | gaps | straight line of the way driven |")
    print("|---|---|---|")
    rules = numbers(CARS_KMH)
    for minutes in GAP_MINUTES:
        way, line = [], []
        for fixes in drives:
            steps = measured(fixes, rules)
            if steps.silent.any():
                continue  # its own gaps are not known
            upto_mm = np.r_[0, np.cumsum(steps.distance_mm)]
            at_us = np.r_[steps.from_us, steps.to_us[-1]]
            ends = np.searchsorted(at_us, np.arange(at_us[0], at_us[-1], minutes * 60 * MICROSECONDS))
            record = measuring.record(fixes, rules).fixes.take(np.r_[steps.begin, steps.end[-1]][ends])
            way += np.diff(upto_mm[ends]).tolist()
            line += (np.hypot(*plane.steps_m(record.lat_udeg, record.lon_udeg)) * 1000).tolist()
        print(f"| {minutes} min | {len(way)} | {sum(line) / sum(way):.2f} |")


def print_speed(drives: list[Fixes]) -> None:
    many = Fixes.concat(
        [
            replace(
                fixes,
                vehicle_id=np.full(len(fixes), copy * len(drives) + number, np.int32),
                time_us=fixes.time_us + 1_700_000_000 * MICROSECONDS,
            )
            for copy in range(COPIES)
            for number, fixes in enumerate(drives)
        ]
    )
    rules = numbers()
    began = time.process_time()
    record = measuring.record(many, rules)
    ordered = time.process_time()
    measuring.measure(record, rules)
    done = time.process_time()
    print(
        f"\n{len(many)} fixes, one core: belief {len(many) / (ordered - began):,.0f} a second, "
        f"measuring {len(many) / (done - ordered):,.0f} a second"
    )


if __name__ == "__main__":
    main()

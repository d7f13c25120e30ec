"""The engine with geometry: speeding and 1,000 fences of 500 vertices, against the same rules fix by fix.

    python benchmarks/bench_fences.py [--vehicles N] [--seconds S] [--interval S] [--json]

Trucks drive at random through a city of 60 km with forbidden, permitted and site fences and speed zones;
columns go in, transitions come out. Both engines take the same fixes, the naive one those of some trucks,
and must say the same of them. Figures of a machine with two cores are in the bench's JSON as printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from naive_engine import Fence as NaiveFence
from naive_engine import NaiveEngine

from alerts import engine, replay, rulebook
from alerts.rules.fence import Watch
from alerts.state import EngineState
from alerts.transitions import Change, Judgement, Rule
from fleet.columns import Fixes
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.registry import Fence, FenceKind
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

START_US = 1_780_272_000 * MICROSECONDS
CITY_UDEG, SOUTH_UDEG, WEST_UDEG = 600_000, 30_000_000, 120_000_000
KINDS = [FenceKind.FORBIDDEN] * 4 + [FenceKind.SITE] * 3 + [FenceKind.PERMITTED] + [FenceKind.SPEED_ZONE] * 2
NAIVE_FIXES = 40_000
CLASS_LIMIT_KMH = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vehicles", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--interval", type=int, default=1, help="seconds between the fixes of a truck")
    parser.add_argument("--fences", type=int, default=1_000)
    parser.add_argument("--vertices", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures = measure(args)
    print(json.dumps(figures) if args.json else "\n".join(f"{k:>24} {v}" for k, v in figures.items()))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    dice = np.random.default_rng(1)
    versions = [_fence(dice, number, args.vertices) for number in range(1, args.fences + 1)]
    started_s = time.perf_counter()
    watch = Watch(Fences(versions), Passes())
    index_s = time.perf_counter() - started_s
    context = _context(watch)
    batches = list(traffic(dice, args.vehicles, args.seconds, args.interval))
    judgement, spent_s = run(batches, context)
    fixes = args.vehicles * len(batches)
    naive, naive_s, naive_fixes = run_naive(batches, watch)
    _compare(
        judgement, naive, {vehicle for vehicle, *_ in naive} | set(range(1, naive_fixes // len(batches) + 1))
    )
    _, speeding_s = run(batches, _context(None))
    opened = judgement.transitions.change == Change.OPENED
    rules = judgement.transitions.rule[opened]
    rate, naive_rate = fixes / spent_s, naive_fixes / naive_s
    return {
        "fixes_per_s": round(rate),
        "naive_fixes_per_s": round(naive_rate),
        "naive_suspect": naive_rate < 10_000,
        "ratio_naive": round(rate / naive_rate, 1),
        "us_per_fix": round(1e6 / rate, 3),
        "us_per_fix_of_fences": round((spent_s - speeding_s) / fixes * 1e6, 3),
        "us_per_fix_1k": round(per_fix_us(dice, context, 1_000), 3),
        "us_per_fix_100k": round(per_fix_us(dice, context, 100_000), 3),
        "index_s": round(index_s, 2),
        "episodes": {Rule(rule).name.lower(): int((rules == rule).sum()) for rule in np.unique(rules)},
        "fixes": fixes,
        "rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def traffic(dice: np.random.Generator, vehicles: int, seconds: int, interval: int) -> Iterator[Fixes]:
    """Yield a batch for each moment: every truck goes on, turns a little, changes speed a little."""
    lat, lon = dice.uniform(0, CITY_UDEG, (2, vehicles))
    course, speed_kmh = dice.uniform(0, 2 * np.pi, vehicles), dice.uniform(0, 60, vehicles)
    for at_s in range(0, seconds, interval):
        yield Fixes.build(
            vehicle_id=np.arange(1, vehicles + 1),
            time_us=START_US + at_s * MICROSECONDS,
            lat_udeg=SOUTH_UDEG + np.rint(lat % CITY_UDEG),
            lon_udeg=WEST_UDEG + np.rint(lon % CITY_UDEG),
            speed_dkmh=np.rint(speed_kmh * 10),
        )
        course += dice.normal(0, 0.05, vehicles) * np.sqrt(interval)
        speed_kmh = np.clip(speed_kmh + dice.normal(0, 1.5, vehicles) * np.sqrt(interval), 0, 90)
        step_udeg = speed_kmh / 3.6 * interval / 0.1112
        # At the edge of the city they turn round.
        course = np.where(_leaves(lat, lon, course, step_udeg), course + np.pi, course)
        lat, lon = lat + np.cos(course) * step_udeg, lon + np.sin(course) * step_udeg


def _leaves(lat: np.ndarray, lon: np.ndarray, course: np.ndarray, step_udeg: np.ndarray) -> np.ndarray:
    north, east = lat + np.cos(course) * step_udeg, lon + np.sin(course) * step_udeg
    return (north < 0) | (north >= CITY_UDEG) | (east < 0) | (east >= CITY_UDEG)


def run(batches: list[Fixes], context: engine.Context) -> tuple[Judgement, float]:
    state, judged = EngineState(), []
    started_s = time.perf_counter()
    judged = [engine.advance(state, batch, context) for batch in batches]
    spent_s = time.perf_counter() - started_s
    return Judgement.join(judged), spent_s


def run_naive(batches: list[Fixes], watch: Watch) -> tuple[list[tuple[Any, ...]], float, int]:
    fences = watch.fences
    naive = NaiveEngine(
        [
            NaiveFence(code, KIND_NAMES[kind], polygon, None if limit < 0 else float(limit))
            for code, kind, polygon, limit in zip(
                fences.codes, fences.kind.tolist(), fences.polygons, fences.limit_kmh.tolist(), strict=True
            )
        ],
        CLASS_LIMIT_KMH,
    )
    few = max(1, min(NAIVE_FIXES // len(batches), len(batches[0])))
    rows = [
        list(
            zip(
                batch.vehicle_id[:few].tolist(),
                (batch.time_us[:few] / MICROSECONDS).tolist(),
                batch.lat_udeg[:few].tolist(),
                batch.lon_udeg[:few].tolist(),
                (batch.speed_dkmh[:few] / 10).tolist(),
                strict=True,
            )
        )
        for batch in batches
    ]
    started_s = time.perf_counter()
    for batch in rows:
        for row in batch:
            naive.take(*row)
    return naive.episodes, time.perf_counter() - started_s, few * len(batches)


KIND_NAMES = [kind.value for kind in FenceKind]
_NAMES = {Rule.SPEEDING: "speeding", Rule.FORBIDDEN: "forbidden", Rule.SITE: "site"}


def _compare(judgement: Judgement, naive: list[tuple[Any, ...]], vehicles: set[int]) -> None:
    """Both say the same of the trucks that both have seen: speeding, forbidden and sites that have ended."""
    ended = judgement.transitions.take(judgement.transitions.change == Change.CLOSED)
    engine_says = {
        (vehicle, _NAMES[Rule(rule)], measures.get("fence", ""), start / MICROSECONDS, end / MICROSECONDS)
        for vehicle, rule, start, end, measures in zip(
            ended.vehicle_id.tolist(),
            ended.rule.tolist(),
            ended.started_us.tolist(),
            ended.ended_us.tolist(),
            ended.measures,
            strict=True,
        )
        if vehicle in vehicles and rule in _NAMES and "crossed" not in measures
    }
    naive_says = {row for row in naive if row[1] in _NAMES.values()}
    crossed = {
        (vehicle, measures["fence"])
        for vehicle, measures in zip(ended.vehicle_id.tolist(), ended.measures, strict=True)
        if "crossed" in measures
    }
    naive_says = {row for row in naive_says if (row[0], row[2]) not in crossed}
    engine_says = {row for row in engine_says if (row[0], row[2]) not in crossed}
    if engine_says != naive_says:
        raise SystemExit(f"the engines differ: {sorted(engine_says ^ naive_says)[:5]}")


def per_fix_us(dice: np.random.Generator, context: engine.Context, vehicles: int) -> float:
    """Return the cost of a fix in batches of 5,000 when so many vehicles are known, microseconds."""
    state = EngineState()
    moments = list(traffic(dice, vehicles, 4, 1))
    size = min(5_000, vehicles)
    batches = [
        moment.take(slice(first, first + size)) for moment in moments for first in range(0, vehicles, size)
    ]
    warm = len(batches) // 2
    for batch in batches[:warm]:
        engine.advance(state, batch, context)
    started_s = time.perf_counter()
    for batch in batches[warm:]:
        engine.advance(state, batch, context)
    return (time.perf_counter() - started_s) / (size * (len(batches) - warm)) * 1e6


def _context(watch: Watch | None) -> engine.Context:
    books = rulebook.Rulebooks([rulebook.default()])
    return engine.Context(books, replay.UniformFacts(limit_kmh=CLASS_LIMIT_KMH), watch)


def _fence(dice: np.random.Generator, number: int, vertices: int) -> FenceVersion:
    """Return a roundish fence of some hundred metres, with dents."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = np.arange(2, 8)[:, None]
    dents = (dice.normal(0, 0.06, (6, 1)) * np.cos(waves * angle + dice.uniform(0, 6, (6, 1)))).sum(axis=0)
    radius_udeg = dice.lognormal(np.log(400), 0.6) / 0.1112 * (1 + dents)
    middle = dice.uniform(0, CITY_UDEG, 2) + np.array([WEST_UDEG, SOUTH_UDEG])
    ring = (middle + np.column_stack([np.cos(angle), np.sin(angle)]) * radius_udeg[:, None]) * 1e-6
    points = np.round(ring, 7).tolist()
    kind = KINDS[number % len(KINDS)]
    return FenceVersion(
        number,
        0,
        Fence(
            code=f"F{number}",
            kind=kind,
            geometry={"type": "Polygon", "coordinates": [[*points, points[0]]]},
            limit_kmh=40 if kind is FenceKind.SPEED_ZONE else None,
        ),
    )


if __name__ == "__main__":
    main()

"""The engine with geometry: speeding and 1,000 fences of 500 vertices, against the same rules fix by fix.

    .venv/bin/python benchmarks/bench_fences.py [--vehicles N] [--seconds S] [--interval S] [--json]

Trucks drive at random through a city of 60 km with forbidden, permitted and site fences and speed zones;
columns go in, transitions come out. Both engines take the same fixes, the naive one those of some trucks,
and must say the same of them. Seconds are those of the process's own CPU: the machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from naive_engine import Episode, Facts, Fix, NaiveEngine, Numbers, Versions
from naive_engine import Fence as NaiveFence
from naive_turns import NaiveTurns, TurnNumbers

from alerts.engine import engine, rule_table
from alerts.engine.state import EngineState
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.rulebook import documents
from alerts.words.transitions import Change, Judgement, Rule
from fleet.columns import Fixes
from fleet.entities import Fence
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

START_US = 1_780_272_000 * MICROSECONDS
CITY_UDEG, SOUTH_UDEG, WEST_UDEG = 600_000, 30_000_000, 120_000_000
KINDS = [FenceKind.FORBIDDEN] * 4 + [FenceKind.SITE] * 3 + [FenceKind.PERMITTED] + [FenceKind.SPEED_ZONE] * 2
NAIVE_FIXES = 40_000
NAIVE_SUSPECT_UNDER = 10_000
ROUNDS = 3
KINDS_BY_NUMBER = [kind.value for kind in FenceKind]
NAMES = {Rule.SPEEDING: "speeding", Rule.FORBIDDEN: "forbidden", Rule.SITE: "site"}
CLASS_LIMIT_KMH = 60
#: With all rules: a truck's chance to turn off in a second, how long that takes and how fast it goes at most;
#: and by what share the numbers of right turns may differ.
CORNERS, CORNER_S, CORNER_KMH, TURNS_DIFFER = 0.01, 6, 18, 0.2
STANDING = 1 / 3
#: Seconds of the traffic before the clock starts, in which trucks are found where they are.
WARM_S = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vehicles", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--interval", type=int, default=1, help="seconds between the fixes of a truck")
    parser.add_argument("--fences", type=int, default=1_000)
    parser.add_argument("--vertices", type=int, default=500)
    parser.add_argument("--all-rules", action="store_true", help="right turns as well")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures = measure(args)
    print(json.dumps(figures) if args.json else "\n".join(f"{k:>24} {v}" for k, v in figures.items()))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    if not args.all_rules:
        rule_table.RULES.pop("right_turn", None)
    dice = np.random.default_rng(1)
    versions = [_fence(dice, number, args.vertices) for number in range(1, args.fences + 1)]
    started_s = time.process_time()
    watch = Watch(Fences(versions), Passes())
    index_s = time.process_time() - started_s
    context = _context(watch)
    warm = max(1, WARM_S // args.interval)
    corners = CORNERS if args.all_rules else 0.0
    seconds = args.seconds + warm * args.interval
    batches = list(traffic(dice, args.vehicles, seconds, args.interval, corners=corners))
    timed = len(batches) - warm
    fixes = args.vehicles * timed
    few = max(1, min(NAIVE_FIXES // len(batches), args.vehicles))
    # In turns, and the best of each, so that what else the machine does hits both alike.
    runs = [
        (run(batches, warm, context), run_naive(batches, warm, watch, few, all_rules=args.all_rules))
        for _ in range(ROUNDS)
    ]
    judgement, naive = runs[0][0][0], runs[0][1][0]
    _compare(judgement, naive.episodes, few)
    if args.all_rules:
        _compare_turns(judgement, naive, few)
    spent_s = min(engine_run[1] for engine_run, _ in runs)
    naive_s = min(naive_run[1] for _, naive_run in runs)
    speeding_s = min(run(batches, warm, _context(None))[1] for _ in range(ROUNDS))
    opened = judgement.transitions.change == Change.OPENED
    rules = judgement.transitions.rule[opened]
    rate, naive_rate = fixes / spent_s, few * timed / naive_s
    return {
        "fixes_per_s": round(rate),
        "naive_fixes_per_s": round(naive_rate),
        "naive_suspect": naive_rate < NAIVE_SUSPECT_UNDER,
        "ratio_naive": round(rate / naive_rate, 1),
        "us_per_fix": round(1e6 / rate, 3),
        "us_per_fix_of_fences": round((spent_s - speeding_s) / fixes * 1e6, 3),
        "us_per_fix_1k": round(per_fix_us(dice, context, 1_000), 3),
        "us_per_fix_100k": round(per_fix_us(dice, context, 100_000), 3),
        "index_s": round(index_s, 2),
        "turns": len(judgement.turns),
        "episodes": {Rule(rule).name.lower(): int((rules == rule).sum()) for rule in np.unique(rules)},
        "fixes": fixes,
        "rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def traffic(
    dice: np.random.Generator, vehicles: int, seconds: int, interval: int, *, corners: float = 0.0
) -> Iterator[Fixes]:
    """Yield a batch for each moment: trucks go on, turn and change speed a little; a third of them stands.

    `corners` is a truck's chance to turn off, in each second.
    """
    lat, lon = dice.uniform(0, CITY_UDEG, (2, vehicles))
    course, speed_kmh = dice.uniform(0, 2 * np.pi, vehicles), dice.uniform(0, 60, vehicles)
    stands = dice.random(vehicles) < STANDING
    speed_kmh[stands] = 0
    left_s, side = np.zeros(vehicles), np.zeros(vehicles)
    for at_s in range(0, seconds, interval):
        yield Fixes.build(
            vehicle_id=np.arange(1, vehicles + 1),
            time_us=START_US + at_s * MICROSECONDS,
            lat_udeg=SOUTH_UDEG + np.rint(lat % CITY_UDEG),
            lon_udeg=WEST_UDEG + np.rint(lon % CITY_UDEG),
            speed_dkmh=np.rint(speed_kmh * 10),
        )
        course += dice.normal(0, 0.05, vehicles) * np.sqrt(interval)
        if corners:
            begins = (left_s <= 0) & (dice.random(vehicles) < corners * interval)
            side, left_s = (
                np.where(begins, dice.choice([-1, 1], vehicles), side),
                np.where(begins, CORNER_S, left_s),
            )
            course += np.where(left_s > 0, side * np.pi / 2 / CORNER_S * interval, 0.0)
            left_s = left_s - interval
        speed_kmh = np.clip(speed_kmh + ~stands * dice.normal(0, 1.5, vehicles) * np.sqrt(interval), 0, 90)
        speed_kmh = np.where(left_s > 0, np.minimum(speed_kmh, CORNER_KMH), speed_kmh)
        step_udeg = speed_kmh / 3.6 * interval / 0.1112
        # At the edge of the city they turn round.
        course = np.where(_leaves(lat, lon, course, step_udeg), course + np.pi, course)
        lat, lon = lat + np.cos(course) * step_udeg, lon + np.sin(course) * step_udeg


def _leaves(lat: Floats, lon: Floats, course: Floats, step_udeg: Floats) -> NDArray[np.bool_]:
    north, east = lat + np.cos(course) * step_udeg, lon + np.sin(course) * step_udeg
    return (north < 0) | (north >= CITY_UDEG) | (east < 0) | (east >= CITY_UDEG)


def run(batches: list[Fixes], warm: int, context: Context) -> tuple[Judgement, float]:
    state = EngineState()
    judged = [engine.advance(state, batch, context) for batch in batches[:warm]]
    started_s = time.process_time()
    judged += [engine.advance(state, batch, context) for batch in batches[warm:]]
    return Judgement.join(judged), time.process_time() - started_s


def run_naive(
    batches: list[Fixes], warm: int, watch: Watch, few: int, *, all_rules: bool
) -> tuple[NaiveEngine, float]:
    """Judge the fixes of the first `few` trucks."""
    naive = _naive_engine(watch, few, NaiveTurns(TurnNumbers()) if all_rules else None)
    fixes = [Fix(*row) for batch in batches for row in _rows(batch, few)]
    for fix in fixes[: warm * few]:
        naive.take(fix)
    started_s = time.process_time()
    for fix in fixes[warm * few :]:
        naive.take(fix)
    return naive, time.process_time() - started_s


def _naive_engine(watch: Watch, vehicles: int, turns: NaiveTurns | None) -> NaiveEngine:
    fences = watch.fences
    columns = zip(fences.codes, fences.kind.tolist(), fences.polygons, fences.limit_kmh.tolist(), strict=True)
    facts = Versions([0.0], [Facts(is_mixer=False, limit_kmh=CLASS_LIMIT_KMH)])
    return NaiveEngine(
        [
            NaiveFence(code, KINDS_BY_NUMBER[kind], polygon, None if limit < 0 else float(limit))
            for code, kind, polygon, limit in columns
        ],
        dict.fromkeys(range(vehicles + 1), facts),
        Versions([0.0], [Numbers()]),
        {},
        turns,
    )


def _rows(batch: Fixes, few: int) -> Iterator[tuple[Any, ...]]:
    return zip(
        batch.vehicle_id[:few].tolist(),
        (batch.time_us[:few] / MICROSECONDS).tolist(),
        batch.lat_udeg[:few].tolist(),
        batch.lon_udeg[:few].tolist(),
        (batch.speed_dkmh[:few] / 10).tolist(),
        strict=True,
    )


def _compare(judgement: Judgement, naive: list[Episode], few: int) -> None:
    """Both say the same of the trucks that both have seen: speeding, forbidden and sites that have ended.

    A crossing is dated by the fixes here and by the boundary there: of those, only the fence is compared.
    """
    ended = judgement.transitions.take(judgement.transitions.change == Change.CLOSED)
    engine_says, crossed = set(), set()
    for vehicle, rule, start_us, end_us, measures in zip(
        ended.vehicle_id.tolist(),
        ended.rule.tolist(),
        ended.started_us.tolist(),
        ended.ended_us.tolist(),
        ended.measures,
        strict=True,
    ):
        if vehicle > few or rule not in NAMES:
            continue
        if "crossed" in measures:
            crossed.add((vehicle, measures["fence"]))
        times = start_us / MICROSECONDS, end_us / MICROSECONDS
        engine_says.add(Episode(vehicle, NAMES[rule], measures.get("fence", ""), *times))
    naive_says = {episode for episode in naive if episode.rule in NAMES.values()}
    differ = {row for row in engine_says ^ naive_says if (row.vehicle_id, row.fence) not in crossed}
    if differ or not naive_says:
        raise SystemExit(f"the engines differ in {len(differ)} of {len(naive_says)}: {sorted(differ)[:5]}")


def _compare_turns(judgement: Judgement, naive: NaiveEngine, few: int) -> None:
    """Both find the right turns that a truck has made.

    The naive one knows the arc less well: of those that took too long or were too sharp it lets more pass.
    """
    here = int((judgement.turns.vehicle_id <= few).sum())
    there = len(naive.turns.turns) if naive.turns is not None else 0
    if abs(here - there) > max(5, TURNS_DIFFER * max(here, there)):
        raise SystemExit(f"the engines differ: {here} and {there} right turns")


def per_fix_us(dice: np.random.Generator, context: Context, vehicles: int) -> float:
    """Return the cost of a fix in batches of 5,000 when so many vehicles are known, microseconds."""
    state = EngineState()
    moments = list(traffic(dice, vehicles, 20, 1))
    size = min(5_000, vehicles)
    batches = [
        moment.take(slice(first, first + size)) for moment in moments for first in range(0, vehicles, size)
    ]
    warm = len(batches) // 2
    for batch in batches[:warm]:
        engine.advance(state, batch, context)
    started_s = time.process_time()
    for batch in batches[warm:]:
        engine.advance(state, batch, context)
    return (time.process_time() - started_s) / (size * (len(batches) - warm)) * 1e6


def _context(watch: Watch | None) -> Context:
    books = Rulebooks([documents.default()])
    return Context(books, replay.UniformFacts(limit_kmh=CLASS_LIMIT_KMH), watch)


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

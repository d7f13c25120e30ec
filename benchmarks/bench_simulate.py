"""How many times faster than time a city's trucks are simulated, on one core.

    .venv/bin/python benchmarks/bench_simulate.py [--trucks 5545] [--seconds 300] [--scenario rush] [--json]

Prints the ratio of simulated to spent seconds for the true motion alone, for observed columns, and for
encoded messages with the scenario's faults. Making the city and the trucks' first drives is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

from typing import TYPE_CHECKING

from simulators import scenario

if TYPE_CHECKING:
    from simulators.scenario import Plan

START_US = 1_772_402_400_000_000
#: 5,545 mixers were counted in Beijing in 2010.
CITY = 5_545


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trucks", type=int, default=CITY)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--scenario", default="rush", choices=scenario.RECIPES)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures: dict[str, float] = {"trucks": args.trucks, "seconds": args.seconds}
    for name, run in (("motion", motion), ("columns", columns), ("messages", messages)):
        began, cpu = time.perf_counter(), time.process_time()
        rows = run(scenario.build(args.scenario, 1, args.trucks, args.seconds, START_US))
        spent, used = time.perf_counter() - began, time.process_time() - cpu
        figures[f"{name}_times_real"] = round(args.seconds / spent, 1)
        figures[f"{name}_times_real_cpu"] = round(args.seconds / used, 1)
        figures[f"{name}_rows_per_s"] = round(rows / spent)
    figures["rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(figures) if args.json else "\n".join(f"{k:24} {v:>12,}" for k, v in figures.items()))


def motion(plan: Plan) -> int:
    return sum(len(step.states) for step in plan.steps())


def columns(plan: Plan) -> int:
    return sum(len(fixes) for fixes in plan.columns())


def messages(plan: Plan) -> int:
    return sum(len(batch) for batch in plan.messages())


if __name__ == "__main__":
    main()

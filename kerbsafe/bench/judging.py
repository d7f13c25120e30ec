"""The bench of the engine: its pace beside the naive one, and how pace and memory grow with the fleet."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from typing import Any

from kerbsafe.bench import known, naive
from kerbsafe.bench.stage import wall_start_us

FEW, MANY = 1_000, 100_000
TIMEOUT_S = 400.0
#: The program that runs both engines over the same fixes and compares what they say.
PROGRAM = "bench_fences.py"


def measure() -> dict[str, Any]:
    """Return the figures of `kerbsafe bench engine`."""
    compared, all_rules = _compare(), _compare("--all-rules")
    few, many = _of_fleet(FEW), _of_fleet(MANY)
    return {
        "fixes_per_s": compared["fixes_per_s"],
        "naive_fixes_per_s": compared["naive_fixes_per_s"],
        "ratio_naive": compared["ratio_naive"],
        "fixes_per_s_all_rules": all_rules["fixes_per_s"],
        "ratio_naive_all_rules": all_rules["ratio_naive"],
        "us_per_fix_1k": round(few.us_per_fix, 2),
        "us_per_fix_100k": round(many.us_per_fix, 2),
        "rss_mib_100k": round(many.rss_mib, 1),
        "naive_suspect": compared["naive_suspect"],
    }


def _compare(*options: str) -> dict[str, Any]:
    """Run both engines; once more if the naive one was so slow that something must have hindered it."""
    path = naive.program(PROGRAM)
    found: dict[str, Any] = {}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(path), "--json", *options],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise naive.PeerError(f"{PROGRAM} failed: {done.stderr.strip()[-300:]}")
        found = json.loads(done.stdout)
        if not found["naive_suspect"]:
            break
    return found


def _of_fleet(vehicles: int) -> known.Known:
    """Judge in a process of its own, whose memory is that of the engine alone."""
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    child = context.Process(target=known.judge, args=(vehicles, wall_start_us(), results))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError("the engine ended with an error; it stands above")
    result: known.Known = results.get()
    return result

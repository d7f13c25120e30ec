"""The bench of the engine: its pace beside the naive one, and how pace and memory grow with the fleet."""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kerbsafe.bench import naive, traffic
from kerbsafe.bench.stage import wall_start_us

if TYPE_CHECKING:
    from alerts.engine import Context

FENCES, VERTICES = 1_000, 500
FEW, MANY = 1_000, 100_000
#: Fixes in one call, whatever the number of vehicles: every vehicle of the few reports in each.
BATCH = 1_000
#: Rounds in which every vehicle reports before the clock starts, and calls that are timed at least.
WARM_ROUNDS, CALLS = 20, 200
TIMEOUT_S = 400.0
_MIB = 2**20
#: The program that runs both engines over the same fixes and compares what they say.
PROGRAM = "bench_fences.py"


class Known(NamedTuple):
    """What a fleet of some size costs."""

    us_per_fix: float
    rss_mib: float


def measure() -> dict[str, Any]:
    """Return the figures of `kerbsafe bench engine`."""
    compared, all_rules = _compare(), _compare("--all-rules")
    few, many = _known(FEW), _known(MANY)
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
    path = naive.FOLDER / PROGRAM
    if not path.is_file():
        raise naive.PeerError(f"{path} is not here: run benches from a checkout of the sources")
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


def _known(vehicles: int) -> Known:
    """Judge in a process of its own, whose memory is that of the engine alone."""
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    child = context.Process(target=_judge, args=(vehicles, results))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError("the engine ended with an error; it stands above")
    return Known(*results.get())


def _judge(vehicles: int, results: Any) -> None:
    """Judge a fleet whose blocks of `BATCH` vehicles all drive alike, so that only their number differs."""
    from alerts import engine  # noqa: PLC0415 - the parent needs none of it
    from alerts.state import EngineState  # noqa: PLC0415

    blocks = vehicles // BATCH
    driven = traffic.Traffic(BATCH, WARM_ROUNDS + -(-CALLS // blocks), wall_start_us()).fixes()
    state, context = EngineState(), _context()
    spent_s = 0.0
    for at in range(0, len(driven), BATCH):
        fixes = driven.take(slice(at, at + BATCH))
        began_s = time.process_time()
        for block in range(blocks):
            shifted = replace(fixes, vehicle_id=fixes.vehicle_id + np.int32(block * BATCH))
            engine.advance(state, shifted, context)
        if at >= WARM_ROUNDS * BATCH:
            spent_s += time.process_time() - began_s
    timed = (len(driven) // BATCH - WARM_ROUNDS) * vehicles
    results.put((spent_s / timed * 1e6, _rss_mib()))


def _context() -> Context:
    from alerts import replay, rulebook  # noqa: PLC0415
    from alerts.engine import Context  # noqa: PLC0415
    from alerts.rules.fence import Watch  # noqa: PLC0415
    from fleet.fences.passes import Passes  # noqa: PLC0415
    from fleet.fences.versions import Fences, FenceVersion  # noqa: PLC0415
    from fleet.registry import Fence, FenceKind  # noqa: PLC0415

    versions = [
        FenceVersion(
            number,
            0,
            Fence(code=feature["properties"]["code"], kind=FenceKind.FORBIDDEN, geometry=feature["geometry"]),
        )
        for number, feature in enumerate(traffic.fences(FENCES, VERTICES)["features"], 1)
    ]
    facts = replay.UniformFacts(limit_kmh=traffic.LIMIT_KMH)
    return Context(rulebook.Rulebooks([rulebook.default()]), facts, Watch(Fences(versions), Passes()))


def _rss_mib() -> float:
    """Return the memory that this process holds, MiB; where only the most it has had is known, that."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text("ascii").split()[1]) * resource.getpagesize() / _MIB
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB

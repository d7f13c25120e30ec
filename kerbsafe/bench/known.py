"""What knowing many vehicles costs the engine. A module of its own: its process is to hold nothing else."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.rulebook import documents
from fleet.entities import Fence
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind
from kerbsafe.bench import traffic

FENCES, VERTICES = 1_000, 500
#: Fixes in one call, whatever the number of vehicles: every vehicle of the few reports in each.
BATCH = 1_000
#: Rounds in which every vehicle reports before the clock starts, and calls that are timed at least.
WARM_ROUNDS, CALLS = 20, 200
_MIB = 2**20


class Known(NamedTuple):
    """What a fleet of some size costs."""

    us_per_fix: float
    rss_mib: float


def judge(vehicles: int, start_us: int, results: Any) -> None:
    """Judge a fleet whose blocks of `BATCH` vehicles all drive alike, so that only their number differs.

    Puts a `Known` into `results`. The process begins like one that finds the checkpoints of all vehicles.
    """
    blocks = vehicles // BATCH
    driven = traffic.Traffic(BATCH, WARM_ROUNDS + -(-CALLS // blocks), start_us).fixes()
    state, context = EngineState(), _context()
    state.slots(np.arange(1, vehicles + 1, dtype=np.int32))
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
    results.put(Known(spent_s / timed * 1e6, _rss_mib()))


def _context() -> Context:
    versions = [
        FenceVersion(
            number,
            0,
            Fence(code=feature["properties"]["code"], kind=FenceKind.FORBIDDEN, geometry=feature["geometry"]),
        )
        for number, feature in enumerate(traffic.fences(FENCES, VERTICES)["features"], 1)
    ]
    facts = replay.UniformFacts(limit_kmh=traffic.LIMIT_KMH)
    return Context(Rulebooks([documents.default()]), facts, Watch(Fences(versions), Passes()))


def _rss_mib() -> float:
    """Return the memory that this process holds, MiB; where only the most it has had is known, that."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text("ascii").split()[1]) * resource.getpagesize() / _MIB
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB

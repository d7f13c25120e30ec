"""A scenario as files: messages, truth, faults, registry, fences and streets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fleet.trackfile import format_recorded
from simulators import sending
from simulators.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from simulators.faults import Faults
    from simulators.intervals import Intervals
    from simulators.scenario import Plan

MESSAGES, TRUTH, FAULTS = "messages.ndjson", "truth.ndjson", "faults.ndjson"
REGISTRY, FENCES, STREETS = "registry.json", "fences.geojson", "streets.geojson"
SPARSE_S = 2.0


def write(plan: Plan, folder: Path) -> dict[str, int]:
    """Write a plan into a folder, which is made if it is not there; return how much there is of what.

    Raises
    ------
    SimulatorError
        If the folder cannot be written to.
    """
    encode = msgspec.json.encode
    counts = {"messages": 0, "truth": len(plan.truth), "faults": 0}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REGISTRY).write_bytes(encode(plan.registry))
        (folder / FENCES).write_bytes(encode(plan.fences))
        (folder / STREETS).write_bytes(encode(plan.streets))
        _write_lines(folder / TRUTH, map(encode, plan.truth))
        counts["faults"] = _write_lines(folder / FAULTS, map(encode, fault_rows(plan)))
        lines = (format_recorded(message) for batch in plan.messages() for message in batch)
        counts["messages"] = _write_lines(folder / MESSAGES, lines)
    except OSError as error:
        raise SimulatorError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error
    return counts


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
            count += 1
    return count


def fault_rows(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield what was done to the observations, as far as it can explain a miss: stretches and units.

    Faults of single messages (loss, duplicates, delay, disorder, jumps) are not listed.
    """
    faults = sending.faults(plan)
    for row, kept in zip(_rows(plan, "outage", faults.outages), faults.backfilled.tolist(), strict=True):
        yield {**row, "backfilled": kept}
    yield from _rows(plan, "frozen", faults.frozen)
    for row, step_us in zip(
        _rows(plan, "clock_step", faults.clock_steps), faults.step_us.tolist(), strict=True
    ):
        yield {**row, "step_us": step_us}
    units = faults.units
    for row, weeks_us in zip(
        _rows(plan, "clock_step", units.clock_weeks), units.weeks_us.tolist(), strict=True
    ):
        yield {**row, "step_us": -weeks_us}
    yield from _rows(plan, "displaced", units.displaced)
    yield from _rows(plan, "dense", units.dense)
    yield from _rows(plan, "silent_exit", faults.silent)
    for row in sending.overlooked(plan):
        yield {"kind": "overlooked"} | {key: row[key] for key in ("vehicle", "started_us", "ended_us")}
    for truck in plan.trucks:
        for row in _unit_rows(faults, truck.number, plan.intervals_us[truck.number] / 1e6):
            yield {**row, "vehicle": truck.code}


def _unit_rows(faults: Faults, truck: int, interval_s: float) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with one unit throughout."""
    units = faults.units
    if faults.wrong_datum[truck]:
        yield {"kind": "wrong_datum"}
    if units.lag_s[truck] > 0:
        yield {"kind": "speed_lags", "lag_s": float(units.lag_s[truck])}
    if units.scale[truck] != 1:
        yield {"kind": "speed_scaled", "factor": float(units.scale[truck])}
    if interval_s > SPARSE_S:
        yield {"kind": "sparse", "interval_s": interval_s}


def _rows(plan: Plan, kind: str, intervals: Intervals) -> Iterator[dict[str, Any]]:
    for number, start, end in zip(
        intervals.truck.tolist(), intervals.start_us.tolist(), intervals.end_us.tolist(), strict=True
    ):
        yield {
            "kind": kind,
            "vehicle": plan.trucks[number].code,
            "started_us": start,
            "ended_us": end,
        }

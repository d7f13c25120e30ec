"""`kerbsafe score`: how well detections tell the truth of a simulation."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "score",
        help="score detections against the truth of a simulation",
        description="Compare detections with the truth that `kerbsafe simulate` wrote: recall, precision and "
        "errors in time of each kind, with 95 % intervals, and the cause of each miss as far as "
        "faults.ndjson beside the truth explains it.",
    )
    parser.add_argument("truth", type=Path, help="truth.ndjson")
    detected = parser.add_mutually_exclusive_group(required=True)
    detected.add_argument(
        "detected", nargs="?", type=Path, help="lines of `kerbsafe replay --json`; - for standard input"
    )
    detected.add_argument(
        "--from-store", action="store_true", help="score what is judged in the database of KERBSAFE_DSN"
    )
    parser.add_argument("--faults", type=Path, help="default: faults.ndjson beside the truth, if it is there")
    parser.add_argument(
        "--shift", type=float, default=0.0, help="seconds that were added to all times when they were played"
    )
    parser.add_argument(
        "--kinds", help="what to score, as the truth calls it, with commas; default: all that a rule detects"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, misses included")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score."""
    from kerbsafe.replay.detected import read_rows, stored_rows  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from simulators import score, writing  # noqa: PLC0415
    from simulators.errors import SimulatorError  # noqa: PLC0415

    if not math.isfinite(args.shift):
        raise SimulatorError(f"--shift {args.shift} is no number of seconds")
    beside = args.truth.with_name(writing.FAULTS)
    faults = args.faults or (beside if beside.exists() else None)
    truth = score.truth_events(read_rows(args.truth))
    rows = asyncio.run(stored_rows(truth, args.shift)) if args.from_store else read_rows(args.detected)
    figures = score.score(
        truth,
        score.detected_events(rows, args.shift),
        faults=[] if faults is None else read_rows(faults),
        kinds=None if args.kinds is None else args.kinds.split(","),
    )
    print(json.dumps(figures, ensure_ascii=False) if args.json else _table(figures))
    return 0


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{'kind':<18}{'truth':>7}{'found':>7}{'false':>7}{'split':>7}  recall               precision"]
    for kind, row in figures["kinds"].items():
        lines.append(
            f"{kind:<18}{row['truth']:>7}{row['matched']:>7}{row['false']:>7}{row['split']:>7}"
            f"  {_share(row['recall']):<19}  {_share(row['precision'])}"
        )
        lines += [f"    missed: {_miss(miss)}" for miss in row["misses"]]
    if figures["critical"]["truth"]:
        found = figures["critical"]
        lines.append(
            f"critical, of all kinds: {found['matched']} of {found['truth']}, {_share(found['recall'])}"
        )
    if figures["not_scored"]:
        lines.append(f"not scored, for no rule finds it: {', '.join(figures['not_scored'])}")
    if figures["without_truth"]:
        lines.append(f"detected, but no truth is written of it: {', '.join(figures['without_truth'])}")
    return "\n".join(lines)


def _miss(miss: dict[str, Any]) -> str:
    """Return who, when, and which listed fault hid it."""
    from fleet.units import to_datetime  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    row = miss["truth"]
    at = to_datetime(int(row["started_us"])).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{row['vehicle']} {at}, {miss['cause']}"


def _share(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "-"
    return f"{share['value']:.3f} ({share['lower']:.3f}-{share['upper']:.3f})"

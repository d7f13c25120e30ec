"""`kerbsafe simulate`: write what trucks of a drawn city send, and what truly happened."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

#: Monday, 06:00 in Shanghai. Fixed, so that the same command writes the same bytes on any day.
DEFAULT_START = "2026-03-01T22:00:00Z"
#: Streets of a large city, as GeoJSON.
_MAX_MB = 100
#: Clocks of units and the store know no other times.
FIRST_YEAR, LAST_YEAR = 1971, 2200
SCENARIOS = ("calm", "rush", "storm", "tunnel", "blind", "month", "demo")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "simulate",
        help="simulate trucks in a city whose truth is known",
        description="Move trucks through a city, observe them, corrupt the observations, and write to --out: "
        "messages.ndjson (what is sent), truth.ndjson (what happened), faults.ndjson (what was done to the "
        "observations), registry.json, fences.geojson and streets.geojson. The same arguments write the same "
        "bytes. Score what you detect with `kerbsafe score`.",
    )
    parser.add_argument("--scenario", choices=SCENARIOS, default="rush", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--trucks", type=int, default=20, help="default: %(default)s")
    parser.add_argument(
        "--hours",
        type=float,
        default=1.0,
        help="working hours; `month` spreads them over 30 days (default: %(default)s)",
    )
    parser.add_argument(
        "--start", default=DEFAULT_START, help="first moment, RFC 3339 (default: %(default)s)"
    )
    parser.add_argument(
        "--streets", type=Path, help="GeoJSON of street lines (WGS 84) to drive on, instead of drawn ones"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate and write."""
    from simulators import scenario, writing  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    plan = scenario.build(
        args.scenario,
        args.seed,
        args.trucks,
        args.hours * 3600,
        _start_us(args.start),
        lines=None if args.streets is None else _read_lines(args.streets),
    )
    counts = writing.write(plan, args.out)
    if args.json:
        print(json.dumps({"scenario": args.scenario, "seed": args.seed, "out": str(args.out), **counts}))
        return 0
    print(f"{args.scenario}: {plan.recipe.about}", file=sys.stderr)
    print(f"{args.out}: {counts['messages']} messages, {counts['truth']} rows of truth")
    return 0


def _start_us(text: str) -> int:
    from datetime import datetime  # noqa: PLC0415

    from fleet.units import to_us  # noqa: PLC0415
    from simulators.errors import SimulatorError  # noqa: PLC0415

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SimulatorError(f"--start {text!r} is no time; write it like {DEFAULT_START}") from None
    if moment.tzinfo is None:
        raise SimulatorError(f"--start {text!r} has no offset; add Z or +08:00")
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise SimulatorError(
            f"--start {text!r} is not of our time; give one from {FIRST_YEAR} to {LAST_YEAR}"
        )
    return to_us(moment)


def _read_lines(path: Path) -> dict[str, Any]:
    from kerbsafe.shell.bounded import read_bytes  # noqa: PLC0415
    from simulators.errors import SimulatorError  # noqa: PLC0415

    try:
        document = json.loads(read_bytes(path, _MAX_MB))
    except OSError as error:
        raise SimulatorError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise SimulatorError(f"{path} is not JSON: {error}; give a GeoJSON of street lines") from error
    if not isinstance(document, dict):
        raise SimulatorError(f"{path} is not a GeoJSON FeatureCollection")
    return document

"""`kerbsafe soak`: a storm of faults over real parts, and whether anything was lost, doubled or changed."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from kerbsafe.shell.numbers import above_zero, whole

if TYPE_CHECKING:
    import argparse

    from kerbsafe.soak.storm import Report


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "soak",
        description="Start TimescaleDB, Mosquitto, ingest and worker; let trucks send late, doubled and "
        "disordered data, with receivers that jump, clocks that are weeks off and one unit at 1 kHz; kill "
        "processes and servers, let machines vanish and connections fall silent, have everything delivered "
        "again, fill the broker's queue and the database's disk. Meanwhile ask `kerbsafe doctor`. At the end "
        "compare the store with what was sent, and the settled judgement with that of an undisturbed run. "
        "Exit code 1 if anything differs, was lost without a word, or was not named by the doctor.",
    )
    parser.add_argument(
        "--minutes", type=above_zero(1440), default=10.0, help="of storm (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**31), default=1, help="of storm and data (default: %(default)s)"
    )
    parser.add_argument(
        "--trucks", type=whole(1, 5_000), default=400, help="that send a fix a second (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Weather a storm and print the report."""
    from kerbsafe.soak import storm  # noqa: PLC0415

    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    request = storm.Request(seconds=args.minutes * 60, seed=args.seed, trucks=args.trucks)
    report = asyncio.run(storm.weather(request, say))
    if args.json:
        print(json.dumps(as_json(report)))
    else:
        _print(report)
    return 0 if report.is_well else 1


def as_json(report: Report) -> dict[str, object]:
    """Return a report as plain values."""
    return {
        "well": report.is_well,
        "seconds": report.request.seconds,
        "seed": report.request.seed,
        "faults": dict(report.struck),
        "skipped": report.skipped,
        "named": dict(report.named),
        "unnamed": report.unnamed,
        "restarts": report.restarts,
        "repeated": report.repeated,
        "took_s": report.took_s,
        "stuck": report.stuck,
        "verdict": None if report.verdict is None else asdict(report.verdict),
        "wrong": {} if report.verdict is None else report.verdict.faults,
    }


def _print(report: Report) -> None:
    for name, count in report.struck.items():
        asked = f", named by the doctor {report.named[name]} times" if report.named[name] else ""
        print(f"{name:>24} {count}{asked}")
    for name, why in report.skipped.items():
        print(f"{name:>24} not done: {why}")
    if (found := report.verdict) is not None:
        print(
            f"\n{found.sent:,} fixes sent; received {found.received:,}, of them {found.duplicates:,} again "
            f"and {found.rejected:,} without meaning or of the future\n"
            f"an undisturbed run has {found.episodes:,} episodes, {found.conflicts:,} of them conflicts, and "
            f"{found.turns:,} right turns\n"
            f"{found.gaps:,} gaps were told, of which {found.lost_and_told:,} observations are missing"
        )
        for name, count in found.faults.items():
            print(f"WRONG: {name.replace('_', ' ')}: {count:,}")
    for name, said in report.unnamed.items():
        print(f"WRONG: the doctor did not name `{name}`: {said}")
    if report.stuck:
        print(f"WRONG: {report.stuck}")
    print("all is well" if report.is_well else "something is wrong")

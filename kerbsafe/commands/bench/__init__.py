"""`kerbsafe bench`: measure this machine: real parts, with floor and naive peer in the same run.

One module a bench: `add_parser(benches)` describes it, `run(args)` returns its figures as a mapping. Modules
of this folder are found; what benches do and share is in `kerbsafe.bench`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command, with every module of this package as a subcommand."""
    parser = commands.add_parser(
        "bench",
        description="Measure on real parts that the bench starts and stops. Each figure stands beside what "
        "the parts could do at best (the floor) and what a simple program reaches (the naive peer). "
        "Benches end within 8 minutes; docs/performance.md says what the figures mean.",
    )
    subparsers = parser.add_subparsers(title="benches", metavar="BENCH", required=True)
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        bench = importlib.import_module(f"{__name__}.{module}")
        one: argparse.ArgumentParser = bench.add_parser(subparsers)
        one.add_argument("--json", action="store_true", help="print one JSON object")
        one.set_defaults(run=run, bench=bench.run)


def run(args: argparse.Namespace) -> int:
    """Run one bench and print its figures."""
    figures = args.bench(args)
    if args.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>24} {value:,}" if isinstance(value, int | float) else f"{name:>24} {value}")
    return 0

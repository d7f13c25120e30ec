"""`kerbsafe bench days`: a city's day closed by one process, and a month read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kerbsafe.bench import archive, closing_days

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "days",
        help="a day of fixes read, measured, counted and written; a month read",
        description="Trucks sent a fix a second for a day: one process closes it on TimescaleDB with fsync. "
        "The floor is COPY TO binary of the same rows, thrown away. 555 trucks are 48 million fixes, which "
        "take 8 GB of disk and some minutes to store before anything is measured.",
    )
    parser.add_argument("--trucks", type=int, default=37, help="that sent (default: %(default)s)")
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure: a day closed and a month read, then a day kept in the cold store."""
    return closing_days.measure(trucks=args.trucks) | archive.measure(date(2026, 10, 1))

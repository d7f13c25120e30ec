"""`kerbsafe bench latency`: from the publish of the deciding fix to its alert on a console's WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import alerting

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "latency",
        help="from the publish of the fix that decides to its alert on a console",
        description="Finds the rate that can be sustained, publishes at half of it, and times every alert "
        "from the publish of the fix that decided it to a program's WebSocket at a console. Floor: one "
        "round trip through the broker and one commit of a single row.",
    )
    parser.add_argument("--vehicles", type=int, default=5_000, help="that report (default: %(default)s)")
    parser.add_argument("--fences", type=int, default=200, help="in force (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=45.0, help="at half the rate (default: %(default)s)")
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    return alerting.measure(vehicles=args.vehicles, fences=args.fences, seconds=args.seconds)

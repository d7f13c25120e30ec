"""`kerbsafe bench ingest`: publish to committed and acknowledged, beside COPY alone and a naive pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import ingesting

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "ingest",
        help="messages a second from QoS 1 publish to committed and acknowledged",
        description="5,000 trucks publish as fast as Kerbsafe commits and acknowledges; speeding and 200 "
        "fences are judged. Floor: binary COPY of the same rows in the same batches into an equal table. "
        "Naive peer: benchmarks/naive_ingest.py.",
    )
    parser.add_argument("--messages", type=int, default=1_200_000, help="to publish (default: %(default)s)")
    parser.add_argument("--vehicles", type=int, default=5_000, help="that report (default: %(default)s)")
    parser.add_argument("--fences", type=int, default=200, help="in force (default: %(default)s)")
    parser.add_argument(
        "--window",
        type=int,
        default=45_000,
        help="messages that may be published and not committed (default: %(default)s)",
    )
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    return ingesting.measure(
        messages=args.messages, vehicles=args.vehicles, fences=args.fences, window=args.window
    )

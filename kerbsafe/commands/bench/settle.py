"""`kerbsafe bench settle`: an hour of back-fill beside live traffic, and a restart with a city's vehicles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import settling

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "settle",
        help="back-fill stored and settled beside live traffic; the time of a restart",
        description="6,000 trucks send 1,000 messages a second; 200 others upload an hour each, 720,000 "
        "fixes. Measured: fixes settled over the worker's settling seconds, publish to commit of the live "
        "messages without and with the back-fill, and how long a killed ingest takes to judge again.",
    )
    parser.add_argument("--trucks", type=int, default=200, help="that upload an hour (default: %(default)s)")
    parser.add_argument("--active", type=int, default=6_000, help="that send live (default: %(default)s)")
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    return settling.measure(trucks=args.trucks, active=args.active)

"""`kerbsafe bench flood`: what everybody else notices while one unit sends the largest messages it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import flooding
from kerbsafe.shell.numbers import above_zero

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "flood",
        help="one unit sends the largest payloads it may: what the others notice of it",
        description="6,000 trucks send 1,000 messages a second; one sends payloads of 20,000 fixes each on "
        "the topic of live ones, as fast as deploy/firewall lets one address, and 20 upload a trip each that "
        "has to be settled. Measured: publish to commit of the live messages without and with the flood, how "
        "long the trips wait to be settled, the broker's memory, and what a unit may have stored in an hour.",
    )
    parser.add_argument("--active", type=int, default=6_000, help="that send live (default: %(default)s)")
    parser.add_argument("--payloads", type=int, default=60, help="of the flood (default: %(default)s)")
    parser.add_argument(
        "--mb-per-s",
        type=above_zero(10_000),
        default=4.0,
        help="of the flood, megabytes a second; 1000: as fast as the broker takes it (default: %(default)s)",
    )
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    return flooding.measure(active=args.active, payloads=args.payloads, mb_per_s=args.mb_per_s)

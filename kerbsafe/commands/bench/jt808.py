"""`kerbsafe bench jt808`: location reports to columns, and thousands of terminals through the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import decoding, gatewaying
from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse
    from typing import Any

#: As many as a gateway lets in.
_MAX_TERMINALS = 20_000


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "jt808",
        help="frames of JT/T 808: decoded a second and processor, and from terminals to the database",
        description="Location reports (0x0200) with four items, as bytes of connections: cut into frames, "
        "unescaped, checked, and read into columns. Naive peer: benchmarks/naive_jt808.py, frame by frame "
        "with struct; both must read the same. Seconds are those of the process's own CPU. "
        "Then the whole way: terminals that report once a second, through gateway, Mosquitto and ingest; "
        "`lost` is what was acknowledged to them and is not in the database.",
    )
    parser.add_argument(
        "--terminals",
        type=whole(0, _MAX_TERMINALS),
        default=10_000,
        metavar="N",
        help="of the whole way; 0: decode only (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=whole(1, 3600), default=20, metavar="S", help="of driving (default: %(default)s)"
    )
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    found = decoding.measure()
    if args.terminals:
        found |= gatewaying.measure(terminals=args.terminals, seconds=args.seconds)
    return found

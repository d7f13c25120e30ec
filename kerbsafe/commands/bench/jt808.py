"""`kerbsafe bench jt808`: location reports of JT/T 808 to columns, beside the same frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import decoding

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    return benches.add_parser(
        "jt808",
        help="frames of JT/T 808 a second and processor that are cut, checked and decoded",
        description="Location reports (0x0200) with four items, as bytes of connections: cut into frames, "
        "unescaped, checked, and read into columns. Naive peer: benchmarks/naive_jt808.py, frame by frame "
        "with struct; both must read the same. Seconds are those of the process's own CPU.",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    del args
    return decoding.measure()

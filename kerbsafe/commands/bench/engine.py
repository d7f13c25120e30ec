"""`kerbsafe bench engine`: columns in, transitions out, beside the same rules fix by fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.bench import judging

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    return benches.add_parser(
        "engine",
        help="fixes a second that the engine judges, and the memory of 100,000 vehicles",
        description="Speeding and 1,000 fences of 500 vertices, fixes of 5,000 trucks as columns. Naive "
        "peer: benchmarks/naive_engine.py, the same rules fix by fix with prepared Shapely objects; both "
        "must say the same. Then all rules, with 1,000 and with 100,000 vehicles known, in batches of equal "
        "size. Seconds are those of the process's own CPU.",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    del args
    return judging.measure()

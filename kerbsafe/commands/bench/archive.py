"""`kerbsafe bench archive`: old tracks written to the cold store and read again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kerbsafe.bench import archive

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    return benches.add_parser(
        "archive",
        help="old tracks written to the cold store and read again, and the bytes that a fix takes there",
        description="Four million fixes of 500 made trucks as Parquet, as `kerbsafe archive run` writes "
        "them: written and kept (fsync), and read back with checksums. Must reach: archive_bytes_per_fix 5, "
        "archive_fixes_per_s 1,000,000, read_fixes_per_s 5,000,000.",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    del args
    return archive.measure(date(2026, 10, 1))

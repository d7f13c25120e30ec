"""`kerbsafe bench console`: a city of moving vehicles in a real browser, and a store of a million alerts."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_parser(benches: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the bench."""
    parser = benches.add_parser(
        "console",
        help="the live map with 6,000 vehicles, and the alert list with a million alerts",
        description="Start PostgreSQL, a broker, ingest and the console; store a million alerts and a day of "
        "one vehicle; let 6,000 vehicles drive and publish over MQTT once a second, 5 alerts beginning each "
        "second; watch it in a headless Chromium. Must reach: frame_p95_ms 50, alert_to_screen_p95_ms 500, "
        "alerts_query_p95_ms 50, track_ms 300.",
    )
    parser.add_argument("--vehicles", type=int, default=6000, help="that drive (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=300, help="of watching (default: %(default)s)")
    parser.add_argument("--alerts", type=int, default=1_000_000, help="stored before (default: %(default)s)")
    return parser


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    from kerbsafe.bench.console import stage  # noqa: PLC0415

    size = stage.Size(vehicles=args.vehicles, seconds=args.seconds, alerts=args.alerts)
    return asyncio.run(stage.measure(size, say=lambda text: print(f"· {text}", file=sys.stderr)))

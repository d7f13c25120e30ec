"""`kerbsafe import-track`: a recorded drive into an ordinary installation, as history."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.language import language
from fleet.wire.reasons import OLDEST_DAYS
from kerbsafe.drives.track_options import add_track_options, say, track_options

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import-track",
        help="bring a recorded drive of a registered vehicle in, as history",
        description="Store a recorded drive (CSV, GPX, NDJSON of one vehicle) at its own times, as if its "
        f"unit had sent it late; at most {OLDEST_DAYS} days old. Nothing of it is judged at once and nobody "
        "is paged: the worker settles it. What is stored already is counted as a duplicate.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the recorded drive")
    parser.add_argument("--vehicle", required=True, metavar="CODE", help="code of the vehicle that drove it")
    add_track_options(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import."""
    from kerbsafe.drives import track_import  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    drive = track_import.read(args.file, track_options(args))
    say([drive.account])
    done = asyncio.run(track_import.store(drive, args.vehicle))
    if args.json:
        print(json.dumps(done, ensure_ascii=False))
    else:
        print(track_import.sentence(done).to(language(os.environ)))
    return 0

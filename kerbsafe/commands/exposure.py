"""`kerbsafe exposure`: how much was driven, the denominator of rates: in recorded drives, in closed days."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import KerbsafeError
from fleet.language import Words, language, told
from fleet.printable import printable
from kerbsafe.drives.track_options import add_track_options, say, track_options
from kerbsafe.shell.times import parse_day

if TYPE_CHECKING:
    import argparse

EXIT_LEFT_OUT = 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "exposure",
        help="measure how much was driven, in recorded drives or in closed days",
        description="Measure recorded drives (CSV, GPX, NDJSON of recorded messages): kilometres and time "
        "under way, right turns, and how much of it was seen well enough for turns to be judged. What "
        "noise adds while standing is no way; what was driven in a gap is told apart (unseen), as the "
        "straight line, the least that it can have been. A file that cannot be read is named and left out, "
        "and the exit code is then 2. With --from and --to instead of files: sums of the closed days of the "
        "database of KERBSAFE_DSN (docs/exposure.md); exit code 1 where days of the span are not closed.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="TRACK", help="recorded drives")
    _add_days(parser)
    parser.add_argument("--rules", type=Path, help="rulebook file instead of the default")
    add_track_options(parser)
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line, one line a drive; of days, one object"
    )
    parser.set_defaults(run=run)


def _add_days(parser: argparse.ArgumentParser) -> None:
    days = parser.add_argument_group("closed days")
    for name, dest, text in (("--from", "first", "first civil day"), ("--to", "last", "last, included")):
        days.add_argument(name, dest=dest, type=parse_day, metavar="DAY", help=text)
    days.add_argument(
        "--by",
        choices=("city", "company", "county", "vehicle"),
        default="city",
        help="what sums are split by (default: %(default)s)",
    )
    days.add_argument("--csv", action="store_true", help="print CSV")
    days.add_argument("--xlsx", type=Path, metavar="FILE", help="write a workbook")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.first is not None or args.last is not None:
        if args.files or args.first is None or args.last is None:
            raise KerbsafeError("give recorded drives, or both --from and --to, not more and not less")
        from kerbsafe import exposure_of_days  # noqa: PLC0415 - keeps `kerbsafe --help` fast

        return exposure_of_days.run(args)
    if not args.files:
        raise KerbsafeError("which drives? Name files, or a span of closed days with --from and --to")
    from kerbsafe.drives import exposures  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from kerbsafe.rulebook import rulebook_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    book = None if args.rules is None else rulebook_files.read(args.rules)
    files = exposures.read(args.files, track_options(args))
    wanted = language(os.environ)
    for fault in files.faults:
        print("kerbsafe:", printable(told(fault, wanted)), file=sys.stderr)
    say(files.drives.accounts)
    found = list(exposures.rows(files.drives, book))
    if args.json:
        for row in found:
            print(json.dumps(row, ensure_ascii=False, allow_nan=False))
    elif found:
        print("\n".join(map(printable, exposures.table(found).splitlines())))
    if not files.faults:
        return 0
    left_out = _LEFT_OUT.fill(count=len(files.faults), all=len(args.files))
    print(f"kerbsafe: {left_out.to(wanted)}", file=sys.stderr)
    return EXIT_LEFT_OUT


_LEFT_OUT = Words(
    "{count} of {all} files left out: they cannot be read", "{all} 个文件中有 {count} 个无法读取，未计入"
)

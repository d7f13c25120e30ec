"""`kerbsafe report`: the monthly report of a city or a county."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from pathlib import Path

from kerbsafe.report_actions import add_actions
from kerbsafe.shell.numbers import above_zero
from kerbsafe.shell.times import parse_day, parse_time

_SCOPES = "city, or county: with the county's code"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="make, publish and check the monthly report",
        description="The monthly report: what it holds and how it is made again, in docs/reports.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_make(actions)
    add_actions(actions)


def _add_make(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "make",
        help="make the report of a month",
        description="Make a month's report as PDF, XLSX, HTML and JSON, from what the database of "
        "KERBSAFE_DSN knew on a day. The same day gives the same bytes. A month that is not closed is "
        "refused.",
    )
    parser.add_argument("--month", type=parse_month, required=True, metavar="YYYY-MM", help="the month")
    parser.add_argument(
        "--as-of",
        type=parse_as_of,
        metavar="DAY",
        help="as known at the end of a day, or at a time (default: now); the stage follows from it",
    )
    parser.add_argument("--scope", type=parse_scope, default="city", help=f"{_SCOPES} (default: %(default)s)")
    parser.add_argument(
        "--language", choices=("zh", "en", "both"), default="both", help="of the documents (default: both)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty directory")
    parser.add_argument(
        "--baseline", metavar="ID", help="the baseline, where there are several or for a county"
    )
    parser.add_argument(
        "--planned",
        type=above_zero(1e15),
        metavar="AMOUNT",
        help="planned exposure of the target year in the baseline's unit (default: as in the year before)",
    )
    parser.add_argument(
        "--previous", type=parse_day, metavar="DAY", help="as-of day of the report before (default: when due)"
    )
    parser.add_argument(
        "--ledger-from",
        type=parse_day,
        metavar="DAY",
        help="first day from which the ledger is kept (default: the month of its first accident)",
    )
    parser.add_argument("--json", action="store_true", help="print the manifest, nothing else")
    parser.set_defaults(run=_make)


def _make(args: argparse.Namespace) -> int:
    from kerbsafe.report_making import run_make  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return run_make(args)


def parse_month(text: str) -> date:
    """Return the first day of the month that an argument names."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month like 2026-03") from None


def parse_as_of(text: str) -> date | datetime:
    """Return the day or the time that an argument names."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return parse_time(text)


def parse_scope(text: str) -> str:
    """Return the scope that an argument names."""
    prefix, colon, code = text.partition(":")
    if text == "city" or (prefix == "county" and colon and code):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no scope of a report: give {_SCOPES}")

"""`kerbsafe facts`: what a month amounted to, and what people declare of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.textfile import ENCODINGS
from kerbsafe.shell.times import parse_day, parse_time

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "facts",
        help="import and list facts of months, as known at any time",
        description="Facts of months in the database of KERBSAFE_DSN: docs/exposure.md. A fact that changes "
        "is restated; what was known before can be had with --as-of.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_import(actions)
    _add_list(actions)


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "import",
        help="record declared production and filed vehicles (CSV, XLSX)",
        description="Record what people declare of months: columns scope, month, measure, value, source "
        "(范围, 月份, 指标, 数值, 来源). Rows that are wrong are left out and named (exit code 1). The same "
        "file twice changes nothing.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file; its contents tell the format")
    parser.add_argument("--by", metavar="WHO", help="who declares it (default: the login of this machine)")
    parser.add_argument("--dry-run", action="store_true", help="record nothing; say what would be")
    parser.add_argument("--sheet", help="read this sheet of a workbook only")
    parser.add_argument("--encoding", choices=ENCODINGS, help="of text (default: it is found)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run, action="import")


def _add_list(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "list",
        help="show the facts of months",
        description="Show the facts of months that begin in a span, as they were known at a time.",
    )
    parser.add_argument(
        "--from", dest="first", type=parse_day, required=True, metavar="DAY", help="first civil day"
    )
    parser.add_argument(
        "--to", dest="last", type=parse_day, required=True, metavar="DAY", help="last civil day, included"
    )
    parser.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="city, county:CODE, company:CODE, ...; may be repeated",
    )
    parser.add_argument(
        "--measure", action="append", metavar="MEASURE", help="may be repeated (default: all)"
    )
    parser.add_argument("--as-of", type=parse_time, metavar="TIME", help="as known at a time (default: now)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run, action="list")


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from kerbsafe import month_facts  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return month_facts.run(args)

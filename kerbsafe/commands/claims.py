"""`kerbsafe claims`: import claims of insurers, and compare them with the accidents of the police."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.textfile import ENCODINGS
from kerbsafe.accidents import claim_ledger
from kerbsafe.shell.times import parse_day, parse_time

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "claims",
        description="Claims of insurers in the database of KERBSAFE_DSN, kept apart from accidents and in no "
        "figure: docs/claims.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_import(actions)
    _add_as_of(_action(actions, "list", "list the claims"))
    reconcile = _action(
        actions, "reconcile", "police only, insurer only, both; and how many neither has heard of"
    )
    reconcile.add_argument(
        "--from", dest="first", type=parse_day, metavar="DAY", help="first civil day (default: of both lists)"
    )
    reconcile.add_argument(
        "--to",
        dest="last",
        type=parse_day,
        metavar="DAY",
        help="last civil day, included (default: of both lists)",
    )
    _add_as_of(reconcile)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run, action=name)
    return parser


def _add_as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-of",
        type=parse_time,
        metavar="TIME",
        help="as it was recorded at a time, e.g. 2026-03-05T00:00:00+08:00 (default: now)",
    )


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _action(actions, "import", "record a list of claims (CSV, XLSX)")
    parser.description = (
        "Record what a list says: new claims, and new versions of those known. Claims with a faulty row are "
        "left out and named (exit code 1). The same list twice changes nothing. Columns: docs/claims.md."
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file; its contents tell the format")
    parser.add_argument("--dry-run", action="store_true", help="record nothing; show each row's fate")
    parser.add_argument(
        "--insurer", default="", metavar="NAME", help="whose list it is, where no column (保险公司) says it"
    )
    parser.add_argument("--why", default="", metavar="TEXT", help="what to keep with the versions")
    parser.add_argument("--sheet", help="read this sheet of a workbook only")
    parser.add_argument("--encoding", choices=ENCODINGS, help="of text (default: it is found)")
    parser.add_argument(
        "--ignore-unknown", action="store_true", help="leave columns aside that are not known, and name them"
    )
    parser.add_argument("--by", metavar="WHO", help="who records it (default: the login of this machine)")
    parser.set_defaults(known_at=None)


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    return claim_ledger.run_import(args) if args.action == "import" else claim_ledger.run(args)

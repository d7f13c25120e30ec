"""`kerbsafe accidents`: import, list and count accidents, as known at any time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from fleet.textfile import ENCODINGS
from kerbsafe.accidents import accident_candidates, accident_files, accident_ledger
from kerbsafe.shell.times import parse_day, parse_time

if TYPE_CHECKING:
    import argparse

_REPORTERS = ("police", "company", "insurer", "other")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "accidents",
        description="The ledger of accidents in the database of KERBSAFE_DSN: docs/accidents.md. Nothing in "
        "it is changed or deleted; every answer can be had as it was at any time before.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_import(actions)
    listing = _action(actions, "list", "list the accidents that count")
    listing.add_argument("--all", action="store_true", help="also those withdrawn or merged")
    _add_as_of(listing)
    show = _action(actions, "show", "show one accident: what is known, what follows, and every version")
    show.add_argument("code", metavar="CODE", help="number of the accident")
    _add_as_of(show)
    _add_count(actions)
    _add_as_of(_action(actions, "duplicates", "offer accidents that may be one and the same"))
    merge = _add_change(actions, "merge", "take an accident out of the figures: it is the same as another")
    merge.add_argument("--into", required=True, metavar="CODE", help="the one that goes on counting")
    _add_change(actions, "withdraw", "take an accident out of the figures: it is none that they count")
    _add_change(actions, "reinstate", "take a withdrawn or merged accident back")
    _add_change(actions, "close", "close the case")
    _add_candidates(actions)


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


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", metavar="WHO", help="who records it (default: the login of this machine)")
    parser.add_argument(
        "--known-at",
        type=parse_time,
        metavar="TIME",
        help="when the reporter knew it, if earlier than now; it does not change what was answered before",
    )


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _action(actions, "import", "record a list of accidents (CSV, XLSX)")
    parser.description = (
        "Record what a list says: new accidents, and new versions of those known. Accidents with a faulty "
        "row are left out and named (exit code 1). The same list twice changes nothing. Columns: "
        "docs/accidents.md."
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file; its contents tell the format")
    parser.add_argument("--dry-run", action="store_true", help="record nothing; show each row's fate")
    parser.add_argument(
        "--reporter", choices=_REPORTERS, help="whose account the list is, where no column (报告方) says it"
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=parse_day,
        metavar="DAY",
        help="leave aside what happened before it",
    )
    parser.add_argument(
        "--to", dest="last", type=parse_day, metavar="DAY", help="leave aside what happened after it"
    )
    parser.add_argument("--why", default="", metavar="TEXT", help="what to keep with the versions")
    parser.add_argument("--sheet", help="read this sheet of a workbook only")
    parser.add_argument("--encoding", choices=ENCODINGS, help="of text (default: it is found)")
    parser.add_argument(
        "--ignore-unknown", action="store_true", help="leave columns aside that are not known, and name them"
    )
    _add_who(parser)


def _add_count(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _action(actions, "count", "count accidents, deaths and injured")
    parser.add_argument(
        "--from", dest="first", type=parse_day, required=True, metavar="DAY", help="first civil day"
    )
    parser.add_argument(
        "--to", dest="last", type=parse_day, required=True, metavar="DAY", help="last civil day, included"
    )
    parser.add_argument(
        "--scope",
        choices=("A1", "A2", "A3"),
        default="A1",
        help="A1 anybody hurt, A2 with own responsibility equal or more, A3 fatal (default: %(default)s)",
    )
    parser.add_argument(
        "--by",
        choices=("city", "company", "county", "month"),
        default="city",
        help="what counts are split by (default: %(default)s)",
    )
    _add_as_of(parser)


def _add_candidates(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = _action(
        actions, "candidates", "list settled episodes that may have been an accident; none counts by itself"
    )
    listing.add_argument(
        "--from", dest="first", type=parse_day, required=True, metavar="DAY", help="first civil day"
    )
    listing.add_argument(
        "--to", dest="last", type=parse_day, required=True, metavar="DAY", help="last civil day, included"
    )
    link = _action(actions, "link", "say which accident a candidate was, or that it was none")
    link.add_argument("episode", metavar="EPISODE", type=UUID, help="its id, as `candidates` lists it")
    which = link.add_mutually_exclusive_group(required=True)
    which.add_argument("--to", metavar="CODE", help="number of the accident that it was")
    which.add_argument("--none", action="store_true", help="it was no accident; say --why")
    link.add_argument("--why", default="", metavar="TEXT", help="why; it stays on record")
    link.add_argument("--by", metavar="WHO", help="who says so (default: the login of this machine)")
    link.set_defaults(known_at=None)


def _add_change(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = _action(actions, name, text)
    parser.add_argument("code", metavar="CODE", help="number of the accident")
    parser.add_argument("--why", default="", metavar="TEXT", help="why; it stays on record")
    _add_who(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    if args.action in {"candidates", "link"}:
        return accident_candidates.run(args)
    if args.action == "import":
        return accident_files.run_import(args)
    return accident_ledger.run(args)

"""`kerbsafe hold`: keep the track of a vehicle for a court, sealed, however old it gets."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from fleet.audit import at_the_shell
from fleet.language import language
from fleet.printable import printable
from kerbsafe.archive import holding
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse

EXIT_FAULTS = 1


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "hold",
        description="Copy the fixes of a vehicle in a span of time and seal them with SHA-256. What is "
        "sealed is never changed or deleted; what comes later is sealed before its day leaves the database.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = _action(actions, "add", "hold a track")
    add.add_argument("--vehicle", required=True, metavar="CODE", help="code of the vehicle")
    for name, text in (("from", "from this time"), ("to", "to before this time")):
        add.add_argument(
            f"--{name}", dest=f"{name}_at", required=True, type=parse_time, help=f"{text}, RFC 3339"
        )
    _add_why(add)
    _action(actions, "list", "list the holds")
    release = _action(actions, "release", "end a hold: nothing more is sealed for it; what is sealed stays")
    release.add_argument("hold", type=int, metavar="HOLD", help="its number")
    _add_why(release)
    verify = _action(actions, "verify", "say which row is not what was sealed (exit code 1)")
    verify.add_argument("holds", type=int, nargs="*", metavar="HOLD", help="their numbers (default: all)")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run, action=name)
    return parser


def _add_why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it stays on record")
    parser.add_argument("--by", metavar="WHO", help="who asks for it (default: the login of this machine)")


def run(args: argparse.Namespace) -> int:
    """Do it and print what was done."""
    wanted, is_faulty = language(os.environ), False
    if args.action in {"add", "release"}:
        by = args.by or at_the_shell().name
        rows = asyncio.run(holding.add(args, by) if args.action == "add" else holding.release(args, by))
    elif args.action == "list":
        rows = asyncio.run(holding.listed())
    else:
        rows = asyncio.run(holding.verify(args.holds))
        is_faulty = any(row["faults"] for row in rows)
    for row in rows:
        line = holding.LINES[args.action](row).to(wanted)
        print(json.dumps(row, ensure_ascii=False) if args.json else printable(line))
    return EXIT_FAULTS if is_faulty else 0

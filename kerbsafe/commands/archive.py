"""`kerbsafe archive`: move old days of tracks to the cold store, list, check and bring them back."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

from fleet.language import language
from kerbsafe.archive import archiving
from kerbsafe.shell.times import parse_day

if TYPE_CHECKING:
    import argparse

EXIT_FAULTS = 1


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "archive",
        description="Days of fixes older than KERBSAFE_DATABASE_DAYS go to the cold store (KERBSAFE_ARCHIVE) "
        "as Parquet files; what was compared there row by row is dropped from the database by a later run. "
        "Console, replay and settler read them there. docs/scale.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _action(actions, "run", "archive, drop and delete what is due; for every night")
    _action(actions, "list", "list the days of the cold store")
    _action(
        actions, "verify", "check every file against what was written (exit code 1: something was altered)"
    )
    restore = _action(actions, "restore", "bring a day back into the database, until the next run")
    restore.add_argument("day", metavar="DAY", type=parse_day, help="UTC day, e.g. 2026-03-31")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.set_defaults(run=run, action=name)
    return parser


def run(args: argparse.Namespace) -> int:
    """Do it and print what was done."""
    wanted = language(os.environ)
    if args.action == "run":
        done = asyncio.run(archiving.run(lambda words: print(words.to(wanted), file=sys.stderr)))
        print(json.dumps(done) if args.json else archiving.sentence(done).to(wanted))
        return 0
    if args.action == "list":
        for row in asyncio.run(archiving.days()):
            print(json.dumps(row) if args.json else archiving.line(row).to(wanted))
        return 0
    if args.action == "restore":
        restored = asyncio.run(archiving.restore(args.day))
        print(json.dumps(restored) if args.json else archiving.restored(restored).to(wanted))
        return 0
    report = asyncio.run(archiving.verify(lambda words: print(words.to(wanted), file=sys.stderr)))
    print(json.dumps(report, ensure_ascii=False) if args.json else archiving.checked(report).to(wanted))
    return EXIT_FAULTS if report["faults"] else 0

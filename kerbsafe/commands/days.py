"""`kerbsafe days`: close what vehicles did on a day, and see which days are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.shell.times import parse_day

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "days",
        help="close days: what was driven and judged, vehicle by vehicle",
        description="Close the civil days of the database of KERBSAFE_DSN: docs/exposure.md. `kerbsafe "
        "worker` does it every night; a day that is closed is closed again only where something changed.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    close = _action(actions, "close", "close one day, as far as it is settled")
    close.add_argument("day", type=parse_day, metavar="DAY", help="civil day, e.g. 2026-08-22")
    _add_again(close)
    backfill = _action(actions, "backfill", "close a span of days, and write the months that are whole")
    _add_span(backfill, required=True)
    _add_again(backfill)
    listing = _action(actions, "list", "show which days are closed, and what the others wait for")
    _add_span(listing, required=False)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}. Exit code 1: something could not be closed yet.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run, action=name)
    return parser


def _add_span(parser: argparse.ArgumentParser, *, required: bool) -> None:
    default = "" if required else " (default: the last 14 days)"
    for name, dest, text in (("--from", "first", "first civil day"), ("--to", "last", "last, included")):
        parser.add_argument(
            name, dest=dest, type=parse_day, required=required, metavar="DAY", help=text + default
        )


def _add_again(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--again", action="store_true", help="measure also what is closed and has not changed since"
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from kerbsafe import day_closing  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return day_closing.run(args)

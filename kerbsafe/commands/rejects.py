"""`kerbsafe rejects`: list what was refused, and take it in again once the cause is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.shell import rejects
from kerbsafe.shell.numbers import whole

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "rejects",
        description="What devices sent and Kerbsafe refused, each with its reason: docs/device-protocol.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    show = actions.add_parser(
        "list",
        help="list it, newest first",
        description="List what was refused, newest first, after how much there is of each reason.",
    )
    _add_choice(show)
    show.add_argument(
        "--limit",
        type=whole(1, 2**31 - 1),
        default=20,
        metavar="N",
        help="rows at most (default: %(default)s)",
    )
    show.set_defaults(run=run_list)
    retry = actions.add_parser(
        "retry",
        help="take it in again",
        description="Read what was kept in full once more and store what can be stored now, as history: "
        "e.g. after a vehicle was registered that was forgotten. Nothing of it is judged at once and nobody "
        "is paged: the worker settles it. What is stored already counts as a duplicate, so a retry can be "
        "repeated; what is refused again stays as it is. The usual limits hold: nothing older than 35 days.",
    )
    _add_choice(retry)
    retry.add_argument(
        "--dry-run", action="store_true", help="say what would be taken in, and change nothing"
    )
    retry.set_defaults(run=run_retry)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="REASON", help="only what was refused for it, e.g. wrong_company")
    parser.add_argument("--vehicle", metavar="CODE", help="only of this vehicle, or of topics that name it")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")


def run_list(args: argparse.Namespace) -> int:
    """List."""
    return rejects.run_list(args)


def run_retry(args: argparse.Namespace) -> int:
    """Take in again."""
    return rejects.run_retry(args)

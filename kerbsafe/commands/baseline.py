"""`kerbsafe baseline`: freeze, list and show the baselines that verdicts rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.reports import approvals

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "baseline",
        description="The baselines in the database of KERBSAFE_DSN: counts and exposure of the base year, "
        "with source and approver. None is changed or deleted; a change is a new version: "
        "docs/publishing.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    freeze = actions.add_parser(
        "freeze",
        help="record an approved baseline",
        description="Record an approved baseline, whose hash stands in the file. Where it supersedes "
        "another, every verdict is printed under both.",
    )
    freeze.add_argument("file", metavar="FILE.json", help="the baseline; - for standard input")
    freeze.add_argument(
        "--dry-run", action="store_true", help="record nothing; print the verdicts under both"
    )
    freeze.add_argument("--by", metavar="WHO", help="who records it (default: the login of this machine)")
    freeze.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    freeze.set_defaults(run=lambda args: _run("freeze_baseline", args))
    listing = actions.add_parser(
        "list", help="list every version", description="List every version of every baseline, oldest first."
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    listing.set_defaults(run=lambda args: _run("list_baselines", args))
    show = actions.add_parser(
        "show",
        help="print a baseline as a file",
        description="Print a baseline as the JSON object that `rates verdict` reads; without a name, the one "
        "in force.",
    )
    show.add_argument("id", nargs="?", metavar="ID", help="its id, needed where there are several")
    show.add_argument("--version", type=int, metavar="N", help="this version (default: the one in force)")
    show.set_defaults(run=lambda args: _run("show_baseline", args))


def _run(name: str, args: argparse.Namespace) -> int:
    done: int = getattr(approvals, name)(args)
    return done

"""`kerbsafe policy`: approve, list and show the policies by which verdicts are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.reports import approvals

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "policy",
        description="The policies in the database of KERBSAFE_DSN: thresholds and words of the verdict, with "
        "approver. None is changed or deleted; a change is a new version: docs/publishing.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    approve = actions.add_parser(
        "approve",
        help="record an approved policy",
        description="Record an approved policy. Where another was in force, every verdict is printed under "
        "both.",
    )
    approve.add_argument("file", metavar="FILE.json", help="the policy; - for standard input")
    approve.add_argument(
        "--dry-run", action="store_true", help="record nothing; print the verdicts under both"
    )
    approve.add_argument("--by", metavar="WHO", help="who records it (default: the login of this machine)")
    approve.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    approve.set_defaults(run=lambda args: _run("approve_policy", args))
    listing = actions.add_parser(
        "list", help="list every policy", description="List every policy, oldest first."
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    listing.set_defaults(run=lambda args: _run("list_policies", args))
    show = actions.add_parser(
        "show",
        help="print a policy as a file",
        description="Print a policy as the JSON object that `rates verdict` reads; without a name, the one "
        "in force.",
    )
    show.add_argument("version", nargs="?", metavar="VERSION", help="its name, as `policy list` shows it")
    show.set_defaults(run=lambda args: _run("show_policy", args))


def _run(name: str, args: argparse.Namespace) -> int:
    done: int = getattr(approvals, name)(args)
    return done

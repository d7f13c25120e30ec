"""`kerbsafe rules`: check, put in force and explain the rulebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "rules",
        help="check a rulebook, put it in force, say which numbers hold for a vehicle and why",
        description="The rulebook: every number that judges, in versions. docs/rules.md explains each.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_check(actions)
    _add_explain(actions)
    _add_import(actions)
    listing = actions.add_parser(
        "list",
        help="list the versions in the database",
        description="List the versions in the database of KERBSAFE_DSN, and which is in force now.",
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    listing.set_defaults(run=run_list)
    show = actions.add_parser(
        "show",
        help="print the document of a version",
        description="Print the document of a version in the database of KERBSAFE_DSN; without a name, that "
        "of the one in force now.",
    )
    show.add_argument("version", nargs="?", metavar="VERSION", help="its name, as `rules list` shows it")
    show.set_defaults(run=run_show)
    document = actions.add_parser(
        "document",
        help="write the page that explains every number",
        description="Print docs/rules.md, made from the rulebook that ships and the rules themselves.",
    )
    document.set_defaults(run=run_document)


def _add_check(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "check",
        help="name every fault of a rulebook file",
        description="Validate a rulebook file whole and name every fault; exit code 2 if there is one. "
        "Needs no database.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the rulebook, TOML")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run_check)


def _add_explain(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "explain",
        help="say which numbers hold for a vehicle, and which layer each comes from",
        description="From the database of KERBSAFE_DSN: company, kind and city of a vehicle at a time, the "
        "version in force, and each number with the layer of the rulebook that it comes from.",
    )
    parser.add_argument("--vehicle", required=True, metavar="CODE", help="the vehicle")
    parser.add_argument("--at", type=parse_time, metavar="TIME", help="RFC 3339 (default: now)")
    parser.add_argument(
        "--rules", type=Path, metavar="FILE", help="this rulebook instead of the one in force"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run_explain)


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "import",
        help="put a rulebook in force from a time on",
        description="Record a version in the database of KERBSAFE_DSN. It judges fixes measured from "
        "the time given on, at least 60 s ahead; what is open then is closed as `rule_change`. Running "
        "processes read it by themselves. The first version of all holds since ever.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the rulebook, TOML")
    parser.add_argument(
        "--from",
        dest="since",
        type=parse_time,
        metavar="TIME",
        help="RFC 3339, at least 60 s ahead (default: 60 s from now)",
    )
    parser.set_defaults(run=run_import)


def run_check(args: argparse.Namespace) -> int:
    """Name every fault of a file."""
    from kerbsafe.rulebook import rulebook_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return rulebook_files.check(args)


def run_explain(args: argparse.Namespace) -> int:
    """Say which numbers hold for a vehicle."""
    from kerbsafe.rulebook import rulebook_explained  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return rulebook_explained.explain(args)


def run_import(args: argparse.Namespace) -> int:
    """Record a version."""
    from kerbsafe.rulebook import rulebook_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return rulebook_files.put_in_force(args)


def run_list(args: argparse.Namespace) -> int:
    """List the versions."""
    from kerbsafe.rulebook import rulebook_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return rulebook_files.show_versions(args)


def run_show(args: argparse.Namespace) -> int:
    """Print a document."""
    from kerbsafe.rulebook import rulebook_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return rulebook_files.show(args)


def run_document(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes them
    """Print the page of the rules."""
    from kerbsafe.rulebook import rules_page  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    print(rules_page.page(), end="")
    return 0

"""`kerbsafe registry`: import companies, vehicles, devices, drivers, fences and passes; list them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_KINDS = ("companies", "drivers", "vehicles", "fences", "passes", "devices")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "registry",
        help="import and list companies, vehicles, devices, drivers, fences and passes",
        description="The registry in the database of KERBSAFE_DSN. File formats: docs/registry.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_import(actions)
    listing = actions.add_parser(
        "list",
        help="count what is registered and list the vehicles",
        description="Count what is registered and list the vehicles as they are now, without plates.",
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    listing.set_defaults(run=run_list)


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "import",
        help="import a CSV, XLSX, JSON or GeoJSON file",
        description="Create and update what the file names, in one transaction: all of it or nothing. What "
        "is not in the file stays. What rules read (company, kind, limit, fences, passes) changes from a "
        "time on; what was judged before stays judged.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file; its contents tell the format")
    parser.add_argument("--dry-run", action="store_true", help="import nothing; show each row's fate")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument("--sheet", help="read this sheet of a workbook only")
    parser.add_argument(
        "--as", dest="kind", choices=_KINDS, help="what the rows are, where the columns do not tell"
    )
    parser.add_argument(
        "--valid-from",
        metavar="TIME",
        help="when changes begin to count, e.g. 2026-02-01 or 2026-02-01T08:00+08:00; at least 60 s ahead "
        "(default: 60 s from now)",
    )
    parser.add_argument(
        "--datum",
        choices=("wgs84", "gcj02", "bd09"),
        help="datum of fences that do not say theirs; positions are converted to WGS 84",
    )
    parser.add_argument(
        "--repair", action="store_true", help="mend fences that are not valid, and say what that changed"
    )
    parser.add_argument(
        "--encoding",
        choices=("utf-8", "gb18030", "gbk"),
        default="utf-8",
        help="of CSV text (default: utf-8)",
    )
    parser.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> int:
    """Import a file and say what was done, or everything that is wrong with it."""
    from kerbsafe import registry_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return registry_files.run_import(args)


def run_list(args: argparse.Namespace) -> int:
    """Print the counts and the vehicles."""
    from kerbsafe import registry_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return registry_files.run_list(args)

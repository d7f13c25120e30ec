"""`kerbsafe fences`: GeoJSON into the registry and out of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.textfile import ENCODINGS
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse

_DATUMS = ("wgs84", "gcj02", "bd09")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "fences",
        help="import and export fences as GeoJSON",
        description="The fences in the database of KERBSAFE_DSN. Properties of a feature: docs/registry.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_import(actions)
    _add_export(actions)


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "import",
        help="import a GeoJSON file of polygons",
        description="Create and change the fences of a file. Those that are faulty are left out and told, "
        "each with its number, its code and the place of the fault (exit code 1). A fence that changes gets "
        "a new version from a time on; what was judged before stays judged.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a FeatureCollection, a Feature or a polygon")
    parser.add_argument(
        "--datum", choices=_DATUMS, help="datum of the file, unless it names it; converted to WGS 84"
    )
    parser.add_argument(
        "--repair", action="store_true", help="mend geometries that are not valid, and say what that changed"
    )
    parser.add_argument("--dry-run", action="store_true", help="import nothing; show each fence's fate")
    parser.add_argument(
        "--all-or-nothing", action="store_true", help="import nothing if any fence of the file is faulty"
    )
    parser.add_argument(
        "--valid-from",
        metavar="TIME",
        help="when changes begin to count; at least 60 s ahead (default: 60 s from now)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument("--encoding", choices=ENCODINGS, help="of the text (default: it is found)")
    parser.add_argument(
        "--ignore-unknown",
        action="store_true",
        help="leave properties aside that are not known, as styles of editors, and name them",
    )
    parser.set_defaults(run=run_import, sheet=None, kind="fences", company=(), vehicle_kind=None)


def _add_export(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "export",
        help="print the fences in force as GeoJSON",
        description="Print a FeatureCollection of the fences in force at a time, as `fences import` reads "
        "it. `in_force` of a feature says from when until when; null is open.",
    )
    parser.add_argument(
        "--datum", choices=_DATUMS, default="wgs84", help="of what is printed (default: wgs84)"
    )
    parser.add_argument("--at", type=parse_time, metavar="TIME", help="RFC 3339 (default: now)")
    parser.set_defaults(run=run_export)


def run_import(args: argparse.Namespace) -> int:
    """Import a file and say what was done, or everything that is wrong with it."""
    from kerbsafe.registry import registry_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return registry_files.run_import(args)


def run_export(args: argparse.Namespace) -> int:
    """Print the fences in force."""
    from fleet.units import to_us  # noqa: PLC0415 - keeps `kerbsafe --help` fast
    from kerbsafe.registry import fence_export  # noqa: PLC0415

    at_us = None if args.at is None else to_us(args.at)
    print(json.dumps(asyncio.run(fence_export.stored(at_us, args.datum)), ensure_ascii=False))
    return 0

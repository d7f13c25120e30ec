"""`kerbsafe registry`: import companies, vehicles, devices, drivers, fences and passes; list them."""

from __future__ import annotations

import argparse
from pathlib import Path

from fleet.textfile import ENCODINGS
from fleet.wire.topics import is_code

_KINDS = ("companies", "drivers", "vehicles", "fences", "passes", "devices")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "registry",
        help="import and list companies, vehicles, devices, drivers, fences and passes",
        description="The registry in the database of KERBSAFE_DSN. File formats: docs/registry.md.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_template(actions)
    _add_import(actions)
    listing = actions.add_parser(
        "list",
        help="count what is registered and list the vehicles",
        description="Count what is registered and list the vehicles as they are now, without plates.",
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    listing.set_defaults(run=run_list)


def _add_template(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "template",
        help="write a workbook to fill in",
        description="Write a workbook with a sheet a kind, what each column means, examples (which an import "
        "leaves aside) and lists to choose from. Fill it in and import it.",
    )
    parser.add_argument("file", metavar="FILE.xlsx", type=Path, help="the workbook; not one that is there")
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="of the sheets (default: zh)")
    parser.set_defaults(run=run_template)


def _add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "import",
        help="import a CSV, XLSX, JSON or GeoJSON file",
        description="Create and update what the file names, in one transaction. Rows that are faulty, and "
        "those that refer to them, are left out and named (exit code 1). What is not in the file stays. What "
        "rules read (company, kind, limit, fences, passes) changes from a time on; what was judged before "
        "stays judged.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file; its contents tell the format")
    parser.add_argument("--dry-run", action="store_true", help="import nothing; show each row's fate")
    parser.add_argument(
        "--all-or-nothing", action="store_true", help="import nothing if any row of the file is faulty"
    )
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
    parser.add_argument("--encoding", choices=ENCODINGS, help="of text (default: it is found)")
    _add_choices(parser)
    parser.set_defaults(run=run_import)


def _add_choices(parser: argparse.ArgumentParser) -> None:
    """Add what a ledger that is kept for people leaves unsaid."""
    parser.add_argument(
        "--company",
        action="append",
        default=[],
        type=_company,
        metavar="[NAME=]CODE",
        help="code of the company that the file calls NAME, or of the only one that has no code there; "
        "created if there is none of that code",
    )
    parser.add_argument(
        "--vehicle-kind",
        metavar="KIND",
        help="kind of new vehicles whose rows do not say it: mixer, bulk_cement … or 搅拌车, 散装水泥车 …",
    )
    parser.add_argument(
        "--ignore-unknown", action="store_true", help="leave columns aside that are not known, and name them"
    )


def _company(text: str) -> tuple[str, str]:
    name, _, code = text.rpartition("=")
    if not is_code(code):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not CODE or NAME=CODE; a code is 1 to 64 of A-Z a-z 0-9 _ -"
        )
    return name.strip(), code


def run_template(args: argparse.Namespace) -> int:
    """Write the workbook."""
    from kerbsafe.registry import registry_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return registry_files.run_template(args)


def run_import(args: argparse.Namespace) -> int:
    """Import a file and say what was done, or everything that is wrong with it."""
    from kerbsafe.registry import registry_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return registry_files.run_import(args)


def run_list(args: argparse.Namespace) -> int:
    """Print the counts and the vehicles."""
    from kerbsafe.registry import registry_files  # noqa: PLC0415 - keeps `kerbsafe --help` fast

    return registry_files.run_list(args)

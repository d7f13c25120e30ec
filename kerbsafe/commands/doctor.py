"""`kerbsafe doctor`: say what is connected, what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

from fleet.environment import settings_table
from kerbsafe.doctor import diagnose

if TYPE_CHECKING:
    import argparse

    from kerbsafe.doctor import Diagnosis, Finding

_WIDTH = 110
_MARKS = {"ok": "ok    ", "notice": "note  ", "wrong": "WRONG "}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        description="Look at settings, database, broker and clocks. Exit code 1 if something is wrong.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--settings", action="store_true", help="print the table of all settings and look at nothing"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Diagnose and print; 1 if something is wrong."""
    if args.settings:
        print(settings_table(), end="")
        return 0
    diagnosis = asyncio.run(diagnose())
    if args.json:
        print(json.dumps({"ok": diagnosis.is_well, **asdict(diagnosis)}, ensure_ascii=False))
    else:
        _print_table(diagnosis)
    return 0 if diagnosis.is_well else 1


def _print_table(diagnosis: Diagnosis) -> None:
    column = max(map(len, diagnosis.settings), default=0) + 2
    for variable, value in diagnosis.settings.items():
        print(f"{variable:<{column}}{value or '-'}")
    if diagnosis.settings:
        print()
    width = max(len(finding.check) for finding in diagnosis.findings) + 2
    for finding in diagnosis.findings:
        print(_row(finding, width))
    wrong = sum(finding.level == "wrong" for finding in diagnosis.findings)
    print(f"\n{'all is well' if diagnosis.is_well else f'{wrong} WRONG'}")


def _row(finding: Finding, width: int) -> str:
    """Return one finding as lines: its mark, what was looked at, what was found, and how to mend it."""
    start = f"{_MARKS[finding.level]}{finding.check:<{width}}"
    said = f"{finding.said.rstrip('.')}. To mend it: {finding.remedy}" if finding.remedy else finding.said
    return textwrap.fill(
        said, _WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False
    )

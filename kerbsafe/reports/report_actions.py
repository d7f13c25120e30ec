"""Actions of `kerbsafe report` for what was made: publish, verify, list, hand over, extract, sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.reports import publications, publishing_files
from kerbsafe.sample.command import run_sample
from kerbsafe.shell.numbers import whole
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Actions = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name

_YEARS = (1990, 2200)
_MAX_MONTHS = 120


def add_actions(actions: Actions) -> None:
    """Add them."""
    _add_key(actions)
    _add_publish(actions)
    _add_verify(actions)
    _action(
        actions,
        "list",
        "list what was published, and who has it; check the chain",
        publications.run_list,
    )
    _add_deliveries(actions)
    _add_extract(actions)
    _add_sample(actions)


def _action(
    actions: Actions, name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.set_defaults(run=run)
    return parser


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", metavar="WHO", help="who does it (default: the login of this machine)")


def _add_key(actions: Actions) -> None:
    parser = _action(actions, "key", "make a key to sign with", publishing_files.run_key)
    parser.description = (
        "Make an Ed25519 key: FILE (readable by its owner alone) and FILE.pub, and print the public key. The "
        "public key is what the authority tells to whoever will check."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")


def _add_publish(actions: Actions) -> None:
    parser = _action(actions, "publish", "sign a directory into the chain", publications.run_publish)
    parser.description = (
        "Sign the manifest of a directory that `report make` or `report extract` has written, add a link to "
        "the chain in the database of KERBSAFE_DSN, and write manifest.sig, blocks.json and chain.jsonl "
        "beside it. The same directory twice changes nothing."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="what is published")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the key's file (0600)")
    parser.add_argument(
        "--corrects", type=whole(1, 10**9), metavar="NUMBER", help="the publication that this one corrects"
    )
    parser.add_argument("--why", default="", metavar="TEXT", help="why it is corrected")
    _add_who(parser)


def _add_verify(actions: Actions) -> None:
    parser = _action(actions, "verify", "check what was published to the byte", publishing_files.run_verify)
    parser.description = (
        "Check every file of a published directory against what was signed, and the chain until it. Exit "
        "code 0 if all holds, 1 with a line for each thing that does not. Needs no database."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="what was published")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="the public key that the authority tells, or its file; may be given more than once",
    )
    parser.add_argument(
        "--database",
        action="store_true",
        help="compare the chain with the one in the database of KERBSAFE_DSN too",
    )


def _add_deliveries(actions: Actions) -> None:
    for name, text, run in (
        ("send", "record that a publication was sent to somebody", publications.run_send),
        ("receipt", "record that somebody has confirmed a publication", publications.run_receipt),
    ):
        parser = _action(actions, name, text, run)
        parser.add_argument("number", type=whole(1, 10**9), metavar="NUMBER", help="of the publication")
        parser.add_argument("recipient", metavar="RECIPIENT", help="the office or person")
        parser.add_argument("--at", type=parse_time, metavar="TIME", help="when (default: now)")
        parser.add_argument("--note", default="", metavar="TEXT", help="how, or what they said")
        _add_who(parser)


def _add_extract(actions: Actions) -> None:
    parser = _action(actions, "extract", "make the public extract of a year", publications.run_extract)
    parser.description = (
        "Write accidents, deaths and injured of a year by county and quarter, without anything of a person "
        "and without a number under three, also none that could be computed. Publish it with "
        "`report publish`."
    )
    parser.add_argument(
        "--year", type=whole(*_YEARS), required=True, metavar="YYYY", help="a year that is over"
    )
    parser.add_argument("--as-of", type=parse_time, metavar="TIME", help="as known then (default: now)")
    parser.add_argument(
        "--corrects", type=Path, metavar="DIR", help="the extract of the same year that this one corrects"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty directory")


def _add_sample(actions: Actions) -> None:
    parser = _action(actions, "sample", "make the reports of a simulated city", run_sample)
    parser.description = (
        "Draw a city's history (accidents, late reports, volumes), keep it in an embedded database, and make "
        "and sign its reports, month by month as they would have been. The same seed gives the same bytes."
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**31), default=1, metavar="N", help="which city (default: 1)"
    )
    parser.add_argument(
        "--months",
        type=whole(1, _MAX_MONTHS),
        default=36,
        metavar="M",
        help="so many reports (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty directory")

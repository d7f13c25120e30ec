"""What every command that reads recorded drives takes and says: options about files, and their accounts."""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import UTC, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fleet.datum import DATUMS
from fleet.language import Words, language
from fleet.schedule import CIVIL_ZONE
from fleet.textfile import ENCODINGS
from fleet.trackfile import Options
from fleet.trackfile.headers import SPEED_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.trackfile.account import Account

_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?")
_LARGEST_OFFSET = timedelta(hours=15)


def add_track_options(parser: argparse.ArgumentParser) -> None:
    """Add what a person may say of a file that does not say it itself."""
    group = parser.add_argument_group("of files that do not say it themselves")
    group.add_argument("--encoding", choices=tuple(ENCODINGS), help="of a text (default: found, and said)")
    group.add_argument(
        "--timezone",
        type=_timezone,
        metavar="ZONE",
        help="of times without an offset: Asia/Shanghai, UTC, +08:00 (default: UTC in GPX, Asia/Shanghai "
        "under Chinese headers, and said)",
    )
    group.add_argument("--datum", choices=DATUMS, help="of positions (default: wgs84); converted to WGS 84")
    group.add_argument(
        "--speed-unit", choices=tuple(SPEED_UNITS), help="of a speed in CSV whose column does not name it"
    )


def track_options(args: argparse.Namespace) -> Options:
    """Return what was said of the files."""
    return Options(args.encoding, args.timezone, args.datum, args.speed_unit)


def say(accounts: Iterable[Account]) -> None:
    """Print what is remarkable about files that were read, in the language of the environment."""
    wanted = language(os.environ)
    for account in accounts:
        for sentence in account.sentences():
            print(f"kerbsafe: {_OF.fill(file=account.file, said=sentence).to(wanted)}", file=sys.stderr)


_OF = Words("{file}: {said}", "{file}：{said}")


def _timezone(text: str) -> tzinfo:
    if text == "Asia/Shanghai":
        return CIVIL_ZONE  # also where no table of zones is installed
    if text.upper() in {"UTC", "Z"}:
        return UTC
    if offset := _OFFSET.fullmatch(text):
        sign, hours, minutes = offset.groups()
        ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if ahead < _LARGEST_OFFSET:
            return timezone(-ahead if sign == "-" else ahead)
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError) as error:
        what = f"{text!r} is no time zone: give a name as Asia/Shanghai, UTC, or an offset as +08:00"
        raise argparse.ArgumentTypeError(what) from error

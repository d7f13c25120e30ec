"""`kerbsafe play`: publish recorded drives over MQTT as if trucks drove them now."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.language import Words, language
from kerbsafe.drives import play
from kerbsafe.drives.track_options import add_track_options, track_options
from kerbsafe.shell.numbers import LIMITS_KMH, above_zero, whole
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

#: Shifts of files that the summary shows to a person.
_SHOWN = 5
_FASTEST = 100_000
_LONGEST_GAP_S = 100_000
_LAST_PORT = 65_535
#: Of --start. Times before 1970 are none in the store.
_FIRST_YEAR, _LAST_YEAR = 1971, 2099


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "play",
        description="Publish CSV, GPX and NDJSON drives side by side, or with --jt808 tell them to a gateway "
        "as terminals do. The first fix of each falls on now, long gaps are shortened. In a sandbox the "
        "vehicles are registered, and --speedup moves the sandbox's clock.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recorded drives")
    parser.add_argument("--broker", metavar="URL", help="mqtt://user@host:port (default: KERBSAFE_BROKER)")
    parser.add_argument(
        "--jt808",
        type=_gateway,
        metavar="HOST:PORT",
        help="not over MQTT: as terminals of JT/T 808 at this gateway, by the vehicles' devices",
    )
    parser.add_argument("--company", default="play", metavar="C", help="company code (default: %(default)s)")
    parser.add_argument("--vehicle", metavar="V", help="vehicle code (default: the file's name)")
    parser.add_argument(
        "--speedup", type=above_zero(_FASTEST), default=1.0, metavar="X", help="wait X times less"
    )
    parser.add_argument(
        "--max-gap",
        type=above_zero(_LONGEST_GAP_S),
        default=60.0,
        metavar="S",
        help="shorten longer gaps to S seconds (default: 60)",
    )
    parser.add_argument("--start", type=_start, metavar="TIME", help="first fix falls on TIME, RFC 3339")
    parser.add_argument(
        "--as-history",
        action="store_true",
        help="publish as back-fill, judged by the settler; any speed is allowed",
    )
    parser.add_argument(
        "--limit-kmh",
        type=whole(*LIMITS_KMH),
        metavar="KMH",
        help="limit of the vehicles that a sandbox registers",
    )
    add_track_options(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.set_defaults(run=run)


def _start(text: str) -> datetime:
    """Return a moment that the clock of a sandbox may show."""
    moment = parse_time(text)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is not in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


def _gateway(text: str) -> tuple[str, int]:
    """Return the address of a gateway."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:808")
    return host.strip("[]"), int(port)


def run(args: argparse.Namespace) -> int:
    """Play."""
    request = play.Request(
        files=args.files,
        broker=args.broker,
        gateway=args.jt808,
        company=args.company,
        vehicle=args.vehicle,
        speedup=args.speedup,
        max_gap_s=args.max_gap,
        start=args.start,
        as_history=args.as_history,
        limit_kmh=args.limit_kmh,
        options=track_options(args),
    )
    summary = asyncio.run(play.play(request))
    if args.json:
        print(json.dumps(summary))
    else:
        print(_sentence(summary).to(language(os.environ)))
    return 0


def _sentence(summary: dict[str, Any]) -> Words:
    shifts = ", ".join(f"{name} {shift:+.3f} s" for name, shift in list(summary["shift_s"].items())[:_SHOWN])
    others = len(summary["shift_s"]) - _SHOWN
    more = Words(f" and {others} more", f" 等另 {others} 个") if others > 0 else Words("", "")
    return _PUBLISHED.fill(shifts=shifts, more=more, **summary)


_PUBLISHED = Words(
    "published {messages} messages of {vehicles} vehicles from {files} files, {first_at} to {last_at}, "
    "{speedup:g} times as fast; times shifted by {shifts}{more}; {gaps_shortened_s:g} s of gaps left out",
    "已发布 {files} 个文件中 {vehicles} 辆车的 {messages} 条消息，{first_at} 至 {last_at}，"
    "速度 {speedup:g} 倍；时间平移 {shifts}{more}；省去间隔 {gaps_shortened_s:g} 秒",
)

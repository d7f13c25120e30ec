"""`kerbsafe replay`: judge recorded or stored fixes again, with the engine that runs live."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from fleet.datum import DATUMS
from fleet.errors import KerbsafeError
from fleet.language import Words, language
from fleet.printable import printable
from kerbsafe.drives import recordings, speed_report
from kerbsafe.drives.track_options import add_track_options, say, track_options
from kerbsafe.replay import replay_archive, replay_rows, replay_store
from kerbsafe.replay.fence_file import Files, read_fences, read_known
from kerbsafe.rulebook import alert_budget, rulebook_files
from kerbsafe.shell.numbers import LIMITS_KMH, whole
from kerbsafe.shell.times import parse_time

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from alerts.in_force.rulebooks import Rulebook
    from alerts.in_force.watch import Watch


_OPTIONS = {"since": "--from", "until": "--to", "vehicle": "--vehicle", "compare": "--compare"}


class ReplayError(KerbsafeError):
    """What was asked to be replayed cannot be."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "replay",
        description="Judge fixes from files (CSV, GPX, NDJSON of recorded messages), or without files from "
        "the database of KERBSAFE_DSN between --from and --to. Prints one episode, right turn or bend a "
        "line; of files, whose reported speed lags or is out of scale; and for rules in shadow what they "
        "would cost: alerts / (hours x monitors), of which there is one per "
        "100 vehicles and at least two.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="recorded drives")
    _add_what(parser)
    _add_by_what(parser)
    _add_where(parser)
    add_track_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def _add_what(parser: argparse.ArgumentParser) -> None:
    """Add what is replayed, how, and what it is compared with."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--settled", action="store_true", help="complete and in time order, as the settler judges (default)"
    )
    how.add_argument(
        "--as-arrived", action="store_true", help="batch by batch as received, as the hot path judges"
    )
    parser.add_argument(
        "--from", dest="since", type=parse_time, help="stored fixes: from this time, RFC 3339"
    )
    parser.add_argument("--to", dest="until", type=parse_time, help="stored fixes: to before this time")
    parser.add_argument("--vehicle", help="stored fixes: only this vehicle code")
    parser.add_argument(
        "--compare",
        nargs="?",
        const="stored",
        choices=("stored", "live"),
        help="stored fixes: print only what differs from the rows in the store (--as-arrived: from what live "
        "has raised); `--compare live`: how the settled judgement differs from that as arrived",
    )


def _add_where(parser: argparse.ArgumentParser) -> None:
    """Add the cold store, and who judges it."""
    parser.add_argument(
        "--archive",
        metavar="DIR",
        help="judge the cold store there (or at s3://…) between --from and --to, all vehicles of the "
        "registry, side by side on all cores; prints counts. What cameras saw is left out",
    )
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="--archive: dask.distributed's scheduler, e.g. tcp://host:8786"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="--archive: write episodes.parquet and turns.parquet there"
    )


def _add_by_what(parser: argparse.ArgumentParser) -> None:
    """Add what is known of vehicles and places, and the numbers that judge."""
    parser.add_argument("--rules", type=Path, help="rulebook file instead of the one in force")
    parser.add_argument(
        "--fences", type=Path, metavar="FILE", help="GeoJSON of fences instead of those of the registry"
    )
    parser.add_argument(
        "--registry",
        type=Path,
        metavar="FILE",
        help="files: the vehicles and passes, as `registry import` reads them",
    )
    parser.add_argument(
        "--fences-datum",
        choices=DATUMS,
        help="datum of fences that do not name theirs; many Chinese files are not WGS 84",
    )
    parser.add_argument(
        "--ignore-unknown",
        action="store_true",
        help="leave properties of fences and columns of the registry aside that are not known",
    )
    parser.add_argument(
        "--limit-kmh",
        type=whole(*LIMITS_KMH),
        default=-1,
        metavar="KMH",
        help="files: limit of the vehicles (default: the rulebook's)",
    )


def run(args: argparse.Namespace) -> int:
    """Replay and print."""
    lines = {"alert_budget": alert_budget.line, speed_report.KIND: speed_report.line}
    if args.archive is not None:
        return _from_archive(args)
    rows = _from_files(args) if args.files else _from_store(args)
    differences = 0
    for row in rows:
        differences += "difference" in row
        line = lines.get(row["kind"], replay_rows.line)
        print(json.dumps(row, ensure_ascii=False) if args.json else line(row))
    if args.compare is not None:
        print(_DIFFERENCES.fill(count=differences).to(language(os.environ)), file=sys.stderr)
    return 0


def _rulebook(path: Path | None) -> Rulebook | None:
    return None if path is None else rulebook_files.read(path)


def _fences(args: argparse.Namespace) -> Watch | None:
    if args.fences is None:
        return None
    watch, notes = read_fences(args.fences, args.fences_datum, ignore_unknown=args.ignore_unknown)
    _tell(notes)
    return watch


def _tell(notes: Iterable[Words]) -> None:
    for note in notes:
        print(printable(note.to(language(os.environ))), file=sys.stderr)


def _from_files(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if stored := [
        name for name in ("since", "until", "vehicle", "compare") if getattr(args, name) is not None
    ]:
        raise ReplayError(_FOR_STORED.fill(option=_OPTIONS[stored[0]]))
    drives = recordings.read(args.files, track_options(args))
    say(drives.accounts)
    files = Files(args.registry, args.fences, args.fences_datum, args.ignore_unknown)
    known = read_known(files, [drive.vehicle for drive in drives.drives], args.limit_kmh)
    _tell(known.notes)
    book = _rulebook(args.rules) or documents.default()
    context = Context(Rulebooks([book]), known.facts, known.watch)
    if args.as_arrived:
        if len(drives.arrivals) == 0:
            raise ReplayError(_NEEDS_ARRIVALS)
        judgement = replay.as_arrived(drives.arrivals, context)
    else:
        judgement = replay.settled(drives.fixes, context, drives.sights)
    found = replay_rows.collect(judgement, context.rulebooks)
    if args.rules is None:
        found = replay_rows.live(found)  # nobody has asked to try a rule
    if args.json:
        yield from (replay_rows.of_file(account) for account in drives.accounts if account.is_remarkable)
    for one in replay_rows.in_order(found):
        drive = drives.drives[one.vehicle_id]
        yield replay_rows.row(one, drive.track, drive.vehicle, drive.origin_us)
    yield from speed_report.rows(drives.fixes, drives.drives)
    yield from alert_budget.budget(found[0], len(drives.drives), recordings.duration_s(drives.fixes))


def _from_store(args: argparse.Namespace) -> Iterable[dict[str, Any]]:
    if args.since is None or args.until is None:
        raise ReplayError(_NOTHING_NAMED)
    if args.until <= args.since:
        raise ReplayError(_TURNED_ROUND)
    if args.compare == "live" and args.as_arrived:
        raise ReplayError(_LEAVE_OUT_ONE)
    wanted = replay_store.Wanted(
        since=args.since,
        until=args.until,
        vehicle=args.vehicle,
        is_as_arrived=args.as_arrived,
        compare=args.compare,
        rules=_rulebook(args.rules),
        fences=_fences(args),
    )
    return asyncio.run(replay_store.rows(wanted))


def _from_archive(args: argparse.Namespace) -> int:
    if args.since is None or args.until is None or args.until <= args.since:
        raise ReplayError(replay_archive.NEEDS_SPAN)
    for option in ("files", "vehicle", "compare", "as_arrived", "registry"):
        if getattr(args, option):
            raise ReplayError(_NOT_FOR_ARCHIVE.fill(option=option.replace("_", "-")))
    rules, fences = _rulebook(args.rules), _fences(args)
    wanted = replay_archive.Wanted(
        args.archive, args.since, args.until, rules, fences, args.cluster, args.out
    )
    work, context, vehicles = asyncio.run(replay_archive.pieces(wanted))
    found = replay_archive.judged(
        work,
        context,
        args.cluster,
        lambda words: print(words.to(language(os.environ)), file=sys.stderr, flush=True),
    )
    if args.out is not None:
        replay_archive.write(args.out, found)
    duration_s = (args.until - args.since).total_seconds()
    for row in replay_archive.counts(found, work, vehicles, duration_s):
        line = alert_budget.line if row["kind"] == "alert_budget" else replay_archive.line
        print(json.dumps(row, ensure_ascii=False) if args.json else line(row))
    return 0


_NOT_FOR_ARCHIVE = Words("{option} does not go with --archive", "{option} 不能与 --archive 同用")
_DIFFERENCES = Words("{count} differences", "{count} 处不同")
_FOR_STORED = Words(
    "{option} is for stored fixes; give it without files", "{option} 只用于已存入的定位点；请勿同时给文件"
)
_NEEDS_ARRIVALS = Words(
    "--as-arrived needs NDJSON files whose lines say when each message came (`at`)",
    "--as-arrived 需要逐行注明收到时间（`at`）的 NDJSON 文件",
)
_NOTHING_NAMED = Words(
    "name files to replay, or --from TIME and --to TIME for stored fixes",
    "请给出要判定的文件，或用 --from 与 --to 指明已存入数据的时段",
)
_TURNED_ROUND = Words("--to is not after --from; turn them round", "--to 不晚于 --from；请对调")
_LEAVE_OUT_ONE = Words(
    "--compare live compares the settled judgement with that as arrived: leave out one",
    "--compare live 比较的就是终判与实时判定：请去掉其中一个",
)

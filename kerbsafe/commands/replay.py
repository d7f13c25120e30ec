"""`kerbsafe replay`: the live engine over recorded or stored fixes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import KerbsafeError
from kerbsafe.moments import parse_moment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from alerts.episodes import Episode
    from alerts.rulebook import Rulebooks
    from alerts.rules.fence import Watch
    from alerts.transitions import Judgement
    from alerts.turn_records import Turn


class ReplayError(KerbsafeError):
    """What was asked to be replayed cannot be."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "replay",
        help="judge recorded or stored fixes again, with the engine that runs live",
        description="Judge fixes from files (CSV, GPX, NDJSON of recorded messages), or without files from "
        "the database of KERBSAFE_DSN between --from and --to. Prints one episode or right turn a line.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="recorded drives")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--settled", action="store_true", help="complete and in time order, as the settler judges (default)"
    )
    how.add_argument(
        "--as-arrived", action="store_true", help="batch by batch as received, as the hot path judges"
    )
    parser.add_argument(
        "--from", dest="since", type=parse_moment, help="stored fixes: from this time, RFC 3339"
    )
    parser.add_argument("--to", dest="until", type=parse_moment, help="stored fixes: to before this time")
    parser.add_argument("--vehicle", help="stored fixes: only this vehicle code")
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
        choices=("wgs84", "gcj02", "bd09"),
        help="datum of fences that do not name theirs; many Chinese files are not WGS 84",
    )
    parser.add_argument(
        "--limit-kmh", type=int, default=-1, help="files: limit of the vehicles (default: the rulebook's)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay and print."""
    if args.files:
        rows = _from_files(args)
    else:
        if args.since is None or args.until is None:
            raise ReplayError("name files to replay, or --from TIME and --to TIME for stored fixes")
        rows = asyncio.run(_from_store(args))
    for row in rows:
        print(json.dumps(row, ensure_ascii=False) if args.json else _line(row))
    return 0


def _rulebooks(path: Path | None) -> Rulebooks:
    from alerts import rulebook  # noqa: PLC0415

    if path is None:
        return rulebook.Rulebooks([rulebook.default()])
    try:
        return rulebook.Rulebooks([rulebook.parse(path.read_text("utf-8"))])
    except OSError as error:
        raise ReplayError(f"cannot read the rulebook {path}: {error.strerror}") from error


def _fences(args: argparse.Namespace) -> Watch | None:
    from kerbsafe.fence_file import read_fences  # noqa: PLC0415

    return None if args.fences is None else read_fences(args.fences, args.fences_datum)


def _from_files(args: argparse.Namespace) -> Iterable[dict[str, Any]]:
    from alerts import replay  # noqa: PLC0415
    from alerts.engine import Context  # noqa: PLC0415
    from kerbsafe import recordings  # noqa: PLC0415
    from kerbsafe.fence_file import Files, read_known  # noqa: PLC0415

    drives = recordings.read(args.files)
    files = Files(args.registry, args.fences, args.fences_datum)
    known = read_known(files, [drive.vehicle for drive in drives.drives], args.limit_kmh)
    context = Context(_rulebooks(args.rules), known.facts, known.watch)
    if args.as_arrived:
        if len(drives.arrivals) == 0:
            raise ReplayError("--as-arrived needs NDJSON files whose lines say when each message came (`at`)")
        judgement = replay.as_arrived(drives.arrivals, context)
    else:
        judgement = replay.settled(drives.fixes, context, drives.sights)
    for found in _found(judgement, context.rulebooks):
        drive = drives.drives[found.vehicle_id]
        yield _row(found, drive.track, drive.vehicle, drive.origin_us)


async def _from_store(args: argparse.Namespace) -> list[dict[str, Any]]:
    from alerts import replay, stored  # noqa: PLC0415
    from alerts.engine import Context  # noqa: PLC0415
    from alerts.knowledge import Knowledge  # noqa: PLC0415
    from fleet import db, tracks  # noqa: PLC0415
    from fleet.migrate import require_schema  # noqa: PLC0415
    from fleet.settings import read_settings  # noqa: PLC0415
    from fleet.units import to_us  # noqa: PLC0415

    connection = await db.connect(read_settings().dsn, application="replay")
    try:
        await require_schema(connection)
        knowledge = await Knowledge.read(connection)
        directory = knowledge.directory()
        if args.vehicle is not None and args.vehicle not in directory.vehicles:
            raise ReplayError(f"no vehicle {args.vehicle!r} in the registry; see `kerbsafe registry list`")
        rulebooks = knowledge.rulebooks if args.rules is None else _rulebooks(args.rules)
        fences = knowledge.context.fences if args.fences is None else _fences(args)
        context = Context(rulebooks, knowledge.context.facts, fences)
        wanted = [directory.vehicles[args.vehicle]] if args.vehicle else list(directory.vehicles.values())
        if args.as_arrived:
            arrivals = await stored.read_arrivals(connection, wanted, args.since, args.until)
            judgement = replay.as_arrived(arrivals, context)
        else:
            spans = [tracks.Span(vehicle, to_us(args.since), to_us(args.until)) for vehicle in wanted]
            seen = await stored.read_sights(connection, spans, rulebooks, to_us(args.until))
            judgement = replay.settled(await tracks.read_spans(connection, spans), context, seen)
        return [
            _row(found, code := directory.vehicle_code(found.vehicle_id), code, 0)
            for found in _found(judgement, rulebooks)
        ]
    finally:
        await connection.close()


def _found(judgement: Judgement, rulebooks: Rulebooks) -> list[Episode | Turn]:
    """Return episodes and right turns, by vehicle and time."""
    from alerts import episodes, turn_records  # noqa: PLC0415

    judged = episodes.collect(judgement.transitions, rulebooks)
    turns = turn_records.collect(judgement.turns, rulebooks)
    found: list[tuple[int, int, Episode | Turn]] = [(e.vehicle_id, e.started_us, e) for e in judged]
    found += [(t.vehicle_id, t.entered_us, t) for t in turns]
    return [what for *_when, what in sorted(found, key=lambda row: row[:2])]


def _row(found: Episode | Turn, track: str, vehicle: str | None, origin_us: int) -> dict[str, Any]:
    from alerts.turn_records import Turn  # noqa: PLC0415

    of = {"track": track} if vehicle is None else {"track": track, "vehicle": vehicle}
    if isinstance(found, Turn):
        return {"kind": "right_turn"} | of | _turn_row(found, origin_us)
    return {"kind": found.rule_name} | of | _episode_row(found, origin_us)


def _turn_row(turn: Turn, origin_us: int) -> dict[str, Any]:
    return {
        "entered_s": _seconds(turn.entered_us - origin_us),
        "exited_s": _seconds(turn.exited_us - origin_us),
        "course_change_deg": turn.course_change_deg,
        "max_speed_kmh": turn.max_kmh,
        "min_speed_kmh": turn.min_kmh,
        "stop": turn.stop,
        "evaluable": turn.evaluable,
        "reason": turn.reason,
        "confidence": turn.confidence,
        "outcome": turn.outcome,
    }


def _episode_row(episode: Episode, origin_us: int) -> dict[str, Any]:
    return {
        "started_s": _seconds(episode.started_us - origin_us),
        "ended_s": None if episode.ended_us is None else _seconds(episode.ended_us - origin_us),
        "peak": episode.peak,
        "limit": episode.limit,
        "limit_source": episode.limit_source,
        **(episode.measures if episode.about else {}),
    }


def _seconds(time_us: int) -> float:
    return round(time_us / 1e6, 3)


def _line(row: dict[str, Any]) -> str:
    if row["kind"] == "right_turn":
        unsure = "" if row["evaluable"] else f", not evaluable: {row['reason']}"
        return (
            f"{row['track']}  right_turn  {row['entered_s']:g}–{row['exited_s']:g} s  "
            f"{row['course_change_deg']:g}°, {row['min_speed_kmh']:g}–{row['max_speed_kmh']:g} km/h{unsure}"
        )
    ended = "open" if row["ended_s"] is None else f"{row['ended_s']:g}"
    about = f" {row['fence']}" if "fence" in row else ""
    return (
        f"{row['track']}  {row['kind']}{about}  {row['started_s']:g}–{ended} s  peak {row['peak']:g}, "
        f"limit {row['limit']:g} ({row['limit_source']})"
    )

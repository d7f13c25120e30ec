"""Judging a span of the cold store again, on all cores or a cluster: `kerbsafe replay --archive`.

A piece of work is a day of some vehicles: each segment that meets it, whole, of which counts what begins on
that day. Pieces know nothing of each other: where, how often and in which order they are done is no matter.
"""

from __future__ import annotations

import json
import os
import pickle
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet as pq

from alerts.knowledge import Knowledge
from alerts.live import replay
from alerts.words.transitions import LIVE
from fleet.archive import layout, reading
from fleet.archive.layout import ArchiveError
from fleet.archive.matching import once
from fleet.archive.reading import ColdDay
from fleet.archive.stores import manifest_of, open_store
from fleet.columns import Fixes
from fleet.language import Words
from fleet.tracks import Span
from fleet.units import to_us
from kerbsafe.replay import replay_rows
from kerbsafe.replay.replay_store import QUERIES, context_of
from kerbsafe.rulebook import alert_budget
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from alerts.episodes.episodes import Episode
    from alerts.episodes.turn_records import Turn
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebook
    from alerts.in_force.watch import Watch
    from fleet.archive.stores import ColdStore

    Found = tuple[list[Episode], list[Turn]]

#: Vehicles of a piece: enough to be judged side by side, few enough for the memory of a small machine.
VEHICLES_AT_ONCE = 64
#: A segment that began before a day is read no farther back than this: so long, nobody drives without a rest.
_LONGEST = timedelta(days=2)
#: Workers that may die over one piece before it is given up.
_DEATHS = 10


class Wanted(NamedTuple):
    """What to judge, and where."""

    archive: str
    since: datetime
    until: datetime
    rules: Rulebook | None
    fences: Watch | None
    #: Address of the scheduler of a cluster; None: all cores of this machine.
    cluster: str | None
    #: Folder for the results as Parquet; None: only counts.
    out: Path | None


class Piece(NamedTuple):
    """A piece of work: spans to read, a vehicle each, and what counts of what is found in them."""

    archive: str
    spans: tuple[Span, ...]
    from_us: int
    until_us: int


async def pieces(wanted: Wanted) -> tuple[list[Piece], Context, int]:
    """Return the work, what to judge by, and how many vehicles there are."""
    store = open_store(wanted.archive)
    _require_days(store, wanted)
    async with database("replay") as connection:
        knowledge = await Knowledge.read(connection)
        directory = knowledge.directory()
        vehicles = sorted(directory.vehicles.values())
        made = []
        for begin, end in _days(wanted):
            latest = end + _LONGEST
            rows = await connection.fetch(QUERIES["whole_segments"], vehicles, begin, end, latest)
            spans = [
                Span(
                    row["vehicle"],
                    max(to_us(row["since"]), to_us(begin - _LONGEST)),
                    min(to_us(row["till"]), to_us(latest)) + 1,  # with the fix that ends a segment
                )
                for row in rows
            ]
            made += [
                Piece(wanted.archive, tuple(spans[at : at + VEHICLES_AT_ONCE]), to_us(begin), to_us(end))
                for at in range(0, len(spans), VEHICLES_AT_ONCE)
            ]
        return made, context_of(wanted.rules, wanted.fences, knowledge, directory), len(vehicles)


def _days(wanted: Wanted) -> Iterable[tuple[datetime, datetime]]:
    begin = wanted.since
    while begin < wanted.until:
        end = min(layout.begin_of(layout.day_of_us(to_us(begin)) + timedelta(days=1)), wanted.until)
        yield begin, end
        begin = end


def _require_days(store: ColdStore, wanted: Wanted) -> None:
    """Raise if a day that was asked for is not in the cold store: nobody knows what was driven then."""
    first, last = layout.days_of_span(to_us(wanted.since), to_us(wanted.until))
    asked = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    missing = [day for day in asked if manifest_of(store, day) is None]
    if missing:
        raise ArchiveError(
            f"{store} has no {', '.join(map(str, missing[:5]))}{'…' if len(missing) > 5 else ''}: "  # noqa: PLR2004
            "take --from and --to within the days that `kerbsafe archive list` shows"
        )


def judge(piece: Piece, context: Context) -> Found:
    """Judge a piece of work; return what begins in its time."""
    store = open_store(piece.archive)
    first = layout.day_of_us(min(span.from_us for span in piece.spans))
    last = layout.day_of_us(max(span.until_us for span in piece.spans))
    found = [
        part for day in _cold_days(store, first, last) for part in reading.pieces(store, day, piece.spans)
    ]
    judgement = replay.settled(once(Fixes.concat(found)), context)
    judged, turns = replay_rows.collect(judgement, context.rulebooks)
    return (
        [one for one in judged if piece.from_us <= one.started_us < piece.until_us],
        [one for one in turns if piece.from_us <= one.entered_us < piece.until_us],
    )


def _cold_days(store: ColdStore, first: date, last: date) -> Iterable[ColdDay]:
    for n in range((last - first).days + 1):
        manifest = manifest_of(store, first + timedelta(days=n))
        if manifest is not None:
            parts = manifest.parts
            yield ColdDay(manifest.day, [one.name for one in parts], [one.bytes for one in parts])


def judged(
    work: Sequence[Piece], context: Context, cluster: str | None, say: Callable[[Words], None]
) -> Found:
    """Judge all pieces side by side; whichever worker dies, another does its piece again.

    Raises
    ------
    ArchiveError
        If dask.distributed is not installed, or a file cannot be read.
    """
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ArchiveError(
            "judging the cold store again needs the extra `cluster`: install kerbsafe[cluster]"
        ) from error
    if cluster is not None:
        with Client(cluster) as client:
            return _gathered(client, work, context, say)
    cores = os.cpu_count() or 1
    with (
        LocalCluster(n_workers=cores, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        return _gathered(client, work, context, say)


def _gathered(client: Any, work: Sequence[Piece], context: Context, say: Callable[[Words], None]) -> Found:
    say(_BEGINS.fill(pieces=len(work), workers=len(client.scheduler_info()["workers"])))
    # Made from bytes by a task, so that it can be made again where it was lost together with a worker.
    shared = client.submit(pickle.loads, pickle.dumps(context))
    futures = client.map(judge, work, context=shared, retries=_DEATHS, pure=False)
    episodes, turns = list[Any](), list[Any]()
    for some_episodes, some_turns in client.gather(futures):
        episodes += some_episodes
        turns += some_turns
    return episodes, turns


def write(out: Path, found: Found) -> None:
    """Write episodes and turns as Parquet, in order of vehicle and time."""
    out.mkdir(parents=True, exist_ok=True)
    episodes = [_episode_row(one) for one in sorted(found[0], key=lambda e: (e.vehicle_id, e.started_us))]
    turns = [asdict(one) for one in sorted(found[1], key=lambda t: (t.vehicle_id, t.entered_us))]
    for name, rows in (("episodes", episodes), ("turns", turns)):
        pq.write_table(pa.Table.from_pylist(rows), out / f"{name}.parquet", compression="zstd")


def _episode_row(episode: Episode) -> dict[str, Any]:
    row = asdict(episode)
    measures = json.dumps(dict(episode.measures), ensure_ascii=False)
    return row | {"rule": episode.rule_name, "id": str(episode.id), "measures": measures}


def counts(found: Found, work: Sequence[Piece], vehicles: int, duration_s: float) -> list[dict[str, Any]]:
    """Return what was found as counts, and what rules in shadow would cost."""
    of_rules = Counter((one.rule_name, one.mode) for one in found[0])
    rows: list[dict[str, Any]] = [
        {"kind": "episodes", "rule": rule, "mode": mode, "count": count}
        for (rule, mode), count in sorted(of_rules.items())
    ]
    evaluable = sum(one.evaluable for one in found[1])
    rows.append({"kind": "right_turns", "count": len(found[1]), "evaluable": evaluable, "pieces": len(work)})
    return rows + alert_budget.budget(found[0], vehicles, duration_s)


def line(row: dict[str, Any]) -> str:
    """Return a row of counts for people."""
    if row["kind"] == "episodes":
        mode = "" if row["mode"] == LIVE else f"  {row['mode']}"
        return f"{row['count']:>8}  {row['rule']}{mode}"
    return f"{row['count']:>8}  right turns and bends, {row['evaluable']} of them evaluable"


_BEGINS = Words("judging {pieces} pieces on {workers} workers", "{workers} 个进程判定 {pieces} 份数据")
NEEDS_SPAN = Words(
    "--archive needs --from TIME and --to TIME, and --to after --from",
    "--archive 需要 --from 与 --to，且 --to 晚于 --from",
)

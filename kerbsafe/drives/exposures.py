"""What was driven in recorded drives, for `kerbsafe exposure`: a row a drive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.episodes.turn_records import collect, columns
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.rules.right_turn import right_turn_fold
from analytics.exposure import steps as measuring
from analytics.exposure.cells import MEASURES, cells, labels
from analytics.exposure.trips import trips
from analytics.exposure.turn_counts import counts
from fleet import trackfile
from fleet.trackfile import TrackError
from fleet.units import MICROSECONDS
from kerbsafe.drives import recordings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alerts.in_force.rulebooks import Rulebook
    from analytics.exposure.cells import Cells
    from analytics.exposure.turn_counts import TurnCounts
    from fleet.trackfile import Options
    from kerbsafe.drives.recordings import Drives

    Row = dict[str, Any]

_MM_PER_KM = 1e6
_ALWAYS_US = (-(2**62), 2**62)


class Files(NamedTuple):
    """Recorded drives, and what could not be read."""

    drives: Drives
    faults: list[TrackError]


def read(paths: Sequence[Path], options: Options) -> Files:
    """Read what can be read of files."""
    files, faults = [], []
    for path in paths:
        try:
            files.append(trackfile.read(path, options))
        except TrackError as error:
            faults.append(error)
    return Files(recordings.of(*files), faults)


def rows(drives: Drives, book: Rulebook | None) -> Iterator[Row]:
    """Yield what was driven in each drive; what is unknown is None."""
    books = Rulebooks([book or documents.default()])
    first = np.zeros(1, np.int32)
    motion, right_turn = books.numbers("motion", first), books.numbers("right_turn", first)
    record = measuring.record(drives.fixes, motion)
    steps = measuring.measure(record, motion)
    fine_s = float(right_turn["evaluable_interval_s"])
    cut = cells(steps, labels(record), fine_s=fine_s, from_us=_ALWAYS_US[0], until_us=_ALWAYS_US[1])
    started = trips(steps, record).vehicle_id
    context = Context(books, replay.UniformFacts())
    found = collect(replay.settled(drives.fixes, context, drives.sights).turns, books)
    for number, drive in enumerate(drives.drives):
        own = columns([turn for turn in found if turn.vehicle_id == number], context)
        yield {
            "track": drive.track,
            **({} if drive.vehicle is None else {"vehicle": drive.vehicle}),
            **_figures(cut.take(cut.vehicle_id == number), counts(own, right_turn_fold.too_fast(own, books))),
            "trips": int((started == number).sum()),
        }


def _figures(driven: Cells, turns: TurnCounts) -> Row:
    """Return the figures of one drive, unknown where nothing of it was seen."""
    sums = {name: int(getattr(driven, name).sum()) for name in MEASURES}
    whole_mm = sums["distance_mm"] + sums["unseen_mm"]
    known = {
        "km": round(sums["distance_mm"] / _MM_PER_KM, 3),
        "moving_s": round(sums["driven_us"] / MICROSECONDS, 1),
        "right_turns": turns.turns,
        "evaluable_share": round(sums["fine_mm"] / whole_mm, 4) if whole_mm else None,
        "evaluable_turns": turns.evaluable,
        "too_fast": turns.too_fast,
        "armed": turns.armed,
        "conflicts": turns.conflicts,
        "bends": turns.bends,
        "standing_s": round(sums["stood_us"] / MICROSECONDS, 1),
    }
    return {
        **(known if sums["driven_us"] + sums["stood_us"] else dict.fromkeys(known)),
        "silent_s": round(sums["silent_us"] / MICROSECONDS, 1),
        "unseen_s": round(sums["unseen_us"] / MICROSECONDS, 1),
        "unseen_km": round(sums["unseen_mm"] / _MM_PER_KM, 3),
    }


_COLUMNS = (("km", 10), ("moving", 10), ("turns", 7), ("evaluable", 11), ("silent", 10), ("unseen km", 11))


def table(found: Sequence[Row]) -> str:
    """Return rows as people read them; what is unknown is a dash."""
    lines = [("track", *(name for name, _ in _COLUMNS)), *map(_cells, found)]
    wide = max(len(line[0]) for line in lines)
    return "\n".join(
        f"{first:<{wide}}"
        + "".join(f"{text:>{width}}" for text, (_, width) in zip(rest, _COLUMNS, strict=True))
        for first, *rest in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row['track']} {row['vehicle']}" if "vehicle" in row else str(row["track"]),
        _shown(row["km"], ".3f"),
        _clock(row["moving_s"]),
        _shown(row["right_turns"], "d"),
        _shown(row["evaluable_share"], ".1%"),
        _clock(row["silent_s"]),
        _shown(row["unseen_km"], ".3f"),
    )


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"

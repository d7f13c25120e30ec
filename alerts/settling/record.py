"""What the complete record of some vehicles shows, and what that says of each stretch of their time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from alerts.engine import engine
from alerts.episodes import turn_records
from alerts.episodes.episodes import Episode, collect
from alerts.episodes.turn_records import Turn
from alerts.live import replay
from alerts.words.transitions import Judgement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from alerts.engine.state import EngineState
    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks
    from alerts.rules.camera.conflicts import Sights
    from alerts.settling.stretches import Stretch
    from alerts.words.transitions import Rule, SegmentStarts
    from fleet.columns import Fixes

ALWAYS_US = -(2**62)

_Row = TypeVar("_Row", Episode, Turn)


class Reach(NamedTuple):
    """How far a record reaches, microseconds since 1970."""

    #: Older than the horizon: nothing more is expected, so what began before this is judged.
    complete_us: int
    #: How it went on since then is read up to here: what is over is not told as going on.
    seen_us: int


class Said(NamedTuple):
    """What the engine says of some record."""

    episodes: Sequence[Episode]
    turns: Sequence[Turn]


class Record(NamedTuple):
    """Stretches of some vehicles, judged side by side."""

    fixes: Fixes
    state: EngineState
    #: By vehicle, ascending.
    segment_starts: Mapping[int, list[int]]
    #: By vehicle: if the record goes on after its last fix, and if nothing follows it.
    running: Mapping[int, Said]
    complete: Mapping[int, Said]
    unjudged: frozenset[Rule]
    #: What became of what its cameras saw.
    outcomes: Mapping[str, int]
    reach: Reach

    @classmethod
    def judge(
        cls,
        fixes: Fixes,
        sights: Sights,
        context: Context,
        reach: Reach,
        go_on: Callable[[], None] = lambda: None,
    ) -> Record:
        """Judge all that is stored of the stretches, as far as it reaches; `go_on` may raise to end it."""
        state, judgement = replay.fold(fixes, context, go_on)
        silent = engine.tick(state, reach.seen_us, context)
        ended = engine.tick(state, replay.END_OF_TIME_US, context)
        joined = []
        for parts in ([judgement, silent], [judgement, silent, ended]):
            go_on()
            whole = Judgement.join(parts)
            joined.append(replay.with_conflicts(state, whole, fixes, sights, context))
            go_on()
        running, complete = (_said(told, context.rulebooks) for told, _ in joined)
        return cls(
            fixes,
            state,
            _starts(judgement.segments),
            running=running,
            complete=complete,
            unjudged=engine.unjudged(state),
            outcomes=joined[-1][1],
            reach=reach,
        )

    def starts(self, vehicle_id: int) -> list[int]:
        """Return when a vehicle's segments begin."""
        return self.segment_starts.get(vehicle_id, [])

    def agrees(self, stretch: Stretch) -> bool:
        """Say whether the segment after the stretch still begins where it is stored to begin."""
        return stretch.boundary_us is None or stretch.boundary_us in self.starts(stretch.vehicle_id)

    def part(self, stretch: Stretch, *, rests: bool) -> Part:
        """Return what is said of one stretch; of a vehicle on the move, its last segment stays open."""
        vehicle_id = stretch.vehicle_id
        is_running = stretch.boundary_us is None and not rests
        end_us = self.reach.complete_us if stretch.boundary_us is None else stretch.boundary_us
        starts = [start for start in self.starts(vehicle_id) if start < end_us]
        settled_until_us = starts[-1] if is_running and starts else end_us
        return Part(
            stretch,
            segment_starts=[start for start in starts if start < settled_until_us],
            settled=_between(self.complete.get(vehicle_id, _NOTHING), ALWAYS_US, settled_until_us),
            running=_between(self.running.get(vehicle_id, _NOTHING), settled_until_us, end_us),
            unjudged=self.unjudged,
            settled_until_us=settled_until_us,
            is_running=is_running,
            running_us=settled_until_us if is_running and starts else None,
            end_us=end_us,
        )


class Part(NamedTuple):
    """The judgement of one stretch."""

    stretch: Stretch
    segment_starts: list[int]
    settled: Said
    #: Of a segment that still runs, from `running_us` on.
    running: Said
    #: Rules that failed on this record: their rows are left as they are.
    unjudged: frozenset[Rule]
    settled_until_us: int
    is_running: bool
    running_us: int | None
    #: What began before this is judged.
    end_us: int

    @property
    def follows_us(self) -> int | None:
        """Where the segment after the settled ones begins, if there is one."""
        return self.running_us if self.stretch.boundary_us is None else self.stretch.boundary_us


_NOTHING = Said((), ())


def _said(judgement: Judgement, rulebooks: Rulebooks) -> dict[int, Said]:
    """Return what a judgement adds up to, by vehicle."""
    episodes = _by_vehicle(collect(judgement.transitions, rulebooks))
    turns = _by_vehicle(turn_records.collect(judgement.turns, rulebooks))
    return {
        vehicle: Said(episodes.get(vehicle, ()), turns.get(vehicle, ()))
        for vehicle in episodes.keys() | turns.keys()
    }


def _by_vehicle(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.vehicle_id, []).append(row)
    return found


def _starts(segments: SegmentStarts) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    order = np.lexsort((segments.started_us, segments.vehicle_id))
    for vehicle, start_us in zip(
        segments.vehicle_id[order].tolist(), segments.started_us[order].tolist(), strict=True
    ):
        found.setdefault(vehicle, []).append(start_us)
    return found


def _between(said: Said, from_us: int, until_us: int) -> Said:
    """Return what began in [from_us, until_us)."""
    return Said(
        [episode for episode in said.episodes if from_us <= episode.started_us < until_us],
        [turn for turn in said.turns if from_us <= turn.entered_us < until_us],
    )

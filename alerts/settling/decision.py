"""What the settler decides of stretches, from their record and from the rows that stand. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from alerts.episodes import matching, turn_records
from alerts.folding import motion
from alerts.settling.record import Reach
from alerts.words.transitions import OF_ARRIVAL, Rule
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alerts.engine.state import EngineState
    from alerts.episodes.matching import Settlement, StoredEpisode
    from alerts.episodes.turn_records import StoredTurn, TurnSettlement
    from alerts.in_force.context import Context
    from alerts.settling.record import Part, Record
    from alerts.settling.stretches import Segment, Stretch

#: A segment that still runs is looked at again after this, and after this share of its length: whoever is
#: late for ever has it judged from its beginning each time.
RUNNING_PAUSE_S, RUNNING_PAUSE_SHARE = 60, 0.05
#: Checkpoints may be this old, so rest is believed only this much later.
CHECKPOINT_AGE_S = 60
#: No accepted fix is further ahead of the clock.
AHEAD_US = 86_400 * MICROSECONDS
#: Without a turn it is not known whether one was a conflict.
_TURN_RULES = frozenset({Rule.RIGHT_TURN_FAST, Rule.CONFLICT})


class Terms(NamedTuple):
    """What one round of the settler goes by; the facts are the same for all of it."""

    now_us: int
    context: Context
    #: How old a record must be to be trusted to be complete, microseconds.
    horizon_us: int
    #: How long a vehicle must have been at rest before its last segment is settled, microseconds.
    due_after_us: int
    #: Settle all that is stored, whatever its age.
    drain: bool

    @classmethod
    def at(cls, now_us: int, context: Context, *, drain: bool) -> Self:
        """Return the terms of a round that begins now."""
        horizon_s = float(context.rulebooks.now("live", now_us)["horizon_s"])
        rest_s = float(context.rulebooks.now("motion", now_us)["rest_s"])
        due_after_s = rest_s + horizon_s + CHECKPOINT_AGE_S
        return cls(now_us, context, round(horizon_s * MICROSECONDS), round(due_after_s * MICROSECONDS), drain)

    @property
    def ahead_us(self) -> int:
        """Nothing is stored of any time after this."""
        return self.now_us + 2 * AHEAD_US

    @property
    def reach(self) -> Reach:
        """How far records are read; a drain takes fixes that lie ahead of the clock as well."""
        if self.drain:
            return Reach(self.ahead_us, self.ahead_us)
        return Reach(self.now_us - self.horizon_us, self.now_us)


class Standing(NamedTuple):
    """The judged rows of vehicles that begin in their stretches, as they are stored."""

    episodes: Mapping[int, Sequence[StoredEpisode]]
    turns: Mapping[int, Sequence[StoredTurn]]


class Decided(NamedTuple):
    """What becomes of the rows of one stretch, as far as it is settled."""

    part: Part
    episodes: list[Settlement]
    turns: list[TurnSettlement]


class Decision(NamedTuple):
    """What is decided of some stretches."""

    decided: list[Decided]
    #: Of these the segment after them does not begin any more where it is stored to begin.
    disagreed: list[Stretch]
    #: Vehicles on the move, and until when they are to be left alone.
    left_alone: dict[int, int]


def decide(
    record: Record,
    stretches: Sequence[Stretch],
    segments: Mapping[int, Sequence[Segment]],
    standing: Standing,
    terms: Terms,
) -> Decision:
    """Compare what the record of stretches shows with what stands of them."""
    decision = Decision([], [], {})
    for stretch in stretches:
        vehicle_id = stretch.vehicle_id
        if not record.agrees(stretch):
            decision.disagreed.append(stretch)
            continue
        rests = terms.drain or _rests(record.state, vehicle_id, terms)
        part = record.part(stretch, rests=rests)
        if part.is_running:
            decision.left_alone[vehicle_id] = terms.now_us + _pause_us(stretch, terms.now_us)
            known = [s.started_us for s in segments.get(vehicle_id, ()) if s.ended_us is None]
            if known and part.running_us not in known:
                continue  # the hot path has yet to end its segment: settle when it has
        decision.decided.append(_settled(part, standing))
    return decision


def of_running(part: Part, standing: Standing) -> Decided:
    """Decide what is to be added to a segment that still runs, from the rows that stand of it now.

    Of what goes on live may have said that it began after the record was read.
    """
    rows = [row for row in _episodes(part, standing) if row.started_us >= part.settled_until_us]
    turns = [row for row in _turns(part, standing) if row.turn.entered_us >= part.settled_until_us]
    added = turn_records.missed(turns, part.running.turns) if _judges_turns(part) else []
    return Decided(part, matching.missed(rows, part.running.episodes), added)


def _settled(part: Part, standing: Standing) -> Decided:
    rows = [row for row in _episodes(part, standing) if row.started_us < part.settled_until_us]
    turns = [row for row in _turns(part, standing) if row.turn.entered_us < part.settled_until_us]
    settled = turn_records.settle(turns, part.settled.turns) if _judges_turns(part) else []
    return Decided(part, matching.settle(rows, part.settled.episodes), settled)


def _episodes(part: Part, standing: Standing) -> list[StoredEpisode]:
    """Return the episodes that a part is compared with.

    A rule that failed has said nothing, which is not to say that there was nothing.
    """
    left_alone = part.unjudged | OF_ARRIVAL
    rows = standing.episodes.get(part.stretch.vehicle_id, ())
    return [row for row in rows if row.rule not in left_alone]


def _turns(part: Part, standing: Standing) -> Sequence[StoredTurn]:
    return standing.turns.get(part.stretch.vehicle_id, ())


def _judges_turns(part: Part) -> bool:
    return not part.unjudged & _TURN_RULES


def _rests(state: EngineState, vehicle_id: int, terms: Terms) -> bool:
    """Say whether the last segment of a folded record is over: motion would begin another."""
    slot = state.slots(np.array([vehicle_id], np.int32))[0]
    newest_us = max(int(state["motion"]["motion_us"][slot]), int(state["motion"]["segment_us"][slot]))
    if newest_us == motion.NEVER:
        return False  # nothing of it is old enough yet
    return terms.now_us - newest_us >= terms.due_after_us


def _pause_us(stretch: Stretch, now_us: int) -> int:
    """Return how long a vehicle on the move is left alone."""
    return max(RUNNING_PAUSE_S * MICROSECONDS, round((now_us - stretch.from_us) * RUNNING_PAUSE_SHARE))

"""Right turns one by one, as the store and people read them, and which stored one a settled one is."""

from __future__ import annotations

import uuid
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from alerts.episodes.pairing import Candidate, Verdict, free_id, one_to_one, verdict
from alerts.rules.camera import blind_spot
from alerts.words.transitions import LIVE
from alerts.words.turns import NO_JUNCTION, Kind, Reason, Seen, Stop, Turns
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.in_force.context import Context
    from alerts.in_force.rulebooks import Rulebooks

_NAMESPACE = uuid.UUID("6b657262-7361-4665-8000-007269676874")  # "kerbsafe right", fixed for ever
#: Two judgements of one turn begin no farther apart than this.
SAME_TURN_US = 10 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Turn:
    """One right turn. Times in microseconds since 1970; what is unknown is None."""

    vehicle_id: int
    #: turn or bend.
    kind: str
    entered_us: int
    exited_us: int
    lat_udeg: int
    lon_udeg: int
    #: Course on the way in; None: it was judged before this was kept.
    entry_course_deg: int | None
    course_change_deg: float
    entry_kmh: float
    min_kmh: float
    max_kmh: float
    path_m: float
    radius_m: float
    lateral_g: float
    approach_kmh: float
    approach_stood_s: float
    interval_s: float
    longest_s: float
    indicator: bool | None
    loaded: bool | None
    #: Id of the must-stop fence that it lies in.
    junction_id: int | None
    #: stopped, slow, not_stopped, not_evaluable; None where nothing says that one had to stop.
    stop: str | None
    #: Why it cannot be judged: coarse, gap, speed_disagrees, transport_gap; None where it can.
    reason: str | None
    confidence: float
    #: The right-hand camera was known to work, and how many it saw; None: nobody has looked, or what it saw
    #: may have been lost on the way.
    armed: bool | None
    conflicts: int | None
    rulebook: str

    @property
    def outcome(self) -> str | None:
        """conflict, clear or not_armed; None where nobody has looked at cameras, or nobody can know."""
        if self.conflicts is None:
            return None
        return blind_spot.outcome(self.armed, self.conflicts).name.lower()

    @property
    def evaluable(self) -> bool:
        """The turn was seen well enough to be judged."""
        return self.reason is None

    @property
    def id(self) -> uuid.UUID:
        """The id that the same judgement always has."""
        return turn_id(self.vehicle_id, self.entered_us)


#: Names of all that a turn is, in order.
FIELDS = tuple(field.name for field in fields(Turn))


_COLUMNS = {"junction_id": "junction"}


def turn_id(vehicle_id: int, entered_us: int, mode: str = LIVE) -> uuid.UUID:
    """Return the id that the same judgement always has, so that a repeat is an update of the same row."""
    return uuid.uuid5(_NAMESPACE, f"{vehicle_id}|{mode}|{entered_us}")


def collect(turns: Turns, rulebooks: Rulebooks) -> list[Turn]:
    """Return the last state of each turn, by vehicle and entry: a camera may tell of one later on."""
    columns = (getattr(turns, _COLUMNS.get(name, name)).tolist() for name in FIELDS)
    rows = (dict(zip(FIELDS, values, strict=True)) for values in zip(*columns, strict=True))
    last = {(row["vehicle_id"], row["entered_us"]): row for row in rows}
    return [Turn(**last[key] | _named(last[key], rulebooks)) for key in sorted(last)]


def _named(row: dict[str, Any], rulebooks: Rulebooks) -> dict[str, Any]:
    return {
        "kind": Kind(row["kind"]).name.lower(),
        "indicator": None if row["indicator"] == Seen.UNKNOWN else row["indicator"] == Seen.YES,
        "loaded": None if row["loaded"] == Seen.UNKNOWN else row["loaded"] == Seen.YES,
        "junction_id": None if row["junction_id"] == NO_JUNCTION else row["junction_id"],
        "armed": None if row["armed"] == Seen.UNKNOWN else row["armed"] == Seen.YES,
        "conflicts": None if row["conflicts"] < 0 else row["conflicts"],
        "entry_course_deg": None if row["entry_course_deg"] < 0 else row["entry_course_deg"],
        "stop": None if row["stop"] == Stop.NOT_ASKED else Stop(row["stop"]).name.lower(),
        "reason": None if row["reason"] == Reason.NONE else Reason(row["reason"]).name.lower(),
        "rulebook": rulebooks.version(row["rulebook"]),
    }


def columns(turns: Sequence[Turn], context: Context) -> Turns:
    """Return turns as columns; when they were decided is taken to be when they ended."""
    values = {
        _COLUMNS.get(name, name): [getattr(turn, name) for turn in turns]
        for name in FIELDS
        if name != "rulebook"
    }
    for name in ("indicator", "loaded", "armed"):
        values[name] = [Seen.UNKNOWN if seen is None else Seen(seen) for seen in values[name]]
    values["junction"] = [NO_JUNCTION if fence is None else fence for fence in values["junction"]]
    for name in ("conflicts", "entry_course_deg"):
        values[name] = [Turns.unknown(name) if value is None else value for value in values[name]]
    values["kind"] = [Kind[kind.upper()] for kind in values["kind"]]
    values["stop"] = [Stop.NOT_ASKED if stop is None else Stop[stop.upper()] for stop in values["stop"]]
    values["reason"] = [Reason.NONE if why is None else Reason[why.upper()] for why in values["reason"]]
    made = Turns.build(at_us=values["exited_us"], rulebook=[0] * len(turns), **values)
    company_id, kind, _limit = context.facts.at(made.vehicle_id, made.entered_us)
    return replace(made, rulebook=context.rulebooks.at(made.entered_us, company_id, kind))


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A row as the store has it."""

    id: uuid.UUID
    turn: Turn
    #: provisional, settled or withdrawn.
    status: str
    settled_as: Verdict | None


@dataclass(frozen=True, slots=True)
class TurnSettlement:
    """What becomes of one turn; without `turn` it is withdrawn."""

    id: uuid.UUID
    verdict: Verdict
    turn: Turn | None


def settle(stored: Sequence[StoredTurn], judged: Sequence[Turn]) -> list[TurnSettlement]:
    """Match what is stored with what the complete record shows; return every row that must be written.

    One to one within a vehicle, by the nearest entry within `SAME_TURN_US`: rows still standing before
    withdrawn ones. A match keeps the stored id.
    """
    match = matches(stored, judged)
    taken = {row.id for row in stored}
    settlements = []
    for index, turn in enumerate(judged):
        row = match.get(index)
        if row is None:
            taken.add(own := free_id(turn.id, partial(_next_id, turn), taken))
            settlements.append(TurnSettlement(own, Verdict.ADDED, turn))
        elif (seen_as := verdict(row, same=row.turn == turn)) is not None:
            settlements.append(TurnSettlement(row.id, seen_as, turn))
    matched = {row.id for row in match.values()}
    gone = [row for row in stored if row.id not in matched and row.status != "withdrawn"]
    return [*settlements, *(TurnSettlement(row.id, Verdict.WITHDRAWN, None) for row in gone)]


def missed(stored: Sequence[StoredTurn], judged: Sequence[Turn]) -> list[TurnSettlement]:
    """Return what live has missed of a segment that still runs. Rows of the hot path are left alone."""
    return [settlement for settlement in settle(stored, judged) if settlement.verdict == Verdict.ADDED]


def matches(stored: Sequence[StoredTurn], judged: Sequence[Turn]) -> dict[int, StoredTurn]:
    """Return the stored row that each judged turn is, by the index of that; as `settle` sees it."""
    in_time = sorted((turn.vehicle_id, turn.entered_us, index) for index, turn in enumerate(judged))
    return one_to_one(
        Candidate(row, index, abs(row.turn.entered_us - entered_us), entered_us, row.turn.entered_us)
        for row in stored
        for _vehicle, entered_us, index in _near(row.turn, in_time)
    )


def _next_id(turn: Turn, number: int) -> uuid.UUID:
    return turn_id(turn.vehicle_id, turn.entered_us, f"{LIVE}#{number}")


def _near(turn: Turn, in_time: Sequence[tuple[int, int, int]]) -> Sequence[tuple[int, int, int]]:
    """Return those of (vehicle, entry, index), in order, that are of its vehicle and near it in time."""
    begin = bisect_left(in_time, (turn.vehicle_id, turn.entered_us - SAME_TURN_US, -1))
    end = bisect_right(in_time, (turn.vehicle_id, turn.entered_us + SAME_TURN_US, len(in_time)))
    return in_time[begin:end]

"""Live: whichever of turn and detection comes second judges the conflict; what is said once stays."""

from __future__ import annotations

import pytest

from alerts.engine.state import EngineState
from alerts.episodes.episodes import Episode, collect
from alerts.live import replay
from alerts.live.replay import Arrival
from alerts.live.sightings import Sightings
from alerts.rules.camera import blind_spot
from alerts.rules.camera.blind_spot import Evidence
from alerts.rules.camera.conflicts import Sights
from alerts.words.transitions import Change, Judgement, Rule, Transitions
from alerts.words.turns import Seen, Turns
from fleet.columns import CameraEvents, Fixes, HealthReports
from fleet.units import MICROSECONDS
from tests.unit.alerts.sights import camera, health, turns, us
from tests.unit.alerts.turn_tracks import context, driven, seconds, way

DRIVE = driven(way(200, 90, 200, 90, 200))
#: Entry of the first turn.
ENTERED_S = 36
NOTHING = CameraEvents.empty(), HealthReports.empty()


def as_arrived(*reports: tuple[float, CameraEvents], told: HealthReports | None = None) -> Judgement:
    """Each fix 0.2 s after it was measured, and reports when it is said; then silence."""
    arrivals = [
        Arrival(at + MICROSECONDS // 5, DRIVE.take([row])) for row, at in enumerate(DRIVE.time_us.tolist())
    ]
    arrivals += [Arrival(us(at), Fixes.empty(), Sights(seen, NOTHING[1])) for at, seen in reports]
    if told is not None:
        arrivals.append(Arrival(us(1), Fixes.empty(), Sights(NOTHING[0], told)))
    arrivals.append(Arrival(us(1000)))
    return replay.as_arrived(sorted(arrivals, key=lambda arrival: arrival.received_us), context())


def conflicts_of(judgement: Judgement) -> list[Episode]:
    return [e for e in collect(judgement.transitions, context().rulebooks) if e.rule == Rule.CONFLICT]


def last_said(judgement: Judgement) -> list[tuple[int, int]]:
    """Armed and conflicts of each turn in order of entry, as it was said last."""
    found = judgement.turns
    rows = zip(found.entered_us.tolist(), found.armed.tolist(), found.conflicts.tolist(), strict=True)
    said = {entered: (armed, conflicts) for entered, armed, conflicts in rows}
    return [said[entered] for entered in sorted(said)]


@pytest.mark.parametrize("delay_s", [0.3, 3, 8, 20, 60, 119])
def test_either_may_come_second(delay_s: float) -> None:
    """The turn is decided some seconds after it; what is told does not depend on which came first."""
    seen = camera(f"{ENTERED_S + 1} start a")
    ended = camera(f"{ENTERED_S + 3} end a")
    live = as_arrived((ENTERED_S + 1 + delay_s, seen), (ENTERED_S + 3 + delay_s, ended))
    complete = replay.settled(DRIVE, context(), Sights(CameraEvents.concat([seen, ended]), NOTHING[1]))
    (episode,), (settled,) = conflicts_of(live), conflicts_of(complete)
    assert (episode.started_us, episode.ended_us) == (us(ENTERED_S + 1), us(ENTERED_S + 3))
    assert figures_of(episode) == figures_of(settled)
    assert last_said(live)[0] == (Seen.YES, 1)


def figures_of(episode: Episode) -> dict[str, object]:
    return {name: getattr(episode, name) for name in ("id", "ended_us", "severity", "peak", "measures")}


@pytest.mark.parametrize("delay_s", [121, 600])
def test_what_comes_too_late_waits_for_the_settler(delay_s: float) -> None:
    live = as_arrived((ENTERED_S + 1 + delay_s, camera(f"{ENTERED_S + 1} single a")))
    assert conflicts_of(live) == []


def test_what_is_ahead_of_the_clock_waits_for_the_settler() -> None:
    assert conflicts_of(as_arrived((ENTERED_S - 60, camera(f"{ENTERED_S + 1} single a")))) == []


def test_a_second_detection_of_a_turn_renews_its_alert() -> None:
    """One alert a turn; an earlier detection that comes late moves no beginning."""
    said = ((1, 1, "a"), (9, 0, "b"))
    seen = [(ENTERED_S + at, camera(f"{ENTERED_S + when} single {name}")) for at, when, name in said]
    live = as_arrived(*seen)
    (episode,) = conflicts_of(live)
    assert seconds(episode.started_us) == ENTERED_S + 1
    assert episode.measures["detections"] == 2
    of_conflict = live.transitions.take(live.transitions.rule == Rule.CONFLICT)
    assert of_conflict.change.tolist() == [Change.OPENED, Change.CLOSED, Change.CLOSED]


def test_the_same_report_again_says_nothing() -> None:
    seen = camera(f"{ENTERED_S + 1} single a")
    live = as_arrived((ENTERED_S + 2, seen), (ENTERED_S + 20, seen))
    assert (live.transitions.rule == Rule.CONFLICT).sum() == 2


@pytest.mark.parametrize(
    ("states", "armed"), [("0 ok", Seen.YES), ("0 covered", Seen.NO), ("0 unknown", Seen.NO), ("", Seen.NO)]
)
def test_a_turn_knows_at_once_who_watched(states: str, armed: Seen) -> None:
    live = as_arrived(told=health(states))
    assert last_said(live) == [(armed, 0), (armed, 0)]


def test_of_a_camera_that_reports_too_much_the_newest_reports_count() -> None:
    """Before the turn it cried a hundred times; who was seen in the turn is told all the same."""
    cries = ", ".join(f"{ENTERED_S - 30 + n / 4} single cry-{n}" for n in range(100))
    live = as_arrived((ENTERED_S - 4, camera(cries)), (ENTERED_S + 2, camera(f"{ENTERED_S + 1} single seen")))
    assert last_said(live)[0] == (Seen.YES, 1)
    at_once = as_arrived((ENTERED_S + 2, camera(f"{cries}, {ENTERED_S + 1} single seen")))
    assert last_said(at_once)[0] == (Seen.YES, 1)


def test_memory_is_bounded() -> None:
    memory, judge, state = Sightings(), context(), EngineState()
    for minute in range(60):
        now_us, at = us(60 * minute), 60.0 * minute
        reports = camera(", ".join(f"{at - 10 + n / 20} single {minute}-{n}" for n in range(100)))
        memory.arrive(state, turns((at - 5, at - 1)), Sights(reports, NOTHING[1]), now_us, judge)
    assert len(memory._turns[1]) <= 10
    assert len(memory._reports[1]) <= 64
    assert len(memory._told[1]) <= 10


@pytest.mark.parametrize("cut_s", [ENTERED_S + 2, ENTERED_S + 12, ENTERED_S + 30])
def test_a_restart_loses_no_join_and_says_nothing_twice(cut_s: float) -> None:
    """What is restored is what the store has: reports, turns and conflicts of the last minutes."""
    judge = context()
    found = replay.settled(DRIVE, judge).turns
    seen = camera(f"{ENTERED_S + 1} single a")
    decided = found.at_us <= us(cut_s)

    before = Sightings()
    told = before.arrive(EngineState(), found.take(decided), Sights(seen, NOTHING[1]), us(cut_s), judge)
    rows = [(e.vehicle_id, e.started_us, e.ended_us or 0) for e in conflicts_of(told)]

    after = Sightings()
    nobody = Evidence(*(column[:0] for column in blind_spot.evidence(*NOTHING)))
    after.restore(nobody, seen, told.turns, rows, judge)
    now_us = us(cut_s + 30)
    later = after.arrive(EngineState(), found.take(~decided), Sights(seen, NOTHING[1]), now_us, judge)
    whole = Judgement.join([told, later])
    assert len(conflicts_of(whole)) == 1
    assert (whole.transitions.rule == Rule.CONFLICT).sum() == 2
    assert [conflicts for _armed, conflicts in last_said(whole)] == [1, 0]


def test_a_join_that_throws_leaves_turns_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(blind_spot, "join", broken)
    live = as_arrived((ENTERED_S + 2, camera(f"{ENTERED_S + 1} single a")))
    assert len(live.turns) == 2
    assert isinstance(live.transitions, Transitions)
    assert isinstance(live.turns, Turns)
    assert conflicts_of(live) == []

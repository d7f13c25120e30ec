"""Rules about arrival: a condition that holds for long enough, from reports, silence, clocks and lateness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.episodes.episodes import collect
from alerts.live import replay
from alerts.live.arrivals import Refused, StillOpen
from alerts.live.live_state import LiveState
from alerts.live.replay import Arrival, arrive
from alerts.rules import device
from alerts.rules.camera.conflicts import Sights
from alerts.rules.device import Told
from alerts.words.transitions import OF_ARRIVAL, Judgement, Rule
from fleet.columns import CameraEvents, Fixes, FixFlag, HealthReports
from fleet.units import MICROSECONDS
from tests.unit.alerts.sights import health, us
from tests.unit.alerts.turn_tracks import context, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_CAMERA = CameraEvents.empty()
ON, OFF = FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON, FixFlag.IGNITION_KNOWN


def fix(
    measured_s: float, received_s: float | None = None, *, flags: int = 0, vehicle_id: int = 1
) -> Arrival:
    received = measured_s + 0.5 if received_s is None else received_s
    fixes = Fixes.build(
        vehicle_id=[vehicle_id], time_us=[us(measured_s)], lat_udeg=[30_000_000], lon_udeg=[120_000_000],
        flags=[flags],
    )  # fmt: skip
    return Arrival(us(received), fixes)


def report(reports: HealthReports) -> Arrival:
    return Arrival(int(reports.time_us.max()) + MICROSECONDS, Fixes.empty(), Sights(NO_CAMERA, reports))


def ticks(from_s: float, until_s: float) -> list[Arrival]:
    return [Arrival(us(at)) for at in np.arange(from_s, until_s + 1, 10)]


def episodes(arrivals: Iterable[Arrival]) -> list[tuple[str, float, float | None]]:
    """(rule, start, end) of what the rules about arrival say, seconds."""
    ordered = sorted(arrivals, key=lambda arrival: arrival.received_us)
    return of_arrival(replay.as_arrived(ordered, context()))


def of_arrival(judgement: Judgement) -> list[tuple[str, float, float | None]]:
    found = collect(judgement.transitions, context().rulebooks)
    return [
        (e.rule_name, seconds(e.started_us), None if e.ended_us is None else seconds(e.ended_us))
        for e in found
        if e.rule in OF_ARRIVAL
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("0+ 5+ 9+", []),
        ("0+ 5+ 10+", [(0, None)]),
        ("0+ 10+ 12-", [(0, 12)]),
        ("0+ 5- 10+ 15-", []),
        ("0+ 5- 6+ 16+ 20-", [(6, 20)]),
        ("0+ 10+ 5-", [(0, None)]),  # older than what is known
        ("0+ 10+ 12- 13+ 23+ 24-", [(0, 12), (13, 24)]),
        ("0+ 10? 11+", [(0, None)]),  # nobody knows: nothing changes
        ("5-", []),
    ],
)
def test_a_condition_that_holds_for_ten_seconds(
    told: str, expected: list[tuple[float, float | None]]
) -> None:
    state, found = device.blank(1), {}
    for word in told.split():
        holds, clears = np.array([word[-1] == "+"]), np.array([word[-1] == "-"])
        news = Told(np.array([us(float(word[:-1]))]), holds, clears, np.zeros(1))
        state, outcome = device.step(state, news, np.full(1, 10.0))
        since = seconds(int(outcome.since_us[0]))
        if outcome.opened[0]:
            found[since] = None
        if outcome.closed[0]:
            found[since] = seconds(int(news.at_us[0]))
    assert sorted(found.items()) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("0 ok, 60 ok", []),
        ("0 covered", [("camera_fault", 0, None)]),
        ("0 covered, 60 covered, 120 ok", [("camera_fault", 0, 120)]),
        ("0 no_signal, 60 ok", [("camera_fault", 0, 60)]),
        ("0 storage, 60 unknown, 90 ok", [("camera_fault", 0, 90)]),
        ("0 covered, 60 no_signal, 120 ok", [("camera_fault", 0, 120)]),  # one fault after another
        ("0 covered, 60 ok, 120 covered", [("camera_fault", 0, 60), ("camera_fault", 120, None)]),
        ("0 unknown", []),
    ],
)
def test_a_camera_fault_lasts_until_the_unit_says_that_it_is_over(
    states: str, expected: Sequence[tuple[object, ...]]
) -> None:
    reports = health(states)
    assert episodes([report(reports)]) == expected  # in one batch, as in several
    assert episodes(report(reports.take([row])) for row in range(len(reports))) == expected


def test_a_camera_fault_names_what_is_wrong() -> None:
    found = replay.as_arrived([report(health("0 covered"))], context())
    assert [e.measures for e in collect(found.transitions, context().rulebooks)] == [{"fault": "covered"}]


def test_a_power_cut_lasts_until_power_is_back() -> None:
    cut = health("0 ok, 60 ok, 120 ok")
    reports = HealthReports(
        cut.vehicle_id, cut.time_us, cut.camera, np.array([1, 0, 1], np.int16), cut.gnss, cut.firmware
    )
    assert episodes([report(reports)]) == [("power_cut", 60, 120)]
    assert episodes([report(reports.take([0, 1]))]) == [("power_cut", 60, None)]


@pytest.mark.parametrize(
    ("flags", "heard_again_s", "listening", "expected"),
    [
        (ON, None, (0, 700), [("offline", 0.5, None)]),
        (0, None, (0, 700), [("offline", 0.5, None)]),  # unknown counts as on
        (OFF, None, (0, 2000), []),
        (ON, 590.0, (0, 1000), []),
        (ON, 700.0, (0, 1000), [("offline", 0.5, 700.5)]),
        (ON, None, (400, 990), []),  # we have not listened for as long as that yet
        (ON, None, (400, 1010), [("offline", 0.5, None)]),
        (ON, None, (90_000, 91_000), []),  # silent for more than a day before we came: out of service
    ],
)
def test_silence_with_the_ignition_on(
    flags: int,
    heard_again_s: float | None,
    listening: tuple[float, float],
    expected: list[tuple[object, ...]],
) -> None:
    heard = [fix(0, flags=flags)] + ([] if heard_again_s is None else [fix(heard_again_s, flags=flags)])
    assert episodes([*heard, *ticks(*listening)]) == expected


def test_an_outage_of_ours_is_not_a_silent_fleet() -> None:
    """Ticks stop while we are away; after it, silence must last again while somebody listens."""
    assert episodes([fix(0, flags=ON), *ticks(0, 500), *ticks(2000, 2500)]) == []
    assert episodes([fix(0, flags=ON), *ticks(0, 500), *ticks(2000, 2620)]) == [("offline", 0.5, None)]


@pytest.mark.parametrize(("behind_s", "drifts"), [(59, False), (61, True), (-59, False), (-61, True)])
def test_a_clock_that_differs(behind_s: float, drifts: bool) -> None:
    """Fixes for 400 s by a clock that is so far behind (or ahead), then one by a clock that is right."""
    drifting = [fix(at, at + behind_s) for at in range(0, 400, 5)]
    for more, ended_s in ((), None), ((fix(600, 601),), 601):
        found = [e for e in episodes([*drifting, *more]) if e[0] == "clock_drift"]
        assert found == ([("clock_drift", behind_s, ended_s)] if drifts else [])


def test_a_back_fill_beside_live_fixes_is_no_drift() -> None:
    both = [one for at in range(0, 600, 5) for one in (fix(at), fix(at - 3000, at + 0.6))]
    assert episodes(both) == []


def test_whose_fixes_cannot_be_judged_live_is_not_watched() -> None:
    """Buffered for three minutes: too late to be judged at once, and nobody watches."""
    late = [fix(at, at + 180) for at in range(0, 400, 5)]
    found = [e for e in episodes(late) if e[0] == "not_watched_live"]
    assert found == [("not_watched_live", 180, None)]
    again = [e for e in episodes([*late, fix(600)]) if e[0] == "not_watched_live"]
    assert again == [("not_watched_live", 180, 600.5)]
    few = [e for e in episodes([fix(at, at + 180) for at in range(0, 290, 5)]) if e[0] == "not_watched_live"]
    assert few == []


def test_who_falls_silent_is_not_watched_no_more() -> None:
    late = [fix(at, at + 180) for at in range(0, 400, 5)]
    silent = [e for e in episodes([*late, *ticks(600, 900)]) if e[0] == "not_watched_live"]
    assert silent == [("not_watched_live", 180, 575)]


def test_open_episodes_go_on_after_a_restart() -> None:
    before, after = LiveState(), LiveState()
    judge = context()
    arrive(before, report(health("0 covered")), judge)
    after.slots(np.array([1], np.int32))
    still_open = StillOpen(1, Rule.CAMERA_FAULT, us(0), 0.0, {"fault": "covered"})
    after.reporting.restore(after, [still_open], {})
    told = Judgement.join(
        [arrive(after, report(health(text)), judge)[0] for text in ("60 covered", "120 ok")]
    )
    assert of_arrival(told) == [("camera_fault", 0, 120)]
    (episode,) = collect(told.transitions, judge.rulebooks)
    assert episode.measures == {"fault": "covered"}


def refusal(at_s: float, reason: str) -> Arrival:
    return Arrival(us(at_s), refused=Refused.of([(1, reason)]))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("too_old", [("clock_drift", 0, 605.5), ("not_watched_live", 0, 605.5)]),
        ("future", [("clock_drift", 0, 605.5), ("not_watched_live", 0, 605.5)]),
        ("bad_time", []),  # heard, and nothing is known of its clock
        ("malformed_json", []),
    ],
)
def test_who_is_refused_is_heard(reason: str, expected: list[tuple[object, ...]]) -> None:
    """A GPS week rollover: every second a fix of 1,024 weeks ago, and then one by a clock that is right."""
    refused = [refusal(at, reason) for at in range(0, 601, 5)]
    assert (
        episodes([fix(-700), *refused, *ticks(-700, 600), fix(605)])[-2:]
        == [
            ("offline", -699.5, 0),
            *expected,
        ][-2:]
    )
    assert episodes([*refused, *ticks(0, 600), fix(605)]) == expected


def test_what_was_refused_says_so_and_at_least_how_far_off_its_clock_is() -> None:
    for reason, min_s in (("too_old", 35 * 86_400), ("future", 86_400)):
        found = replay.as_arrived([refusal(at, reason) for at in range(0, 301, 5)], context())
        (drift, _unwatched) = collect(found.transitions, context().rulebooks)
        assert (drift.peak, drift.limit, drift.measures) == (min_s, 60, {"rejected": reason})


def test_who_was_refused_before_a_restart_was_heard() -> None:
    after = LiveState()
    after.reporting.restore(after, [], {1: us(0)})
    assert of_arrival(Judgement.join([arrive(after, one, context())[0] for one in ticks(0, 700)])) == [
        ("offline", 0, None)
    ]

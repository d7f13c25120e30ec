"""The engine under several rows of the rulebooks: companies, kinds, hours, modes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import Episode, collect
from alerts.in_force.context import Context
from alerts.in_force.rulebooks import Rulebooks
from alerts.live import replay
from alerts.rulebook import documents
from alerts.words.transitions import Judgement, Rule
from fleet.columns import Fixes
from fleet.directory import VehicleFacts
from fleet.entities import BEGINNING_US
from fleet.kinds import VehicleKind
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import START_US, seconds, track

DEFAULT = documents.DEFAULT_PATH.read_text("utf-8")
ACME, CEMENT, STRICT = 1, 2, 3
COMPANIES = {"acme": ACME, "cement": CEMENT, "strict": STRICT}
OVERRIDES = "\n[company.strict]\nspeeding = {tolerance_kmh = 0, hold_s = 5}\n"


def judge(more: str = "", *companies: tuple[float, int], kind: VehicleKind = VehicleKind.MIXER) -> Context:
    """Vehicle 1 is with each company from that second on; limit 60 km/h."""
    starts = [BEGINNING_US if at_s == 0 else START_US + round(at_s * MICROSECONDS) for at_s, _ in companies]
    facts = VehicleFacts(
        vehicle_id=[1] * len(starts),
        valid_from_us=starts,
        company_id=[company for _, company in companies],
        kind=[kind] * len(starts),
        limit_kmh=[60] * len(starts),
    )
    return Context(Rulebooks([documents.parse(DEFAULT + more)], COMPANIES), facts)


def found(fixes: Fixes, context: Context) -> list[Episode]:
    """Return the episodes of speeding."""
    episodes = collect(replay.settled(fixes, context).transitions, context.rulebooks)
    return [episode for episode in episodes if episode.rule == Rule.SPEEDING]


def spans(episodes: list[Episode]) -> list[tuple[float | None, float | None, str | None, str]]:
    return [(seconds(e.started_us), seconds(e.ended_us), e.ended_as, e.mode) for e in episodes]


FAST = "0..60:80 61..70:50"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        # The same numbers: the episode goes on, and is that of the company at its start.
        (CEMENT, [(0, 61, "closed", "live")]),
        # Other numbers: it ends at the last fix under the old ones, and the new ones judge afresh.
        (STRICT, [(0, 29, "rule_change", "live"), (30, 61, "closed", "live")]),
    ],
)
def test_a_vehicle_changes_company_in_the_middle_of_an_episode(
    after: int, expected: list[tuple[float, float, str, str]]
) -> None:
    context = judge(OVERRIDES, (0, ACME), (30, after))
    assert spans(found(track(FAST), context)) == expected


def test_a_company_is_judged_by_its_own_numbers() -> None:
    """64 km/h where 60 is allowed: within the tolerance of all but one."""
    slow = track("0..30:64 31..40:50")
    assert found(slow, judge(OVERRIDES, (0, ACME))) == []
    assert spans(found(slow, judge(OVERRIDES, (0, STRICT)))) == [(0, 31, "closed", "live")]


def test_the_hour_is_one_of_the_limits_and_is_named() -> None:
    # START is 2023-11-15 06:13:20 in Shanghai; from 06:14 on, 40 s later, 50 km/h.
    hours = '[[speeding.hours]]\nwhen = "daily 06:14-07:00"\nlimit_kmh = 50\n'
    (episode,) = found(track("0..100:58 101..110:40"), judge(hours, (0, ACME)))
    assert (seconds(episode.started_us), episode.limit, episode.limit_source) == (40, 50, "hour")
    lower = hours.replace("50", "70")
    assert found(track("0..100:58 101..110:40"), judge(lower, (0, ACME))) == []


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("live", ["live"]), ("shadow", ["shadow:default-1"]), ("off", [])],
)
def test_a_rule_is_live_in_shadow_or_off(mode: str, expected: list[str]) -> None:
    context = judge(f'[mode]\nspeeding = "{mode}"\n', (0, ACME))
    episodes = found(track(FAST), context)
    assert [episode.mode for episode in episodes] == expected


def test_the_id_of_an_episode_holds_its_mode() -> None:
    (live,) = found(track(FAST), judge("", (0, ACME)))
    (shadow,) = found(track(FAST), judge('[mode]\nspeeding = "shadow"\n', (0, ACME)))
    assert live.id != shadow.id
    assert replace(shadow, mode="live").id == live.id


def test_a_rule_that_goes_live_ends_its_shadow() -> None:
    """Version by version: the old one's shadow ends where the new one begins."""
    shadow = documents.parse(DEFAULT + '[mode]\nspeeding = "shadow"\n')
    live = documents.parse(DEFAULT.replace("default-1", "b"), valid_from_us=START_US + 30 * MICROSECONDS)
    context = judge("", (0, ACME))._replace(rulebooks=Rulebooks([shadow, live]))
    assert spans(found(track(FAST), context)) == [
        (0, 30, "rule_change", "shadow:default-1"),
        (30, 61, "closed", "live"),
    ]


OVERRIDDEN = judge(
    OVERRIDES
    + '[kind.pump]\nspeeding.hold_s = 3\n[mode]\nspeeding = "shadow"\n'
    + '[company.acme]\nmode.speeding = "live"\n',
    (0, ACME),
    (25, STRICT),
    (47, CEMENT),
)


@given(cuts=st.lists(st.integers(0, 90), max_size=6), fast=st.integers(62, 95))
def test_any_cut_of_a_drive_under_several_rows_gives_the_same(cuts: list[int], fast: int) -> None:
    fixes = track(f"0..10:50 11..70:{fast} 71..90:50")
    state, parts = EngineState(), []
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(fixes)], strict=True):
        parts.append(engine.advance(state, fixes.take(slice(begin, end)), OVERRIDDEN))
    parts.append(engine.tick(state, replay.END_OF_TIME_US, OVERRIDDEN))
    cut = collect(Judgement.join(parts).transitions, OVERRIDDEN.rulebooks)
    assert [episode for episode in cut if episode.rule == Rule.SPEEDING] == found(fixes, OVERRIDDEN)


def test_vehicles_of_one_batch_are_judged_each_by_its_own_row() -> None:
    """Side by side as alone."""
    facts = VehicleFacts(
        vehicle_id=[1, 2, 3],
        valid_from_us=[BEGINNING_US] * 3,
        company_id=[ACME, STRICT, ACME],
        kind=[VehicleKind.MIXER, VehicleKind.MIXER, VehicleKind.PUMP],
        limit_kmh=[60] * 3,
    )
    context = OVERRIDDEN._replace(facts=facts)
    drives = [track("0..7:64 8..30:50", vehicle_id=n) for n in (1, 2, 3)]
    together = found(Fixes.concat(drives), context)
    assert together == [episode for drive in drives for episode in found(drive, context)]
    assert [(e.vehicle_id, e.mode) for e in together] == [(2, "shadow:default-1")]
    assert np.all(np.diff([e.vehicle_id for e in together]) >= 0)

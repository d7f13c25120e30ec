"""Fences in the engine: many vehicles at once, segments, silence, checkpoints, zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.engine import engine
from alerts.engine.state import EngineState
from alerts.episodes.episodes import Episode, collect
from alerts.in_force.context import Context
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.rules.fence import fence_fold, stays
from alerts.words.transitions import Change, Judgement, Rule
from fleet.columns import Fixes, FixFlag
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences
from fleet.kinds import FenceKind
from fleet.schedule import parse_schedule
from fleet.units import MICROSECONDS
from tests.unit.alerts.fence_tracks import START_US, leave, moment, points
from tests.unit.alerts.tracks import BOOKS
from tests.unit.fleet.fences.shapes import fence, places, rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.fences.passes import PassVersion
    from fleet.fences.versions import FenceVersion

SQUARE = rectangle(0, 0, 1000, 1000)
FENCE_RULES = {Rule.FORBIDDEN, Rule.LEFT_PERMITTED, Rule.DWELL, Rule.SITE}


def context(*versions: FenceVersion, passes: Sequence[PassVersion] = (), limit_kmh: int = 60) -> Context:
    return Context(
        BOOKS,
        replay.UniformFacts(limit_kmh=limit_kmh),
        Watch(Fences(versions), Passes(passes)),
    )


def track(text: str, *, vehicle_id: int = 5, speed_kmh: float = 36, **columns: Any) -> Fixes:
    at, x, y = np.array(points(text)).T
    # A metre to and fro: a unit whose position never changes while it reports speed is frozen.
    lat, lon = places(*zip(x, y + np.arange(len(y)) % 2, strict=True))
    return Fixes.build(
        vehicle_id=vehicle_id,
        time_us=START_US + np.rint(at * MICROSECONDS).astype(np.int64),
        lat_udeg=lat,
        lon_udeg=lon,
        speed_dkmh=round(speed_kmh * 10),
        **columns,
    )


def fenced(
    judgement: Judgement, judge: Context
) -> list[tuple[int, str, str, float, float | None, str | None]]:
    """(vehicle, rule, fence, start, end, how) of the episodes of fences, in seconds."""
    return [
        (e.vehicle_id, e.rule_name, e.about, seconds(e.started_us), seconds(e.ended_us), e.ended_as)
        for e in collect(judgement.transitions, judge.rulebooks)
        if e.rule in FENCE_RULES
    ]


def seconds(time_us: int | None) -> float | None:
    return None if time_us is None else round((time_us - START_US) / MICROSECONDS, 3)


def settled(fixes: Fixes, judge: Context) -> list[Episode]:
    return collect(replay.settled(fixes, judge).transitions, judge.rulebooks)


def test_an_episode_names_fence_and_version() -> None:
    judge = context(fence(1, SQUARE, since_us=moment(-100)))
    drive = "0..4:-20,500 5:10,500 6..19:30,500 20:10,500 21:-10,500 22..30:-40,500"
    (episode,) = settled(track(drive), judge)
    assert (episode.peak, episode.limit, episode.limit_source, episode.severity) == (16, 0, "fence", 3)
    assert episode.measures == {"fence": "F1", "fence_valid_from": "2026-05-31T23:58:20+00:00"}


def test_a_crossing_says_how_sure_it_is() -> None:
    judge = context(fence(1, SQUARE))
    (episode,) = settled(track("0:-50,500 60:1050,500"), judge)
    assert (episode.limit, episode.limit_source) == (0, "fence")
    assert episode.measures == {
        "fence": "F1",
        "fence_valid_from": "1970-01-01T00:00:00+00:00",
        "crossed": True,
        "interval_s": 60.0,
        "confidence": "low",
    }


@pytest.mark.parametrize(
    ("way", "seen_after_silence"),
    [
        ("0..9:500,500 300..309:5000,500", True),
        ("0..9:5000,500", True),
        ("0..9:980,500 10:1010,500 11..19:1040,500", None),
        ("0..9:980,500 300..309:980,500 310:1010,500 311..319:1040,500", None),
    ],
)
def test_who_is_found_outside_was_seen_after_silence(way: str, seen_after_silence: bool | None) -> None:
    """What nobody saw begin may have begun before; to be found inside, and then seen leaving, is no such."""
    judge = context(fence(1, SQUARE, FenceKind.PERMITTED))
    (episode,) = settled(track(way), judge)
    assert (episode.rule, episode.measures.get("seen_after_silence")) == (
        Rule.LEFT_PERMITTED,
        seen_after_silence,
    )
    assert "found_inside" not in episode.measures


def test_a_pass_that_ends_an_episode_is_named() -> None:
    (episode,) = settled(track("0..9:500,500"), context(fence(1, SQUARE), passes=[leave(1, 5, 99)]))
    assert (seconds(episode.ended_us), episode.measures["pass"]) == (5, "P1")


def test_two_fences_entered_together_are_two_episodes() -> None:
    judge = context(fence(1, SQUARE), fence(2, SQUARE))
    episodes = settled(track("0..9:500,500"), judge)
    assert [episode.about for episode in episodes] == ["F1", "F2"]
    assert len({episode.id for episode in episodes}) == 2


def test_a_dwell_beyond_the_rulebook_is_not_the_fences_limit() -> None:
    flags = FixFlag.LOAD_KNOWN | FixFlag.LOADED
    judge = context(fence(1, SQUARE, FenceKind.SITE))._replace(facts=replay.UniformFacts(kind=1))
    dwell = next(e for e in settled(track("0..5500/20:500,500", flags=flags), judge) if e.rule is Rule.DWELL)
    assert (dwell.limit, dwell.limit_source, seconds(dwell.started_us)) == (5400, "class", 5400)


@pytest.mark.parametrize(
    ("limit_kmh", "hours", "limit", "source"),
    [(30, None, 30, "zone"), (80, None, 60, "class"), (30, "sat 08:00-09:00", 60, "class")],
)
def test_a_speed_zone_limits(limit_kmh: int, hours: str | None, limit: float, source: str) -> None:
    schedule = None if hours is None else parse_schedule(hours)
    judge = context(fence(1, SQUARE, FenceKind.SPEED_ZONE, limit_kmh=limit_kmh, schedule=schedule))
    (episode,) = settled(track("0..30:500,500 31..40:5000,5000", speed_kmh=70), judge)
    assert (episode.limit, episode.limit_source) == (limit, source)


def test_of_overlapping_zones_the_lower_rules() -> None:
    zones = [fence(n, SQUARE, FenceKind.SPEED_ZONE, limit_kmh=kmh) for n, kmh in enumerate((40, 20, 50), 1)]
    (episode,) = settled(track("0..30:500,500", speed_kmh=70), context(*zones))
    assert (episode.limit, episode.limit_source) == (20, "zone")


def test_a_new_segment_loses_what_is_open_and_finds_it_again() -> None:
    """25 minutes of rest in the fence, then motion: two episodes that touch."""
    judge = context(fence(1, SQUARE))
    fixes = Fixes.concat(
        [
            track("0..9:900,500"),
            track("10..1500/10:920,500", speed_kmh=0),
            track("1510:950,500 1511:980,500 1512:1015,500 1513:1030,500 1514:1050,500"),
        ]
    )
    assert fenced(replay.settled(fixes, judge), judge) == [
        (5, "forbidden", "F1", 0, 1500, "lost"),
        (5, "forbidden", "F1", 1510, 1512, "closed"),
    ]
    again = collect(replay.settled(fixes, judge).transitions, judge.rulebooks)[-1]
    assert again.measures["found_inside"] is True


def test_silence_loses_what_is_open() -> None:
    judge = context(fence(1, SQUARE), fence(2, SQUARE, FenceKind.SITE))
    state = EngineState()
    engine.advance(state, track("0..9:500,500"), judge)
    assert not len(engine.tick(state, moment(129), judge).transitions)
    lost = engine.tick(state, moment(130), judge).transitions
    assert sorted(zip(lost.rule.tolist(), lost.change.tolist(), lost.ended_us.tolist(), strict=True)) == [
        (Rule.FORBIDDEN, Change.LOST, moment(9)),
        (Rule.SITE, Change.LOST, moment(9)),
    ]
    assert not len(engine.tick(state, moment(999), judge).transitions)


def test_positions_that_cannot_be_trusted_change_nothing() -> None:
    """A jump into the fence, and fixes without a position."""
    judge = context(fence(1, rectangle(50_000, 0, 51_000, 1000)))
    track_ = track("0..9:-50,500 10..11:50500,500 12..20:-50,500")
    assert fenced(replay.settled(track_, judge), judge) == []
    nowhere = track("0..9:500,500", flags=FixFlag.NO_POSITION)
    assert fenced(replay.settled(nowhere, context(fence(1, SQUARE))), judge) == []


@pytest.mark.parametrize(
    ("kind", "unjudged"),
    [(FenceKind.FORBIDDEN, FENCE_RULES), (FenceKind.SPEED_ZONE, FENCE_RULES | {Rule.SPEEDING})],
)
def test_a_look_up_that_throws_is_isolated(
    monkeypatch: pytest.MonkeyPatch, kind: FenceKind, unjudged: set[Rule]
) -> None:
    """Without its zones speeding says too little, and that must not be settled."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fence_fold, "place", broken)
    drive = track(" ".join(f"{second}:500,{500 + 22 * second}" for second in range(21)), speed_kmh=80)
    state = EngineState()
    judgement = engine.advance(state, drive, context(fence(1, SQUARE, kind, limit_kmh=30)))
    assert judgement.transitions.rule.tolist() == [Rule.SPEEDING]
    assert state.watermark_us(drive.vehicle_id[:1])[0] == drive.time_us[-1]
    assert engine.unjudged(state) == unjudged


def test_without_fences_nothing_is_said() -> None:
    judge = context()._replace(fences=None)
    assert not len(replay.settled(track("0..9:500,500"), judge).transitions)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Context, Fixes]:
    """Return some fences, and trucks that walk in and out of them at uneven intervals, some resting."""
    kinds = [FenceKind.FORBIDDEN, FenceKind.PERMITTED, FenceKind.SITE, FenceKind.SPEED_ZONE]
    versions = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        west, south = draw(st.integers(-500, 500)), draw(st.integers(-500, 500))
        sides = west, south, west + draw(st.integers(10, 700)), south + draw(st.integers(10, 700))
        kind = draw(st.sampled_from(kinds))
        since = draw(st.sampled_from([[0], [0, moment(300)], [moment(100)]]))
        versions += [
            fence(number, rectangle(*sides), kind, since_us=us, limit_kmh=30, max_dwell_s=60) for us in since
        ]
    dice = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tracks = []
    for vehicle in range(1, 4):
        every = dice.choice([1, 1, 1, 5, 20, 140, 1300], 60)
        step = dice.normal(0, 30, (60, 2)) * np.minimum(every, 20)[:, None] ** 0.5
        at, place = np.cumsum(every), np.cumsum(step, axis=0)
        lat, lon = places(*place.tolist())
        tracks.append(
            Fixes.build(
                vehicle_id=vehicle,
                time_us=START_US + at * MICROSECONDS,
                lat_udeg=lat,
                lon_udeg=lon,
                speed_dkmh=dice.choice([0, 50, 360, 800], 60),
                hdop_tenths=dice.choice([-1, 9, 40], 60),
            )
        )
    return context(*versions, passes=[leave(1, 50, 200, vehicle_id=2)]), Fixes.concat(tracks)


@given(fleets(), st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_any_cut_into_batches_says_the_same(fleet: tuple[Context, Fixes], seed: int) -> None:
    """And so does packing and unpacking every vehicle's memory between the batches."""
    judge, fixes = fleet
    order = np.argsort(fixes.time_us, kind="stable")
    fixes = fixes.take(order)
    whole = engine.advance(EngineState(), fixes, judge)
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(fixes), 7))
    state, parts = EngineState(), []
    for rows in np.split(np.arange(len(fixes)), cuts):
        parts.append(engine.advance(state, fixes.take(rows), judge))
        packed = [state.pack(slot) for slot in range(len(state))]
        vehicles, state = state.vehicle_id, EngineState()
        state.unpack(vehicles, packed)
    assert _told(Judgement.join(parts), judge) == _told(whole, judge)


def test_what_was_packed_takes_the_place_of_what_is_remembered() -> None:
    """Stays that are free are not packed, and must not leave those that were there."""
    vehicles, inside, outside = np.array([3, 5], np.int32), EngineState(), EngineState()
    for state in (inside, outside):
        state.slots(vehicles)
    inside["fence_stays"][:, 2]["phase"] = stays.INSIDE
    nobody = [outside.pack(slot) for slot in range(2)]
    inside.unpack(vehicles, [nobody[0], inside.pack(1)])
    assert inside["fence_stays"]["phase"].any(axis=1).tolist() == [False, True]
    inside.unpack(vehicles, nobody)
    assert not inside["fence_stays"]["phase"].any()


@given(fleets())
@settings(max_examples=15)
def test_vehicles_do_not_mix(fleet: tuple[Context, Fixes]) -> None:
    """Each by itself says what it says among the others."""
    judge, fixes = fleet
    together = _told(replay.settled(fixes, judge), judge)
    alone = [
        episode
        for vehicle in (1, 2, 3)
        for episode in _told(replay.settled(fixes.take(fixes.vehicle_id == vehicle), judge), judge)
    ]
    assert sorted(together) == sorted(alone)


def _told(judgement: Judgement, judge: Context) -> list[str]:
    """Return all that was said, in an order that does not depend on batches."""
    return sorted(str(episode) for episode in collect(judgement.transitions, judge.rulebooks))

"""Nothing goes on that nobody follows: late spans that end anywhere, of any rule, on a real store."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alerts.engine import engine
from alerts.engine.following import followed
from alerts.in_force.rulebooks import Rulebooks
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.live.live_state import LiveState
from alerts.rulebook import documents
from alerts.settling.settle import Settler
from alerts.words.transitions import OF_ARRIVAL, Ongoing, Rule
from fleet import tracks
from fleet.duty import Duty, Qualification, Unqualified
from fleet.entities import Fence
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_us
from ingest.pipeline.checkpoints import end_unfollowed, restore
from ingest.pipeline.newest import Newest
from tests.integration.bench import NOW_US, Bench, arriving, batch, drive, fix
from tests.unit.alerts.tracks import DOCUMENT

if TYPE_CHECKING:
    from ingest.pipeline.log import Batch

#: As the profile asks, but each example is a whole pipeline.
EXAMPLES = max(4, settings.default.max_examples // 10)
BEGAN_S, UNTIL_S, EVERY_S = -1200, 0, 5
HORIZON_S = 120


def band(code: str, kind: FenceKind, from_s: float, until_s: float, **more: object) -> Fence:
    """A fence that the trucks of this bench, all on their way north, are in from one second to another."""
    south, north = 30.7 + from_s * 1e-4, 30.7 + until_s * 1e-4
    ring = [(120.69, south), (120.71, south), (120.71, north), (120.69, north), (120.69, south)]
    return Fence(code=code, kind=kind, geometry={"type": "Polygon", "coordinates": [ring]}, **more)


FENCES = (
    band("ban-1", FenceKind.FORBIDDEN, -1000, -940),
    band("home", FenceKind.PERMITTED, -1500, -700),
    band("site", FenceKind.SITE, -690, -500, max_dwell_s=60),
    band("ban-2", FenceKind.FORBIDDEN, -480, -455),
    band("away", FenceKind.PERMITTED, -420, 500),
)
RULES = DOCUMENT.replace("drive_s = 14400", "drive_s = 600")


class LateSpan(NamedTuple):
    """What a unit could not send at once: from and until, and how much after its end it comes."""

    from_s: int
    length_s: int
    delay_s: int

    def holds(self, at_s: float) -> bool:
        return self.from_s <= at_s <= self.from_s + self.length_s


late_spans = st.lists(
    st.builds(
        LateSpan,
        from_s=st.integers(BEGAN_S, -300),
        length_s=st.sampled_from([10, 30, 60, 130, 300, 700]),
        delay_s=st.sampled_from([1, 10, 60, 200]),
    ).filter(lambda span: span.from_s + span.length_s + span.delay_s < -2 * HORIZON_S),
    min_size=1,
    max_size=3,
)
fast_spans = st.lists(st.tuples(st.integers(BEGAN_S, -200), st.integers(15, 90)), max_size=4)


def sent(fast: list[tuple[int, int]], late: list[LateSpan]) -> list[Batch]:
    """A truck that drives north all the time, now and then too fast, and is not always heard at once."""
    live: list[Batch] = []
    buffered: dict[LateSpan, list[dict[str, object]]] = {span: [] for span in late}
    for at_s in range(BEGAN_S, UNTIL_S, EVERY_S):
        one = fix(at_s, 90 if any(begin <= at_s < begin + length for begin, length in fast) else 45)
        span = next((span for span in late if span.holds(at_s)), None)
        if span is None:
            live.append(batch(at_s + 0.2, one))
        else:
            buffered[span].append(one)
    history = [
        batch(span.from_s + span.length_s + span.delay_s, *fixes, kind="history")
        for span, fixes in buffered.items()
        if fixes
    ]
    return sorted([*live, *history], key=lambda one: one.received_us)


async def shown_as_ongoing(bench: Bench) -> list[tuple[Ongoing, bool]]:
    """What the store says goes on, and whether a mark has the settler look at it again."""
    rows = await bench.connection.fetch(
        """select vehicle_id, rule, started_at, coalesce(measures ->> 'fence', '') as about, exists (
            select from dirty where dirty.vehicle_id = episode.vehicle_id and until >= started_at) as marked
        from episode where ended_at is null and status <> 'withdrawn'"""
    )
    return [
        (Ongoing(row["vehicle_id"], rule, to_us(row["started_at"]), row["about"]), row["marked"])
        for row in rows
        if (rule := Rule[row["rule"].upper()]) not in OF_ARRIVAL
    ]


async def unfollowed(bench: Bench) -> list[Ongoing]:
    live = followed(bench.state, bench.context)
    return [one for one, marked in await shown_as_ongoing(bench) if one not in live and not marked]


async def truly_ongoing(bench: Bench) -> set[tuple[Rule, str]]:
    """What goes on by the complete record."""
    vehicle_id = bench.directory.vehicles["T1"]
    day_us = 86_400 * MICROSECONDS
    fixes = await tracks.read_spans(bench.connection, [Span(vehicle_id, NOW_US - day_us, NOW_US + day_us)])
    state, _ = replay.fold(fixes, bench.context)
    engine.tick(state, NOW_US, bench.context)
    return {(one.rule, one.about) for one in followed(state, bench.context)}


@pytest.fixture
async def road(bench: Bench) -> Bench:
    """T1's driver has no qualification; its way leads through fences of all kinds."""
    vehicle_id = bench.directory.vehicles["T1"]
    unqualified = Unqualified([Duty(vehicle_id, 0, 7)], [Qualification(7, "D7", 0, date(2020, 1, 1))])
    versions = [FenceVersion(number, 0, fence) for number, fence in enumerate(FENCES, 1)]
    books = Rulebooks([documents.parse(RULES)])
    bench.context = bench.context._replace(
        rulebooks=books, fences=Watch(Fences(versions), Passes()), unqualified=unqualified
    )
    return bench


@given(late=late_spans, fast=fast_spans)
@settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to make an example smaller takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_nothing_goes_on_that_nobody_follows(
    road: Bench, late: list[LateSpan], fast: list[tuple[int, int]]
) -> None:
    await road.forget("fix", "batch", "dirty", "segment", "episode", "vehicle_state")
    road.state, road.newest = LiveState(), Newest()
    settler, waiting = Settler(lambda: road.context), sent(fast, late)
    for now_s in range(BEGAN_S, UNTIL_S + 1, 20):
        now_us = NOW_US + now_s * MICROSECONDS
        due = [one for one in waiting if one.received_us <= now_us]
        waiting = waiting[len(due) :]
        await road.push(*due, batch(now_s), caught_up_since_s=BEGAN_S - 1000)
        while await settler.round(road.connection, now_us):
            assert await unfollowed(road) == []
        assert await unfollowed(road) == []
    # Late data ended more than a horizon ago, and the settler has looked since.
    shown = {(one.rule, one.about) for one, _ in await shown_as_ongoing(road)}
    assert shown <= await truly_ongoing(road)


async def test_what_a_newer_engine_does_not_find_any_more_ends_at_its_start(bench: Bench) -> None:
    """Live had raised it; an engine of another version, which folds the trip anew, judges otherwise."""
    await bench.push(
        *arriving(drive((20, 50), (30, 90), start_s=-100)),
        *arriving(drive((20, 90), start_s=-60), vehicle="T2"),
    )
    assert [row[:3] for row in await bench.episodes()] == [("T1", -80, None), ("T2", -60, None)]
    await bench.connection.execute(
        """update vehicle_state set engine_version = 0;
        update episode set started_at = started_at - interval '7 seconds'
        where vehicle_id = (select vehicle_id from vehicle where code = 'T1')"""
    )
    bench.state, bench.newest = await restore(bench.connection, bench.context)
    await end_unfollowed(bench.connection, bench.state, bench.context, NOW_US)
    assert [row[:3] for row in await bench.episodes()] == [("T1", -87, -51), ("T2", -60, None)]
    assert await bench.rows("select ended_as from episode order by started_at") == [("lost",), (None,)]
    assert await bench.rows("select change from alert_feed order by feed_id desc limit 1") == [("lost",)]
    assert await unfollowed(bench) == []


async def test_a_restart_changes_nothing_that_goes_on(bench: Bench) -> None:
    await bench.push(*arriving(drive((20, 50), (30, 90), start_s=-100)))
    bench.state, bench.newest = await restore(bench.connection, bench.context)
    await end_unfollowed(bench.connection, bench.state, bench.context, NOW_US)
    assert [row[:3] for row in await bench.episodes()] == [("T1", -80, None)]


async def test_a_trip_that_begins_in_a_fence_is_not_opened_again_by_the_one_before(road: Bench) -> None:
    """Settling a rest leaves alone what the first fix of the next trip has begun, and what became of it."""
    rest = [fix(at_s, 0, lat=30.7 - 950e-4) for at_s in range(-2400, -1150, 50)]
    north = [fix(at_s, 45, lat=30.7 + (at_s + 190) * 1e-4) for at_s in range(-1140, -800, 5)]
    await road.push(*arriving([*rest, *north]), caught_up_since_s=-5000)
    query = "select started_at, ended_at, ended_as from episode where rule = 'forbidden' order by 1"
    before = await road.rows(query)
    assert [row[2] for row in before] == ["lost", "closed"]
    assert await Settler(lambda: road.context).round(road.connection, NOW_US - 700 * MICROSECONDS)
    assert await road.rows(query) == before

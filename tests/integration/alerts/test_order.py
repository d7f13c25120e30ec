"""Order does not matter in the end, and live equals replay, through the whole pipeline on a real store.

The same observations of three vehicles: one sends them as they happen; one late, some of them; one all at the
end, in any order, in any batches, several times over.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alerts.episodes import comparison
from alerts.episodes.episodes import collect
from alerts.episodes.turn_records import collect as collect_turns
from alerts.in_force.watch import Watch
from alerts.live import replay
from alerts.live.live_state import LiveState
from alerts.settling.aside import Aside
from alerts.settling.settle import Settler
from alerts.store import store, stored, turn_store
from alerts.words.transitions import OF_ARRIVAL, Rule
from fleet import tracks
from fleet.entities import Company, Fence, Vehicle
from fleet.fences.passes import Passes
from fleet.fences.versions import Fences, FenceVersion
from fleet.kinds import FenceKind, VehicleKind
from fleet.registry import load_directory, register
from fleet.tracks import Span
from fleet.units import MICROSECONDS, to_datetime
from ingest.pipeline.newest import Newest
from tests.integration.bench import NOW_US, Bench, Meanwhile, batch
from tests.unit.alerts.turn_tracks import START_US, driven, way

if TYPE_CHECKING:
    from alerts.episodes.episodes import Episode
    from alerts.episodes.turn_records import Turn
    from alerts.words.transitions import Judgement
    from ingest.pipeline.log import Batch

VEHICLES = ("T1", "T2", "T3")
BEGAN_S, DAY_US = -2400, 86_400 * MICROSECONDS
LAT, LON = 30.0, 120.0
#: As the profile asks, but each example is a whole pipeline.
EXAMPLES = max(4, settings.default.max_examples // 20)


class Observation(NamedTuple):
    """A payload, of a kind of topic, and when it was measured: seconds after NOW."""

    kind: str
    payload: dict[str, Any]
    at_s: float


class Leg(NamedTuple):
    """Straight on, a corner, straight on, at one speed; then nothing for a while."""

    corner_deg: int
    speed_kmh: int
    length_m: int
    every_s: float
    reports: bool
    pause_s: int
    seen: bool


def legs_with_pauses(*pauses_s: int) -> st.SearchStrategy[list[Leg]]:
    one = st.builds(
        Leg,
        corner_deg=st.sampled_from([-90, 20, 60, 90, 120]),
        speed_kmh=st.sampled_from([8, 15, 30, 70, 95]),
        length_m=st.sampled_from([60, 150, 400]),
        every_s=st.sampled_from([1.0, 2.0]),
        reports=st.booleans(),
        pause_s=st.sampled_from(pauses_s),
        seen=st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=4)


legs = legs_with_pauses(0, 1, 40, 130, 1300)


def observations(drive: list[Leg], limit: int = 160) -> list[Observation]:
    """The drive as a unit reports it; every leg goes on where the one before ended, as seen from there."""
    made: list[Observation] = []
    at_s, lat, lon = float(BEGAN_S), LAT, LON
    for leg in drive:
        line = way(leg.length_m, leg.corner_deg, leg.length_m)
        fixes = driven(line, leg.speed_kmh, every_s=leg.every_s, reports=leg.reports)
        seconds = (fixes.time_us - START_US) / MICROSECONDS
        north, east = fixes.lat_udeg / 1e6, fixes.lon_udeg / 1e6 - 120.0
        for second, dy, dx, dkmh in zip(seconds, north, east, fixes.speed_dkmh.tolist(), strict=True):
            payload = {"time": ms(at_s + second), "lat": round(lat + dy, 6), "lon": round(lon + dx, 6)}
            speed = {"speed_kmh": dkmh / 10} if dkmh >= 0 else {}
            made.append(Observation("fix", payload | speed, at_s + second))
        if leg.seen:
            middle_s = at_s + float(seconds[-1]) / 2
            event = {"time": ms(middle_s), "id": f"e{len(made)}", "side": "right", "phase": "single"}
            made.append(Observation("camera", event, middle_s))
        at_s += float(seconds[-1]) + leg.pause_s + 1
        lat, lon = lat + float(north[-1]), lon + float(east[-1])
    return made[:limit]


def ms(second: float) -> int:
    return NOW_US // 1000 + round(second * 1000)


def batches(
    vehicle: str, observed: list[Observation], received_s: list[float], dice: random.Random | None = None
) -> list[Batch]:
    """Each observation at its moment; with dice, several together, of one kind."""
    pairs = sorted(zip(received_s, observed, strict=True), key=lambda pair: pair[0])
    made: list[Batch] = []
    while pairs:
        size = 1 if dice is None else dice.choice([1, 3, 20, 60])
        kind = pairs[0][1].kind
        together = next((n for n, (_, o) in enumerate(pairs[:size]) if o.kind != kind), min(size, len(pairs)))
        taken, pairs = pairs[:together], pairs[together:]
        made.append(batch(taken[-1][0], *(o.payload for _, o in taken), vehicle=vehicle, kind=kind))
    return made


def sent(drive: list[Leg], seed: int) -> list[Batch]:
    """What the three vehicles send, in the order in which it is received."""
    dice, observed = random.Random(seed), observations(drive)
    prompt = [o.at_s + 0.3 for o in observed]
    tardy = [o.at_s + dice.choice([0.3, 0.3, 0.3, 4.0, 90.0, 500.0]) for o in observed]
    again = [*observed, *dice.sample(observed, len(observed) // 2)]
    dice.shuffle(again)
    afterwards = sorted(dice.uniform(600.0, 700.0) for _ in again)
    made = [
        *batches("T1", observed, prompt),
        *batches("T2", observed, tardy),
        *batches("T3", again, afterwards, dice),
    ]
    return sorted(made, key=lambda one: one.received_us)


SQUARE = [
    (LON + x, LAT + y)
    for x, y in ((-0.01, 0.0012), (0.01, 0.0012), (0.01, 0.006), (-0.01, 0.006), (-0.01, 0.0012))
]


def fences() -> Watch:
    """A band across the way that is forbidden, with a lower limit, and a junction on it."""
    geometry = {"type": "Polygon", "coordinates": [SQUARE]}
    return Watch(
        Fences(
            FenceVersion(number, 0, Fence(code=kind.value, kind=kind, geometry=geometry, limit_kmh=40))
            for number, kind in enumerate((FenceKind.FORBIDDEN, FenceKind.SPEED_ZONE), 1)
        ),
        Passes(),
    )


@pytest.fixture
async def fleet(bench: Bench) -> Bench:
    vehicles = [Vehicle(code=code, company="acme", kind=VehicleKind.MIXER, limit_kmh=60) for code in VEHICLES]
    await register(bench.connection, Company(code="acme"), vehicles)
    bench.directory = await load_directory(bench.connection, NOW_US)
    bench.context = bench.context._replace(facts=bench.directory.facts, fences=fences())
    return bench


async def begin(bench: Bench) -> list[Span]:
    """Forget the example before; return all the time of the vehicles."""
    await bench.forget(
        "fix",
        "camera_event",
        "device_health",
        "batch",
        "dirty",
        "segment",
        "episode",
        "right_turn",
        "vehicle_state",
    )
    bench.state, bench.newest = LiveState(), Newest()
    ids = sorted(bench.directory.vehicles[code] for code in VEHICLES)
    return [Span(vehicle, NOW_US - DAY_US, NOW_US + DAY_US) for vehicle in ids]


def judged(judgement: Judgement, bench: Bench) -> tuple[list[Episode], list[Turn]]:
    books = bench.context.rulebooks
    return collect(judgement.transitions, books), collect_turns(judgement.turns, books)


async def as_arrived(bench: Bench, spans: list[Span]) -> list[comparison.Difference]:
    """How a replay as arrived differs from what live has written."""
    vehicles = [span.vehicle_id for span in spans]
    since, until = to_datetime(spans[0].from_us), to_datetime(spans[0].until_us)
    arrivals = await stored.read_arrivals(bench.connection, vehicles, since, until)
    episodes, turns = judged(replay.as_arrived(arrivals, bench.context), bench)
    rows = await store.episodes_between(bench.connection, spans)
    entered = await turn_store.between(bench.connection, spans)
    return [
        *comparison.with_raised([row for own in rows.values() for row in own], episodes),
        *comparison.turns_raised([row for own in entered.values() for row in own], turns),
    ]


async def as_settled(bench: Bench, spans: list[Span]) -> list[comparison.Difference]:
    """How a settled replay differs from what is settled."""
    now_us = NOW_US + 3600 * MICROSECONDS
    seen = await stored.read_sights(bench.connection, spans, bench.context.rulebooks, now_us)
    fixes = await tracks.read_spans(bench.connection, spans)
    episodes, turns = judged(replay.settled(fixes, bench.context, seen), bench)
    rows = await store.episodes_between(bench.connection, spans)
    entered = await turn_store.between(bench.connection, spans)
    return [
        *comparison.with_episodes([row for own in rows.values() for row in own], episodes),
        *comparison.turns([row for own in entered.values() for row in own], turns),
    ]


async def standing(bench: Bench, span: Span) -> dict[str, list[Any]]:
    """All that stands of a vehicle in the end: fixes, segments, episodes, turns."""
    fixes = await tracks.read_spans(bench.connection, [span])
    episodes = (await store.episodes_between(bench.connection, [span])).get(span.vehicle_id, [])
    turns = (await turn_store.between(bench.connection, [span])).get(span.vehicle_id, [])
    segments = await bench.connection.fetch(
        "select started_at, ended_at from segment where vehicle_id = $1 order by 1", span.vehicle_id
    )
    figures = ("rule", *comparison.EPISODE_FIELDS, "measures", "status")
    return {
        "fixes": [np.delete(np.array(row, object), 0).tolist() for row in zip(*_columns(fixes), strict=True)],
        "segments": [tuple(row) for row in segments],
        "episodes": sorted(
            str([getattr(row, name) for name in figures])
            for row in episodes
            if row.status != "withdrawn" and row.rule not in OF_ARRIVAL
        ),
        "turns": sorted(str(_of_no_vehicle(row.turn)) for row in turns if row.status != "withdrawn"),
    }


def _columns(fixes: Any) -> list[Any]:
    return [getattr(fixes, name).tolist() for name in fixes.dtypes()]


def _of_no_vehicle(turn: Turn) -> list[Any]:
    return [getattr(turn, name) for name in comparison.turn_records.FIELDS if name != "vehicle_id"]


@given(drive=legs, seed=st.integers(0, 2**32))
@settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to make an example smaller takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_any_order_ends_in_the_same_rows_and_live_equals_replay(
    fleet: Bench, drive: list[Leg], seed: int
) -> None:
    spans = await begin(fleet)
    await fleet.push(*sent(drive, seed), caught_up_since_s=-100_000)
    assert await as_arrived(fleet, spans) == []
    await fleet.drain()
    prompt, *others = [await standing(fleet, span) for span in spans]
    for other in others:
        assert other == prompt
    assert await as_settled(fleet, spans) == []
    assert await fleet.rows("select count(*) from dirty") == [(0,)]


@given(
    drive=legs_with_pauses(1, 130, 4000), seed=st.integers(0, 2**32), max_fixes=st.sampled_from([20, 50_000])
)
@settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_what_comes_while_the_settler_judges_is_settled_in_the_end(
    fleet: Bench, drive: list[Leg], seed: int, max_fixes: int
) -> None:
    """Everything is received between what a round reads and what it writes, if there is a round."""
    spans = await begin(fleet)
    dice, waiting = random.Random(seed), sent(drive, seed)
    now_us = waiting[0].received_us

    async def receive() -> None:
        nonlocal waiting, now_us
        size = dice.choice([1, 20, 200])
        some, waiting = waiting[:size], waiting[size:]
        await fleet.push(*some, caught_up_since_s=-100_000)
        now_us = waiting[0].received_us if waiting else now_us

    settler = Settler(
        lambda: fleet.context, judge=Meanwhile(receive, always=True), aside=Aside(max_fixes=max_fixes)
    )
    while waiting:
        done = await settler.round(fleet.connection, now_us)
        done = done or await settler.round_aside(fleet.connection, lambda: now_us)
        if done is None:
            await receive()
    async for _ in settler.drained(fleet.connection, lambda: NOW_US + 7200 * MICROSECONDS):
        pass
    prompt, *others = [await standing(fleet, span) for span in spans]
    for other in others:
        assert other == prompt
    assert await as_settled(fleet, spans) == []
    assert await fleet.rows("select count(*) from dirty") == [(0,)]


async def test_the_drives_of_the_property_have_something_to_judge(fleet: Bench) -> None:
    """What is equal is not equal because it is empty."""
    spans = await begin(fleet)
    drive = [Leg(90, 30, 150, 1.0, True, 1, True), Leg(60, 95, 400, 1.0, True, 130, False)]
    await fleet.push(*sent(drive, 1), caught_up_since_s=-100_000)
    await fleet.drain()
    rows = await store.episodes_between(fleet.connection, spans)
    rules = {row.rule for row in rows[spans[0].vehicle_id]}
    assert {Rule.SPEEDING, Rule.FORBIDDEN, Rule.RIGHT_TURN_FAST, Rule.CONFLICT} <= rules
    assert await fleet.rows("select count(distinct settled_as) from episode") != [(1,)]

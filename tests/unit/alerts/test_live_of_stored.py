"""Which stored fixes were judged live, found in one go, is what the hot path did batch by batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.live import replay
from alerts.live.live_state import LiveState
from alerts.live.timeliness import Timeliness
from fleet.columns import Fixes
from fleet.units import MICROSECONDS
from tests.unit.alerts.tracks import START_US, context

CONTEXT = context()
#: Batches of (vehicle, seconds before their reception); received 20 s apart.
batches_drawn = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(-70, 140)), min_size=1, max_size=6), max_size=10
)
#: Among them vehicles that send very much at once: (vehicle, newest, how many, seconds between them).
floods = st.lists(
    st.builds(
        lambda vehicle, newest, count, every_s: [(vehicle, newest + n * every_s) for n in range(count)],
        st.integers(1, 3),
        st.integers(-10, 100),
        st.integers(15, 200),
        st.sampled_from([0.01, 0.04, 0.5]),
    ),
    max_size=4,
)


@given(batches=batches_drawn, known=st.integers(0, 10))
def test_the_same_as_batch_by_batch(batches: list[list[tuple[int, int]]], known: int) -> None:
    same_as_batch_by_batch(batches, known)


@given(batches=batches_drawn, flooding=floods, known=st.integers(0, 4))
@settings(max_examples=30)
def test_the_same_where_vehicles_send_too_much(
    batches: list[list[tuple[int, float]]], flooding: list[list[tuple[int, float]]], known: int
) -> None:
    mixed = [*batches, *([] for _ in range(len(flooding) - len(batches)))]
    for place, flood in enumerate(flooding):
        mixed[place] = [*mixed[place], *flood]
    same_as_batch_by_batch(mixed, known)


def same_as_batch_by_batch(batches: list[list[tuple[int, float]]], known: int) -> None:
    """Of the first `known` batches there is a checkpoint; the rest is stored after it."""
    state, judged, stored = LiveState(), [], set[tuple[int, int]]()
    watermark: dict[int, int] = {}
    batch_id, received, vehicles, times = [], [], [], []
    for number, batch in enumerate(batches):
        received_us = START_US + number * 20 * MICROSECONDS
        rows = sorted({(v, received_us - round(age * MICROSECONDS)) for v, age in batch} - stored)
        if not rows:
            continue
        stored |= set(rows)
        fixes = Fixes.build(vehicle_id=[v for v, _ in rows], time_us=[t for _, t in rows], lat_udeg=1)
        _, timeliness = replay.arrive(state, replay.Arrival(received_us, fixes), CONTEXT)
        if number < known:
            for v in range(1, 4):
                watermark[v] = int(state.watermark_us(np.array([v], np.int32))[0])
            continue
        judged += (timeliness == Timeliness.LIVE).tolist()
        batch_id += [number] * len(rows)
        received += [received_us] * len(rows)
        vehicles += [v for v, _ in rows]
        times += [t for _, t in rows]
    after = [i for i, (v, t) in enumerate(zip(vehicles, times, strict=True)) if t > watermark.get(v, -1)]
    found = replay.live_of_stored(
        np.array(batch_id, np.int64)[after],
        np.array(received, np.int64)[after],
        Fixes.build(
            vehicle_id=np.array(vehicles)[after], time_us=np.array(times)[after], lat_udeg=np.ones(len(after))
        ),
        CONTEXT,
    )
    assert found.tolist() == [judged[i] for i in after]
    assert all(not judged[i] for i in set(range(len(judged))) - set(after))

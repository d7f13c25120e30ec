"""What a storm sends is all there, once; its proxies do what they say."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet.geo import distance_m
from fleet.units import MICROSECONDS
from fleet.wire.v1 import Published, decode
from kerbsafe.bench.traffic import COMPANY, Traffic
from kerbsafe.soak import course, units, verdict
from kerbsafe.soak.faults import FAULTS
from kerbsafe.soak.proxy import HOST, Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START_US = 1_780_272_000 * MICROSECONDS


class Everybody:
    """Knows each truck by its index, and under whose name it was heard."""

    def __init__(self, codes: list[str]) -> None:
        self.index = {code: index for index, code in enumerate(codes)}

    def find(self, company: str, vehicle: str, /) -> int:
        assert company in {COMPANY, course.NEW_COMPANY}
        return self.index[vehicle]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_course_sends_each_fix_and_nothing_else(seed: int) -> None:
    driven = course.make(trucks=60, uploading=3, rounds=60, start_us=START_US, seed=seed)
    keys = set(zip(driven.fixes.vehicle_id.tolist(), driven.fixes.time_us.tolist(), strict=True))
    assert len(keys) == len(driven.fixes) == len(driven.fixes_at_us)
    assert len(keys) + driven.refused == 60 * 60 + 3 * course.UPLOAD_ROUNDS + units.DENSE_HZ * units.DENSE_S
    moments = [sending.at_us for sending in driven.sendings]
    assert moments == sorted(moments)
    assert START_US <= moments[0] <= moments[-1] <= START_US + 60 * MICROSECONDS
    messages = [Published(sending.topic, sending.payload) for sending in driven.sendings]
    taken = decode(messages, Everybody(driven.codes))
    refused = taken.fixes.time_us > START_US + 5 * 86_400 * MICROSECONDS
    kept = taken.fixes.take(~refused)
    sent = list(zip(kept.vehicle_id.tolist(), kept.time_us.tolist(), strict=True))
    assert set(sent) == keys
    assert len(sent) > len(keys)  # some of it twice
    seen = zip(taken.camera.vehicle_id.tolist(), taken.camera.event_id.tolist(), strict=True)
    sent_seen = zip(driven.camera.vehicle_id.tolist(), driven.camera.event_id.tolist(), strict=True)
    assert sorted(seen) == sorted(sent_seen)
    assert len(driven.camera) > 10
    assert len(taken.rejects) == driven.garbage > 0
    assert {str(reject.reason) for reject in taken.rejects} <= verdict.REASONS


def test_who_changes_company_says_so_from_then_on_and_not_of_before() -> None:
    driven = course.make(trucks=60, uploading=1, rounds=40, start_us=START_US, seed=3)
    assert driven.moves_us == START_US + 20 * MICROSECONDS
    moved = {driven.codes.index(code) for code in driven.moving}
    assert 0 < len(moved) < 60
    for sending in driven.sendings:
        taken = decode([Published(sending.topic, sending.payload)], Everybody(driven.codes))
        says_new = sending.topic.split("/")[2] == course.NEW_COMPANY
        is_new = sending.truck in moved and bool((taken.fixes.time_us >= driven.moves_us).any())
        if len(taken.fixes):
            assert says_new == is_new


def test_units_of_a_storm_are_broken_in_the_ways_that_were_met() -> None:
    live = Traffic(600, 60, START_US, seed=1)
    sound, told = live.fixes(), units.spoil(live, np.random.default_rng(1), permitted=0.9)
    clock_s = set(((told.fixes.time_us - told.at_us) / MICROSECONDS).tolist())
    assert clock_s == {0.0, *units.STEPS_S, units.REFUSED_S}
    # Of who leaves the operating area, 3 s before and at least 5 s after nothing is told.
    assert 5 <= len(sound) - len(told.fixes) <= 2000
    whole = units.spoil(live, np.random.default_rng(1), permitted=1.0).fixes
    away_m = distance_m(sound.lat_udeg, sound.lon_udeg, whole.lat_udeg, whole.lon_udeg)
    jumped = away_m > 1
    assert away_m[jumped].min() >= 80
    assert away_m[jumped].max() <= 3010
    assert 2 <= np.bincount(sound.vehicle_id[jumped]).max() <= 12
    assert (whole.speed_dkmh != sound.speed_dkmh).mean() == pytest.approx(0.1, abs=0.05)


def test_one_unit_sends_a_thousand_fixes_a_second() -> None:
    told = units.dense(7, START_US, seed=1)
    assert len(told) == 10_000
    assert np.unique(np.diff(told.time_us)).tolist() == [1000]
    step_m = distance_m(told.lat_udeg[:-1], told.lon_udeg[:-1], told.lat_udeg[1:], told.lon_udeg[1:])
    assert step_m.max() < 0.3


@pytest.mark.parametrize(
    ("due_s", "told", "missing"),
    [(99, 1, 0), (90, 1, 0), (89, 0, 1), (121, 0, 1)],
)
def test_what_is_missing_is_wrong_unless_a_gap_tells_of_it(due_s: int, told: int, missing: int) -> None:
    """A gap from 100 to 120 s tells of what was due up to 10 s before it began."""
    gaps_us = np.array([[100, 120]]) * MICROSECONDS
    due_us = np.array([0, due_s]) * MICROSECONDS
    found = verdict.counted(np.array([True, False]), due_us, gaps_us, altered=0)
    assert (found.told, found.missing) == (told, missing)
    assert found.kept.tolist() == [True, missing == 1]


def test_a_course_can_be_had_again() -> None:
    one, other = (
        course.make(trucks=10, uploading=1, rounds=20, start_us=START_US, seed=5).sendings for _ in range(2)
    )
    assert one == other


def test_every_fault_that_lasts_is_one_that_the_doctor_must_name() -> None:
    assert [name for name, fault in FAULTS.items() if not fault.named] == [
        "kill ingest",
        "kill worker",
        "reset devices",
        "reset delivery",
        "reset database",
        "redeliver",
        "silent devices",
        "slow database",
    ]


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[Proxy]:
    """A proxy before a server that sends back what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    try:
        async with Proxy(server.sockets[0].getsockname()[1]).listening() as proxy:
            yield proxy
    finally:
        server.close()


async def test_a_proxy_passes_holds_back_and_cuts() -> None:
    async with echoing() as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        began_s = time.monotonic()
        holding = asyncio.create_task(proxy.hold_answers(0.3))
        await asyncio.sleep(0)
        writer.write(b"two")
        assert await reader.readexactly(3) == b"two"
        assert time.monotonic() - began_s >= 0.29
        await holding
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()


async def test_behind_a_proxy_a_machine_can_vanish_without_the_server_knowing() -> None:
    ended = asyncio.Event()

    async def wait_for_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(wait_for_the_end, HOST, 0)
    async with Proxy(server.sockets[0].getsockname()[1]).listening() as proxy:
        _reader, writer = await asyncio.open_connection(HOST, proxy.port)
        await asyncio.sleep(0.05)
        assert proxy.vanish() == 1
        writer.transport.abort()  # as kill -9 does
        await asyncio.sleep(0.1)
        assert not ended.is_set()
        assert proxy.cut() == 0
        await asyncio.sleep(0.1)
        assert not ended.is_set()
    await asyncio.wait_for(ended.wait(), 2)
    server.close()


async def test_a_proxy_swallows_what_clients_say_and_then_cuts() -> None:
    async with echoing() as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        swallowing = asyncio.create_task(proxy.swallow_requests(0.2))
        await asyncio.sleep(0.01)
        writer.write(b"two")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        assert await swallowing == 1
        writer.close()


async def test_behind_a_proxy_a_server_that_is_away_is_away() -> None:
    gone = await asyncio.start_server(lambda *_: None, HOST, 0)
    port = gone.sockets[0].getsockname()[1]
    gone.close()
    await gone.wait_closed()
    async with Proxy(port).listening() as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read(1) == b""
        writer.close()

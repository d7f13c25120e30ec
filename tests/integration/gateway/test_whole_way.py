"""A drive as terminals tell it: through gateway, broker and ingest to alerts, an outage back-filled."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from alerts import worker
from fleet.db import connect
from fleet.environment import read_settings
from fleet.installation import make_days_ahead
from fleet.registry import QUERIES
from fleet.registry_import.entry import Choices
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS
from simulators import scenario
from simulators.terminals.fleet import Fleet
from simulators.terminals.terminal import Terminal, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kerbsafe.parts import Broker
    from simulators.scenario import Plan
    from tests.integration.gateway.conftest import Gateway, Process

#: A city in which two trucks turn right beside somebody, one of them without a network.
SEED, TRUCKS, DRIVE_S = 5, 6, 110
SEEN, UNSEEN = "mx00003", "mx00006"
TUNNEL_S = (70, 100)


@pytest.fixture
def plan() -> Plan:
    """The drive has just ended."""
    return scenario.build("demo", SEED, TRUCKS, DRIVE_S, (int(time.time()) - DRIVE_S) * MICROSECONDS)


@pytest.fixture
async def carried(store: str, plan: Plan) -> Mapping[str, Terminal]:
    """Import the city, before the gateway reads its registry; return the terminal of each truck."""
    start_us = plan.world.window.from_us
    connection = await connect(store, application="test")
    try:
        await make_days_ahead(connection, start_us)
        for document in (plan.registry, plan.fences):
            contents = read_registry(msgspec.json.encode(document))
            choices = Choices(datum="wgs84")
            outcome = await import_registry(
                connection, contents, now_us=start_us, sandbox=True, choices=choices
            )
            assert not outcome.problems
        codes = [truck.code for truck in plan.trucks]
        phones = [f"1390000{number:04d}" for number in range(1, len(codes) + 1)]
        await connection.execute(QUERIES["put_devices"], phones, codes, ["su"] * len(codes))
    finally:
        await connection.close()
    timing = Timing(first_wait_s=1.0)
    return {code: Terminal(phone, timing=timing) for code, phone in zip(codes, phones, strict=True)}


async def drive(plan: Plan, above: Fleet, below: Fleet) -> None:
    """Tell the whole drive at once; one fleet is without a network for a while."""
    from_us, until_us = (plan.world.window.from_us + s * MICROSECONDS for s in TUNNEL_S)
    for message in (one for batch in plan.messages() for one in batch):
        is_under = from_us <= message.at_us < until_us
        if is_under != below.is_cut_off:
            below.cut_off(cut=is_under)
            await asyncio.sleep(0.2)
            if not is_under:
                await below.come_in(within_s=15)
        assert above.put(message) or below.put(message)
        await asyncio.sleep(0)
    assert await above.finish(within_s=20) == await below.finish(within_s=20) == 0


async def conflicts(dsn: str) -> dict[str, str | None]:
    """Return the trucks with an alert of a conflict, and what the complete record said of it."""
    connection = await connect(dsn, application="test")
    try:
        rows = await connection.fetch(
            "select vehicle, settled_as from alert_readable where rule = 'conflict' order by vehicle"
        )
    finally:
        await connection.close()
    return {row["vehicle"]: row["settled_as"] for row in rows}


async def test_conflicts_of_terminals_are_alerted_those_in_a_tunnel_too(
    plan: Plan,
    carried: Mapping[str, Terminal],
    gateway: Gateway,
    processes: Callable[..., Process],
    broker: Broker,
    store: str,
) -> None:
    ingest = processes("ingest").started()
    under = {UNSEEN: carried[UNSEEN]}
    above = {code: one for code, one in carried.items() if code != UNSEEN}
    async with (
        Fleet("127.0.0.1", gateway.port, above) as seen,
        Fleet("127.0.0.1", gateway.port, under) as unseen,
    ):
        await seen.come_in(within_s=15)
        await unseen.come_in(within_s=15)
        await drive(plan, seen, unseen)
    assert carried[UNSEEN].tally.kept >= TUNNEL_S[1] - TUNNEL_S[0] - 5
    assert unseen.acknowledged + seen.acknowledged > 500
    settings = read_settings({"KERBSAFE_DSN": store, "KERBSAFE_BROKER": broker.url})
    async with asyncio.timeout(40):
        while (await conflicts(store)).keys() != {SEEN, UNSEEN}:
            await asyncio.sleep(0.5)
            await worker.drain(settings)
    assert ingest.stop() == 0
    await worker.drain(settings)
    found = await conflicts(store)
    assert found[SEEN] == "confirmed"
    # What was kept is judged at once where nothing else came before it, and otherwise by the settler alone.
    assert found[UNSEEN] in {"confirmed", "added"}

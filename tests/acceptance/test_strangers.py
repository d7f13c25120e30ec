"""Who reports without being registered: refused, unless somebody in a sandbox asks otherwise."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import aiomqtt

if TYPE_CHECKING:
    from tests.acceptance.conftest import Installation


async def publish(installation: Installation, *topics: str) -> None:
    async with aiomqtt.Client(
        installation.broker.host, installation.broker.port, protocol=aiomqtt.ProtocolVersion.V5
    ) as client:
        for number, topic in enumerate(topics):
            payload = {"time": int(time.time() * 1000) + number, "lat": 30.7, "lon": 120.7}
            await client.publish(topic, json.dumps(payload), qos=1)


def test_strangers_are_registered_only_where_that_was_asked(installation: Installation) -> None:
    topics = ("kerbsafe/v1/acme/T1/fix", "kerbsafe/v1/acme/T2/fix", "kerbsafe/v1/acme/T!/fix")
    with installation.process("ingest"):
        asyncio.run(publish(installation, *topics))
        installation.wait_until("select coalesce(sum(rejected), 0)::int from batch", 3)
    assert installation.rows("select count(*) from vehicle") == [(0,)]
    with installation.process("ingest", "--auto-register"):
        asyncio.run(publish(installation, *topics, topics[0]))
        installation.wait_until("select count(*) from fix", 3)
    assert installation.rows("select code from vehicle order by 1") == [("T1",), ("T2",)]
    rejects = installation.rows("select reason, sum(observations)::int from reject group by 1 order by 1")
    assert rejects == [("bad_code", 2), ("unknown_company", 2)]

"""The command that the page for device makers prints, run as printed against Mosquitto."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiomqtt

from fleet.wire.reasons import Reason
from fleet.wire.topics import LIVE_FILTERS
from fleet.wire.v1 import Published, decode
from kerbsafe import parts

if TYPE_CHECKING:
    from kerbsafe.parts import Broker

PAGE = Path(__file__).resolve().parents[3] / "docs" / "device-protocol.md"


class AnyTruck:
    def find(self, company: str, vehicle: str, /) -> int | Reason:
        return 1 if (company, vehicle) == ("demo", "truck-1") else Reason.UNKNOWN_VEHICLE


async def test_the_printed_command_reaches_the_broker(broker: Broker) -> None:
    (command,) = re.findall(r"^mosquitto_pub .*$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert "-h 127.0.0.1 -p 1883 " in command
    line = command.replace("-h 127.0.0.1 -p 1883 ", f"-h {broker.host} -p {broker.port} ")
    here = parts.with_mosquitto_clients("/bin/sh", "-c", line)
    async with aiomqtt.Client(broker.host, broker.port_v3, identifier="reader") as reader:
        for topic_filter in LIVE_FILTERS:
            await reader.subscribe(topic_filter, qos=1)
        environment = os.environ | {"SECRET": "any"}
        await asyncio.to_thread(subprocess.run, here, check=True, timeout=60, env=environment)
        async with asyncio.timeout(60):
            message = await anext(reader.messages)
    assert isinstance(message.payload, bytes)
    result = decode([Published(str(message.topic), message.payload)], AnyTruck())
    assert not result.rejects
    assert abs(result.fixes.time_us[0] / 1e6 - time.time()) < 60

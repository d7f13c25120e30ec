"""What the broker says of itself on its `$SYS` topics.

Mosquitto does, others may not, and nothing but two dashboards and three alert rules depends on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING

import aiomqtt
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from fleet.units import MICROSECONDS
from ingest.mqtt.gaps import Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from fleet.clock import Clock
    from fleet.setting_values import BrokerAddress

#: After a lost connection it is tried again this much later.
RETRY_S = 2.0
#: Changes whenever Mosquitto tells its figures anew, every 10 s.
_UPTIME = "$SYS/broker/uptime"
_DROPPED = "$SYS/broker/publish/messages/dropped"
_GAUGES = {
    "$SYS/broker/store/messages/count": (
        "kerbsafe_broker_stored_messages",
        "Messages that the broker holds: queued for a session, or retained.",
    ),
    "$SYS/broker/store/messages/bytes": ("kerbsafe_broker_stored_bytes", "Bytes of the same."),
    "$SYS/broker/clients/connected": (
        "kerbsafe_broker_clients_connected",
        "Clients connected to it.",
    ),
}
_COUNTERS = {
    _DROPPED: (
        "kerbsafe_broker_dropped_messages",
        "Messages that the broker threw away because a queue was full or a client too slow.",
    ),
}

_log = structlog.get_logger("broker")


class BrokerStatus:
    """The newest figure of each topic; a figure that the broker has not told is not shown."""

    def __init__(self) -> None:
        self._figures: dict[str, float] = {}
        #: How often they were told since we listen.
        self._rounds = 0
        self._started_s: float | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield what is known (called by prometheus-client)."""
        for topic, (name, text) in _GAUGES.items():
            yield GaugeMetricFamily(name, text, value=self._figures.get(topic))
        for topic, (name, text) in _COUNTERS.items():
            yield CounterMetricFamily(name, text, value=self._figures.get(topic))

    def told(self, clock: Clock) -> Told | None:
        """Return how much the broker has thrown away, and since when; None while it does not say.

        What it says at first was retained and may be older than our connection; after a second round not.
        """
        figure = self._figures.get(_DROPPED) if self._rounds > 1 else None
        if figure is None or self._started_s is None:
            return None
        return Told(int(figure), clock.at(round(self._started_s * MICROSECONDS)))

    def take(self, topic: str, payload: bytes) -> None:
        """Note one figure; what is not a number is left out."""
        if topic == _UPTIME:
            self._rounds += 1
            with contextlib.suppress(ValueError, IndexError):
                self._started_s = time.time() - float(payload.split()[0])  # "123 seconds"
            return
        with contextlib.suppress(ValueError):
            self._figures[topic] = float(payload)

    def forget(self) -> None:
        """Show nothing while the broker cannot be asked."""
        self._figures.clear()
        self._rounds, self._started_s = 0, None

    async def follow(self, address: BrokerAddress, password: bytes | None, stopping: asyncio.Event) -> None:
        """Listen until told to stop, on a connection of its own; a broker that is away is waited for."""
        listening = asyncio.create_task(self._listen_for_ever(address, password))
        await stopping.wait()
        listening.cancel()
        await asyncio.wait({listening})

    async def _listen_for_ever(self, address: BrokerAddress, password: bytes | None) -> None:
        told = False
        while True:
            try:
                await self._listen(address, password)
            except (aiomqtt.MqttError, OSError) as error:
                if not told:
                    _log.info("broker_status_unknown", broker=str(address), reason=str(error))
                told = True
            self.forget()
            await asyncio.sleep(RETRY_S)

    async def _listen(self, address: BrokerAddress, password: bytes | None) -> None:
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=None if password is None else password.decode("utf-8", "surrogateescape"),
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=ssl.create_default_context() if address.tls else None,
        ) as client:
            await client.subscribe([(topic, 0) for topic in (_UPTIME, *_GAUGES, *_COUNTERS)])
            async for message in client.messages:
                if message.retain and message.topic.value == _UPTIME:
                    continue
                if isinstance(message.payload, bytes):
                    self.take(str(message.topic), message.payload)

"""One connection to a broker that behaves as the device protocol asks of a unit.

What has no PUBACK when the connection ends is sent again on the next, and what was acknowledged within the
last minute as well: a broker that crashed has forgotten it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from fleet.wire.topics import Kind

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from simulators.messages import Message

#: Messages that wait for a connection; one that falls further behind holds the others up.
WAITING = 256
PUBLISH_TIMEOUT_S = 30.0
#: After a lost connection the messages of so long before it are sent again.
REPEAT_S = 60.0
FIRST_RETRY_S, LAST_RETRY_S = 0.2, 5.0
QUIET_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to publish, and as whom."""

    host: str = "127.0.0.1"
    port: int = 1883
    #: None: in clear, secrets too.
    tls: ssl.SSLContext | None = None
    #: Login and secret of each vehicle's unit; None: without.
    logins: Mapping[str, tuple[str, str]] | None = None
    #: A connection for each vehicle, or one for all (which needs a login of its own, or none).
    connection_per_truck: bool = True
    shared_login: tuple[str, str] | None = None
    client_prefix: str = "unit-"
    #: A connection that was lost is tried again for so long.
    patience_s: float = 300.0


@dataclass(slots=True)
class Progress:
    """Counts of one run, to be watched while it goes on."""

    published: int = 0
    #: Published once more, since a connection was lost.
    repeated: int = 0
    #: Time of the newest message in the data, microseconds since 1970.
    at_us: int = 0
    #: How far behind its time the newest message went out, seconds of the data.
    behind_s: float = 0.0


class Line:
    """Publishes what is put into it, over as many connections as it takes.

    Parameters
    ----------
    key
        The vehicle whose unit this is; "" is one for all.
    at_once
        How many publications may wait for their acknowledgement.
    """

    def __init__(self, broker: Broker, key: str, at_once: int, progress: Progress) -> None:
        self._broker, self._key = broker, key
        self._at_once, self._progress = at_once, progress
        self._client: aiomqtt.Client | None = None
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(WAITING)
        #: To be sent before what is in the queue, and whether it is sent for the first time.
        self._again: deque[tuple[Message, bool]] = deque()
        self._in_flight: dict[int, tuple[Message, bool]] = {}
        self._sent = 0
        #: What was acknowledged lately, and when (monotonic seconds).
        self._kept: deque[tuple[float, Message]] = deque()

    async def put(self, message: Message | None) -> None:
        """Hand over one message; None: there are no more."""
        await self._queue.put(message)

    async def connect(self) -> None:
        """Open a connection.

        Raises
        ------
        aiomqtt.MqttError
            If the broker cannot be reached or refuses the login.
        """
        broker = self._broker
        login = (broker.logins or {}).get(self._key, broker.shared_login)
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            username=login[0] if login else None,
            password=login[1] if login else None,
            identifier=f"{broker.client_prefix}{self._key or 'fleet'}",
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=broker.tls,
        )
        await client.__aenter__()  # `leave` ends it
        # Acknowledgements on loopback come at once: nobody counts how many are awaited.
        client.pending_calls_threshold = QUIET_CALLS
        self._client = client

    async def leave(self) -> None:
        """End the connection, if there is one."""
        client, self._client = self._client, None
        if client is None:
            return
        await asyncio.gather(client.__aexit__(None, None, None), return_exceptions=True)
        # A connection that was lost leaves its reason in a future that nobody asks; asyncio would print it,
        # once a truck, below the one line that says it all.
        ended = client._disconnected  # noqa: SLF001 - it has no public name
        if ended.done() and not ended.cancelled():
            ended.exception()

    async def run(self) -> None:
        """Publish until there are no more messages and all are acknowledged.

        Raises
        ------
        aiomqtt.MqttError
            If a connection is lost and cannot be had again.
        """
        while not await self._publish_all():
            await self.leave()
            self._take_back()
            await self._connect_again()

    async def _publish_all(self) -> bool:
        """Publish over the present connection; False if it was lost."""
        if self._client is None:
            raise RuntimeError("there is no connection to publish over")
        client = self._client
        senders = [asyncio.create_task(self._send(client)) for _ in range(self._at_once)]
        sending: asyncio.Future[Any] = asyncio.gather(*senders)
        try:
            lost = client._disconnected  # noqa: SLF001 - a publication would wait for its time-out
            await asyncio.wait([sending, lost], return_when=asyncio.FIRST_COMPLETED)
            return sending.done() and sending.exception() is None
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(sending, *senders, return_exceptions=True)

    async def _send(self, client: aiomqtt.Client) -> None:
        """Publish one message after the other until there are no more."""
        while (taken := await self._next()) is not None:
            message, is_new = taken
            self._sent += 1
            number = self._sent
            self._in_flight[number] = taken
            await client.publish(message.topic, message.payload, qos=1, timeout=PUBLISH_TIMEOUT_S)
            del self._in_flight[number]
            self._keep(message)
            if is_new:
                self._progress.published += 1
            else:
                self._progress.repeated += 1

    async def _next(self) -> tuple[Message, bool] | None:
        if self._again:
            return self._again.popleft()
        message = await self._queue.get()
        if message is not None:
            return message, True
        self._queue.put_nowait(None)  # for the others that send
        return None

    def _keep(self, message: Message) -> None:
        now_s = time.monotonic()
        self._kept.append((now_s, message))
        while self._kept[0][0] < now_s - REPEAT_S:
            self._kept.popleft()

    def _take_back(self) -> None:
        """Send again what is not acknowledged, and then what was so lately."""
        oldest_s = time.monotonic() - REPEAT_S
        lately = [(again(message), False) for at_s, message in self._kept if at_s >= oldest_s]
        self._kept.clear()
        self._again.extendleft(reversed(self._in_flight.values()))
        self._in_flight.clear()
        self._again.extend(lately)

    async def _connect_again(self) -> None:
        delay_s, gives_up_s = FIRST_RETRY_S, time.monotonic() + self._broker.patience_s
        while True:
            await asyncio.sleep(delay_s)
            try:
                await self.connect()
            except MqttConnectError:
                raise  # it answers, and refuses
            except aiomqtt.MqttError:
                if time.monotonic() > gives_up_s:
                    raise
                delay_s = min(2 * delay_s, LAST_RETRY_S)
            else:
                return


def again(message: Message) -> Message:
    """Return a message as it is repeated: a fix is no news any more."""
    place, _, kind = message.topic.rpartition("/")
    return message._replace(topic=f"{place}/{Kind.HISTORY}") if kind == Kind.FIX else message

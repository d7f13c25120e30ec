"""Publishing as devices do: in real time or a multiple of it, at QoS 1, over MQTT.

Each truck has a connection of its own with its own login, or all share one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiomqtt

from fleet.clock import WALL
from fleet.units import MICROSECONDS
from simulators.errors import SimulatorError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from fleet.clock import Clock
    from simulators.messages import Message

#: Where the vehicle's code stands in `kerbsafe/v1/{company}/{vehicle}/{kind}`.
VEHICLE_LEVEL = 3
#: On a shared connection, publications that wait for their acknowledgement.
IN_FLIGHT = 64
#: Messages that wait for a connection; one that falls further behind holds the others up.
WAITING = 256
CONNECTING_AT_ONCE = 32
PUBLISH_TIMEOUT_S = 30.0
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


@dataclass(slots=True)
class Progress:
    """Counts of one run, to be watched while it goes on."""

    published: int = 0
    #: Time of the newest message in the data, microseconds since 1970.
    at_us: int = 0
    #: How far behind its time the newest message went out, seconds of the data.
    behind_s: float = 0.0


async def publish(
    batches: Iterable[Sequence[Message]],
    broker: Broker,
    vehicles: Iterable[str] = (),
    *,
    clock: Clock = WALL,
    progress: Progress | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Progress:
    """Publish each message when the clock shows its time, in the order of sending for each vehicle.

    Parameters
    ----------
    batches
        Messages in ascending time, as `Plan.messages()` yields them.
    vehicles
        Codes of the trucks to connect before the first message; others connect at theirs.
    clock
        Says what time it is in the data, and how fast it passes: a sandbox clock anchored at the first
        message with rate 10 plays ten times as fast.
    progress
        Updated while the run goes on.
    stopping
        Asked before each message; true ends the run after what is in flight.

    Raises
    ------
    SimulatorError
        If the broker cannot be reached, refuses a login or drops a connection.
    """
    progress = progress or Progress()
    clients: list[aiomqtt.Client] = []
    try:
        async with asyncio.TaskGroup() as senders:
            lines = _Lines(broker, clients, senders, progress)
            await lines.connect(vehicles)
            async for message in _paced(batches, clock, progress):
                if stopping():
                    break
                await lines.put(message)
            await lines.finish()
    except* aiomqtt.MqttError as group:
        first = _first(group)
        raise SimulatorError(
            f"publishing to {broker.host}:{broker.port} failed: {str(first).rstrip('.')}; "
            "is the broker up, the login right?"
        ) from first
    finally:
        await _disconnect(clients)
    return progress


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _disconnect(clients: Sequence[aiomqtt.Client]) -> None:
    """End all connections at once: one whose broker has gone takes ten seconds for it."""
    await asyncio.gather(*(client.__aexit__(None, None, None) for client in clients), return_exceptions=True)
    for client in clients:
        # A connection that was lost leaves its reason in a future that nobody asks; asyncio would print it,
        # once a truck, below the one line that says it all.
        ended = client._disconnected  # noqa: SLF001 - it has no public name
        if ended.done() and not ended.cancelled():
            ended.exception()


class _Lines:
    """One queue and one connection for each truck, or one for all."""

    def __init__(
        self,
        broker: Broker,
        clients: list[aiomqtt.Client],
        senders: asyncio.TaskGroup,
        progress: Progress,
    ) -> None:
        self._broker, self._clients, self._senders = broker, clients, senders
        self._progress = progress
        self._queues: dict[str, asyncio.Queue[Message | None]] = {}

    async def connect(self, vehicles: Iterable[str]) -> None:
        """Open the connections of these vehicles, a few at a time."""
        at_once = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def one(key: str) -> None:
            async with at_once:
                await self._open(key)

        keys = dict.fromkeys(vehicles if self._broker.connection_per_truck else [""])
        async with asyncio.TaskGroup() as group:
            for key in keys:
                group.create_task(one(key))

    async def put(self, message: Message) -> None:
        """Hand over one message; connects first if its vehicle is new."""
        key = message.topic.split("/")[VEHICLE_LEVEL] if self._broker.connection_per_truck else ""
        if key not in self._queues:
            await self._open(key)
        await self._queues[key].put(message)

    async def finish(self) -> None:
        """Let every sender end when its queue is empty."""
        for queue in self._queues.values():
            for _ in range(self._flying()):
                await queue.put(None)

    async def _open(self, key: str) -> None:
        login = (self._broker.logins or {}).get(key, self._broker.shared_login)
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=login[0] if login else None,
            password=login[1] if login else None,
            identifier=f"{self._broker.client_prefix}{key or 'fleet'}",
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=self._broker.tls,
        )
        await client.__aenter__()  # `_disconnect` ends it
        self._clients.append(client)
        # Acknowledgements on loopback come at once: nobody counts how many are awaited.
        client.pending_calls_threshold = QUIET_CALLS
        self._queues[key] = asyncio.Queue(WAITING)
        for _ in range(self._flying()):
            self._senders.create_task(self._send(client, self._queues[key]))

    def _flying(self) -> int:
        """Return how many publications of one connection may wait for their acknowledgement."""
        return 1 if self._broker.connection_per_truck else IN_FLIGHT

    async def _send(self, client: aiomqtt.Client, queue: asyncio.Queue[Message | None]) -> None:
        """Publish one message after the other until the queue says that there are no more."""
        while (message := await queue.get()) is not None:
            await client.publish(message.topic, message.payload, qos=1, timeout=PUBLISH_TIMEOUT_S)
            self._progress.published += 1


async def _paced(
    batches: Iterable[Sequence[Message]], clock: Clock, progress: Progress
) -> AsyncIterator[Message]:
    """Yield each message when its time has come; late ones at once."""
    for batch in batches:
        for message in batch:
            ahead_s = (message.at_us - clock.now_us()) / MICROSECONDS
            # Even a late message gives the senders their turn.
            await asyncio.sleep(max(clock.wall_seconds(ahead_s), 0.0))
            progress.at_us = message.at_us
            progress.behind_s = max(0.0, -ahead_s)
            yield message

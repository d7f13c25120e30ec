"""Publishing as devices do: in real time or a multiple of it, at QoS 1, over MQTT.

Each truck has a connection of its own with its own login, or all share one; after a lost one it does what the
device protocol asks (`simulators.line`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiomqtt

from fleet.clock import WALL
from fleet.units import MICROSECONDS
from simulators.errors import SimulatorError
from simulators.line import Broker, Line, Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from fleet.clock import Clock
    from simulators.messages import Message

#: Where the vehicle's code stands in `kerbsafe/v1/{company}/{vehicle}/{kind}`.
VEHICLE_LEVEL = 3
#: On a shared connection, publications that wait for their acknowledgement.
IN_FLIGHT = 64
CONNECTING_AT_ONCE = 32
__all__ = ["Broker", "Progress", "publish"]


async def publish(
    batches: Iterable[Sequence[Message]],
    broker: Broker,
    vehicles: Iterable[str] = (),
    *,
    clock: Clock = WALL,
    progress: Progress | None = None,
    stopping: Callable[[], bool] = lambda: False,
    elsewhere: Callable[[Message], bool] = lambda _: False,
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
    elsewhere
        Given each message at its time; true if it goes another way than to the broker.

    Raises
    ------
    SimulatorError
        If the broker cannot be reached, refuses a login, or is away for longer than `Broker.patience_s`.
    """
    progress = progress or Progress()
    lines: _Lines | None = None
    try:
        async with asyncio.TaskGroup() as senders:
            lines = _Lines(broker, senders, progress)
            await lines.connect(vehicles)
            async for message in _paced(batches, clock, progress):
                if stopping():
                    break
                if not elsewhere(message):
                    await lines.put(message)
            await lines.finish()
    except* aiomqtt.MqttError as group:
        first = _first(group)
        raise SimulatorError(
            f"publishing to {broker.host}:{broker.port} failed: {str(first).rstrip('.')}; "
            "is the broker up, the login right?"
        ) from first
    finally:
        if lines is not None:
            await lines.leave()
    return progress


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Lines:
    """One line for each truck, or one for all."""

    def __init__(self, broker: Broker, senders: asyncio.TaskGroup, progress: Progress) -> None:
        self._broker, self._senders, self._progress = broker, senders, progress
        self._lines: dict[str, Line] = {}

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
        if key not in self._lines:
            await self._open(key)
        await self._lines[key].put(message)

    async def finish(self) -> None:
        """Let every line end when it has sent all that it was given."""
        for line in self._lines.values():
            await line.put(None)

    async def leave(self) -> None:
        """End all connections at once: one whose broker has gone takes ten seconds for it."""
        await asyncio.gather(*(line.leave() for line in self._lines.values()))

    async def _open(self, key: str) -> None:
        at_once = 1 if self._broker.connection_per_truck else IN_FLIGHT
        line = Line(self._broker, key, at_once, self._progress)
        await line.connect()
        self._lines[key] = line
        self._senders.create_task(line.run())


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

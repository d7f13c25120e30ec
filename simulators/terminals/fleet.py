"""Many terminals in one process: their sockets, their clock, and their patience with a platform."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self, cast

from fleet.wire.topics import Address, parse_topic
from simulators.errors import SimulatorError
from simulators.terminals.reports import Reporter
from simulators.terminals.terminal import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from simulators.messages import Message
    from simulators.terminals.reports import Told
    from simulators.terminals.terminal import Terminal

_TICK_S, _LOOK_EVERY_S = 0.25, 0.05
CONNECTING_AT_ONCE = 64
_CONNECT_TIMEOUT_S = 10.0
#: A platform that hangs up is tried again after so long, then after twice as long, and so on.
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 4.0


class _Line(asyncio.Protocol):
    """A terminal and its connection, if it has one."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.reporter = Reporter()
        self.retry_s, self.next_try_s = FIRST_RETRY_S, 0.0
        self.connecting: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    # -- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.write(self.terminal.connected(self._loop.time()))

    def data_received(self, data: bytes) -> None:
        self.write(self.terminal.receive(data, self._loop.time()))
        if self.terminal.gives_up:
            self.hang_up()
        elif self.terminal.state is State.OPEN:
            self.retry_s = FIRST_RETRY_S

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self.terminal.disconnected()
        self.try_later()

    # -- called by the fleet

    @property
    def is_away(self) -> bool:
        return self._transport is None

    def try_later(self) -> None:
        self.next_try_s = self._loop.time() + self.retry_s
        self.retry_s = min(2 * self.retry_s, LAST_RETRY_S)

    def tell(self, told: Told) -> None:
        self.write(self.terminal.tell(told, self._loop.time()))

    def tick(self) -> None:
        self.write(self.terminal.tick(self._loop.time()))
        if self.terminal.gives_up:
            self.hang_up()

    def write(self, data: bytes) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Fleet:
    """The terminals of some vehicles at one platform.

    >>> async with Fleet("127.0.0.1", 808, {"T1": Terminal("13900000001")}) as fleet:
    ...     fleet.put(message)
    """

    def __init__(self, host: str, port: int, terminals: Mapping[str, Terminal]) -> None:
        self.host, self.port = host, port
        self._lines = {code: _Line(terminal) for code, terminal in terminals.items()}
        self._at_once = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._running: asyncio.Task[None] | None = None
        #: Not to connect for now: a tunnel, as a test or a scenario wants it.
        self.is_cut_off = False

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_cut_off = True
        tasks = [line.connecting for line in self._lines.values() if line.connecting is not None]
        tasks += [] if self._running is None else [self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._lines.values():
            line.hang_up()
        await asyncio.sleep(0)

    @property
    def terminals(self) -> Mapping[str, Terminal]:
        """All of them, by the vehicle that carries it."""
        return {code: line.terminal for code, line in self._lines.items()}

    @property
    def acknowledged(self) -> int:
        """Reports that the platform has acknowledged."""
        return sum(line.terminal.tally.acknowledged for line in self._lines.values())

    def put(self, message: Message) -> bool:
        """Have a vehicle's terminal tell what was measured; False: it is of none of these vehicles."""
        address = parse_topic(message.topic)
        line = self._lines.get(address.vehicle) if isinstance(address, Address) else None
        if line is None:
            return False
        told = line.reporter.take(message)
        if told is not None:
            line.tell(told)
        return True

    async def come_in(self, within_s: float) -> None:
        """Wait until all are authenticated.

        Raises
        ------
        SimulatorError
            If some are not by then.
        """
        await self._until(lambda line: line.terminal.state is State.OPEN, within_s)
        out = {code: line for code, line in self._lines.items() if line.terminal.state is not State.OPEN}
        if out:
            code, line = next(iter(out.items()))
            why = line.terminal.refusal or f"no connection to {self.host}:{self.port}"
            raise SimulatorError(
                f"{len(out)} of {len(self._lines)} terminals are not let in, such as {code} "
                f"({line.terminal.phone}): {why}; is the gateway running, is the number a device's login?"
            )

    async def finish(self, within_s: float) -> int:
        """Tell what is left, and wait until all is acknowledged; return how many are not done by then."""
        for line in self._lines.values():
            rest = line.reporter.rest()
            if rest is not None:
                line.tell(rest)
        await self._until(lambda line: line.terminal.is_done, within_s)
        return sum(not line.terminal.is_done for line in self._lines.values())

    def cut_off(self, *, cut: bool = True) -> None:
        """Take the network away from all, or give it back."""
        self.is_cut_off = cut
        for line in self._lines.values():
            if cut:
                line.hang_up()
            else:
                line.retry_s, line.next_try_s = FIRST_RETRY_S, 0.0

    async def _until(self, holds: Callable[[_Line], bool], within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not all(map(holds, self._lines.values())):  # noqa: ASYNC110 - thousands, watched by nobody
                    await asyncio.sleep(_LOOK_EVERY_S)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            for line in self._lines.values():
                if not line.is_away:
                    line.tick()
                elif line.connecting is None and now_s >= line.next_try_s and not self.is_cut_off:
                    line.connecting = asyncio.create_task(self._connect(line))
            await asyncio.sleep(_TICK_S)

    async def _connect(self, line: _Line) -> None:
        try:
            async with self._at_once, asyncio.timeout(_CONNECT_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(lambda: line, self.host, self.port)
        except (OSError, TimeoutError):
            line.try_later()
        finally:
            line.connecting = None

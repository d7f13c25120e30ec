"""A TCP proxy on loopback that cuts, holds back, or swallows what passes through it, or falls silent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
_PIECE_BYTES = 65_536
#: SO_LINGER with no time to linger: `close` sends a reset, not a goodbye.
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class _Passage:
    """A client's connection, and the one to the server that was made for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    #: The client's machine is gone, and nobody has told the server.
    vanished: bool = False

    def reset(self) -> None:
        _reset(self.client)
        _reset(self.server)


class Proxy:
    """Passes bytes between whoever connects and one port, until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self.target_port = port
        #: Where to connect; known once it listens.
        self.port = 0
        self._answers = asyncio.Event()
        self._answers.set()
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._swallows = False
        self._open: set[_Passage] = set()
        self._passing: set[asyncio.Task[None]] = set()

    def cut(self) -> int:
        """Reset every connection but those of vanished machines; return how many there were."""
        connected = [passage for passage in self._open if not passage.vanished]
        for passage in connected:
            passage.reset()
        self._swallows = False
        self._speaks.set()
        return len(connected)

    def fall_silent(self) -> None:
        """Pass nothing on any more, either way, not even an end: to each side the other has vanished.

        Whoever connects is let in and hears nothing. `cut` ends it.
        """
        self._speaks.clear()

    def vanish(self) -> int:
        """Let the machines of all who are connected vanish; return how many connections they had.

        The server is never told: it keeps their sessions for as long as it likes. Whoever connects from now
        on is served.
        """
        for passage in self._open:
            passage.vanished = True
        return len(self._open)

    async def hold_answers(self, seconds: float) -> None:
        """Keep back what the server says for some time; nothing of it is lost."""
        self._answers.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._answers.set()

    async def swallow_requests(self, seconds: float) -> int:
        """Lose what clients say for some time, then reset: to the server, they never said it."""
        self._swallows = True
        await asyncio.sleep(seconds)
        return self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._speaks.wait()
            server_reader, server_writer = await asyncio.open_connection(HOST, self.target_port)
        except OSError:  # the server is away: so are we
            _reset(writer)
            return
        except asyncio.CancelledError:
            _reset(writer)
            raise
        passage = _Passage(writer, server_writer)
        self._open.add(passage)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(reader, passage, answers=False))
                ways.create_task(self._pass(server_reader, passage, answers=True))
        finally:
            self._open.discard(passage)
            writer.close()
            server_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, passage: _Passage, *, answers: bool) -> None:
        """Move bytes one way; the end of it is the end of both."""
        writer = passage.client if answers else passage.server
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE_BYTES):
                if passage.vanished or not self._speaks.is_set():
                    continue
                if answers:
                    await self._answers.wait()
                elif self._swallows:
                    continue
                writer.write(data)
                await writer.drain()
        await self._speaks.wait()
        if answers or not passage.vanished:
            writer.close()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._accept(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Proxy]:
        """Listen until the end of the block."""
        server = await asyncio.start_server(self._begin, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._passing):
                task.cancel()
            for passage in self._open:
                passage.reset()
            self._speaks.set()
            await asyncio.gather(*self._passing, return_exceptions=True)
            await asyncio.sleep(0)  # what was cut is closed in the next turn of the loop


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()

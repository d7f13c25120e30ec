"""`kerbsafe jt808 listen` and `record`: what terminals say while they are being put into operation.

Both answer every terminal as a platform does, so that it talks; nothing of it comes into the database. A
report that was acknowledged here is not sent again anywhere: these are for trucks in the yard.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fleet.clock import WALL
from fleet.errors import KerbsafeError
from fleet.printable import to_json
from fleet.stopping import rest
from fleet.units import MICROSECONDS, to_datetime
from fleet.wire.jt808 import Cutter, Policy, models, to_document
from fleet.wire.jt808.events import Authentication, Received, Registration, Reported
from fleet.wire.jt808.values import rfc3339
from ingest.gateway.process import listening
from kerbsafe.jt808.jt808_decode import Reading, text

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.wire.jt808.events import Event
    from fleet.wire.jt808.models import Model
    from ingest.gateway.connection import Connection

#: What every terminal gets as its code.
_CODE = "commissioning"
_MAX_CONNECTIONS = 1000
_TICK_S = 1.0


class Listener(Protocol):
    """Takes what is said on all connections: with the time, the other end, and who says it."""

    def say(self, connection: Connection, sender: str, data: bytes) -> None:
        """Take some bytes."""

    def ended(self, connection: Connection, reason: str) -> None:
        """Take note that a connection is gone."""


class Shown:
    """Prints each frame as `kerbsafe jt808 decode` does, with when and where it came."""

    def __init__(self, model: Model, *, as_json: bool) -> None:
        self._model = model
        self._as_json = as_json
        self._readings: dict[tuple[Connection, str], tuple[Cutter, Reading]] = {}

    def say(self, connection: Connection, sender: str, data: bytes) -> None:
        """Print what frames end here."""
        key = connection, sender
        cutter, reading = self._readings.setdefault(key, (Cutter(), Reading(self._model)))
        for frame in cutter.feed(data):
            document = to_document(reading.read(frame))
            head = {"at": _now(), "peer": connection.peer, "from": sender}
            shown = (
                to_json(head | document) if self._as_json else f"{' '.join(head.values())}\n{text(document)}"
            )
            print(shown, flush=True)

    def ended(self, connection: Connection, reason: str) -> None:
        """Forget it, and say so."""
        for sender in ("terminal", "platform"):
            self._readings.pop((connection, sender), None)
        print(f"kerbsafe: {connection.peer} is gone: {reason}", file=sys.stderr, flush=True)


class Recorded:
    """Writes the bytes as they come, one JSON object a piece, whatever they are."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a", encoding="ascii")
        except OSError as error:
            raise KerbsafeError(f"cannot write {path}: {error.strerror or error}") from error

    def say(self, connection: Connection, sender: str, data: bytes) -> None:
        """Write them before they are answered."""
        line = {"at": _now(), "peer": connection.peer, "from": sender, "hex": data.hex()}
        self._file.write(to_json(line) + "\n")
        self._file.flush()

    def ended(self, connection: Connection, reason: str) -> None:
        """Do nothing: the file holds what was said."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass
class OpenDesk:
    """Lets everybody in, and acknowledges everything."""

    told: Listener
    connections: set[Connection] = field(default_factory=set)

    def opened(self, connection: Connection) -> bool:
        """Let it in."""
        if len(self.connections) >= _MAX_CONNECTIONS:
            return False
        self.connections.add(connection)
        return True

    def ended(self, connection: Connection, reason: str) -> None:
        """Forget it."""
        self.connections.discard(connection)
        self.told.ended(connection, reason)

    def came(self, connection: Connection, data: bytes) -> None:
        """Tell what the terminal says."""
        self.told.say(connection, "terminal", data)

    def went(self, connection: Connection, data: bytes) -> None:
        """Tell what it is answered."""
        self.told.say(connection, "platform", data)

    def take(self, connection: Connection, event: Event) -> None:
        """Answer as a platform that accepts everything."""
        session = connection.session
        match event:
            case Registration(message):
                answers = session.registered(message, _CODE)
            case Authentication(message):
                answers = session.authenticated(message, WALL.now_us() / MICROSECONDS, accepted=True)
            case Received(message):
                answers = session.stored(message)
            case Reported():
                answers = session.stored(event)
            case _:
                return
        for answer in answers:
            connection.apply(answer)


def listen(host: str, port: int, model_name: str, *, as_json: bool) -> int:
    """Print what terminals say until interrupted."""
    asyncio.run(_serve(host, port, Shown(models.model(model_name), as_json=as_json)))
    return 0


def record(host: str, port: int, path: Path) -> int:
    """Write what terminals say to a file until interrupted."""
    recorded = Recorded(path)
    try:
        asyncio.run(_serve(host, port, recorded))
    finally:
        recorded.close()
    return 0


async def _serve(host: str, port: int, told: Listener) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    desk = OpenDesk(told)
    async with listening(desk, host, port, Policy(lenient=True)) as bound:
        print(
            f"kerbsafe: terminals are answered on {host}:{bound}; what they report is acknowledged and comes "
            "into no database. Ctrl-C ends it",
            file=sys.stderr,
            flush=True,
        )
        while not stopping.is_set():
            for connection in list(desk.connections):
                connection.tick()
            await rest(stopping, _TICK_S)


def _now() -> str:
    return rfc3339(to_datetime(WALL.now_us()))

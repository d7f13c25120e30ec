"""Which telephone is the terminal of which truck, as the registry says it now."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog

from fleet import db
from fleet.clock import WALL
from fleet.stopping import rest
from fleet.units import to_datetime
from fleet.wire.jt808 import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fleet.wire.jt808.models import Model

QUERIES = db.Queries(Path(__file__).with_name("terminals.sql"))
#: How soon a change of the registry is seen.
EVERY_S = 10.0
#: A registry that could not be read for so long is told of.
STALE_S = 60.0
_ANSWER_S = 10.0
_CODE_DIGITS = 16
_MODELS = frozenset(models.names())
_log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that the registry knows."""

    #: Without leading zeros, as frames are compared.
    phone: str
    vehicle: str
    company: str
    model: Model


def authentication_code(secret: bytes, phone: str) -> str:
    """Return the code that a terminal gets at its registration and shows at each connection.

    It is made of the telephone with our secret, so that nothing has to be stored, a restart forgets nobody,
    and the code of one terminal is worth nothing under another telephone.
    """
    return hmac.new(secret, f"jt808 {phone}".encode(), hashlib.sha256).hexdigest()[:_CODE_DIGITS]


class Terminals:
    """The terminals of the registry, read again every few seconds.

    A database that is away changes nothing for those that are known: they go on reporting.
    """

    def __init__(self) -> None:
        self._known: Mapping[str, Terminal] = {}
        self._of_vehicle: Mapping[tuple[str, str], Sequence[Terminal]] = {}
        #: Called after each reading.
        self.changed: Callable[[], None] = lambda: None
        #: When they were read last, on the loop's clock; None: not yet.
        self.read_s: float | None = None

    def find(self, phone: str) -> Terminal | None:
        """Return the terminal of a telephone, None if no device has that number as its login."""
        return self._known.get(phone)

    def of(self, company: str, vehicle: str) -> Sequence[Terminal]:
        """Return the terminals of a vehicle; none: its unit speaks MQTT, or it is not of that company."""
        return self._of_vehicle.get((company, vehicle), ())

    def __len__(self) -> int:
        return len(self._known)

    async def read(self, connection: asyncpg.Connection) -> None:
        """Read all of them."""
        now = to_datetime(WALL.now_us())
        rows = await connection.fetch(QUERIES["terminals"], now, timeout=_ANSWER_S)
        self._known = _by_phone(rows)
        of_vehicle: dict[tuple[str, str], list[Terminal]] = {}
        for one in self._known.values():
            of_vehicle.setdefault((one.company, one.vehicle), []).append(one)
        self._of_vehicle = of_vehicle
        self.read_s = asyncio.get_running_loop().time()
        self.changed()

    async def follow(self, dsn: str, stopping: asyncio.Event) -> None:
        """Read them again and again, over a new connection where the old one failed."""
        connection: asyncpg.Connection | None = None
        try:
            while not stopping.is_set():
                try:
                    connection = connection or await db.connect(dsn, application="gateway")
                    await self.read(connection)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, db.DatabaseError) as error:
                    _log.warning("registry not read", reason=db.said(error))
                    await _close(connection)
                    connection = None
                await rest(stopping, EVERY_S)
        finally:
            await _close(connection)

    def stale_s(self) -> float | None:
        """Return for how long they were not read, None if never."""
        return None if self.read_s is None else asyncio.get_running_loop().time() - self.read_s


async def _close(connection: asyncpg.Connection | None) -> None:
    if connection is not None and not connection.is_closed():
        connection.terminate()


def _by_phone(rows: Iterable[asyncpg.Record]) -> Mapping[str, Terminal]:
    """Return terminals by telephone; two logins that are one number but for leading zeros are nobody's."""
    found = [
        Terminal(row["login"].lstrip("0"), row["vehicle"], row["company"], model_of(row["model"]))
        for row in rows
    ]
    often = Counter(one.phone for one in found)
    for phone in (phone for phone, count in often.items() if count > 1):
        _log.error("two devices have one telephone; neither is let in", phone=phone)
    return {one.phone: one for one in found if one.phone and often[one.phone] == 1}


def model_of(name: str) -> Model:
    """Return the tables of a device's model; those of the standard that most follow where there are none."""
    return models.model(name if name in _MODELS else models.DEFAULT)

"""Where the vehicles are: the newest stored fix of each, read only while somebody looks.

The hot path is not asked for anything. Once a second, however many browsers look, one query probes the key of
`fix` for the newest row of each vehicle, some microseconds each, and only if a batch was committed since.
Vehicles that were silent for a while are looked for further back every half minute.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from console.frames import Positions, encode
from console.queries import QUERIES
from fleet.binary_copy import POSTGRES_EPOCH_US
from fleet.clock import WALL
from fleet.columns import UNKNOWN
from fleet.units import MICROSECONDS, to_datetime, to_us
from fleet.wire.reasons import OLDEST_DAYS

if TYPE_CHECKING:
    import asyncpg
    from numpy.typing import NDArray

    from console.installation_clock import InstallationClock

#: Without a fix for this long a vehicle is silent: grey on the map, for not heard is not safe.
SILENT_US = 120 * MICROSECONDS
#: A fix further ahead of our clock than this is not where the vehicle is now.
AHEAD_US = 60 * MICROSECONDS
_RECENT_US = 600 * MICROSECONDS
#: Vehicles that were silent for longer are not on the map.
_KEPT_US = OLDEST_DAYS * 86_400 * MICROSECONDS
_EVERY_S = 1.0
_SILENT_EVERY_S = 30.0
_NOT_WATCHED_EVERY_S = 5.0
_NEVER_US = 0

_ROW = np.dtype(
    [
        ("vehicle_id", ">i4"),
        ("time", ">i8"),
        ("lat_udeg", ">i4"),
        ("lon_udeg", ">i4"),
        ("speed_dkmh", ">i2"),
        ("course_deg", ">i2"),
    ]
)
_TABLE = np.dtype(
    [
        ("vehicle_id", "i4"),
        ("time_us", "i8"),
        ("lat_udeg", "i4"),
        ("lon_udeg", "i4"),
        ("speed_dkmh", "i2"),
        ("course_deg", "i2"),
        ("not_watched", "?"),
        # Number of the round in which the row changed last.
        ("round", "i8"),
    ]
)


class Registered(NamedTuple):
    """A vehicle as it is in force."""

    vehicle_id: int
    code: str
    plate: str
    company: str
    company_name: str
    kind: str
    limit_kmh: int | None


class LivePositions:
    """The newest position of every vehicle, in a table sorted by vehicle id."""

    def __init__(self, pool: asyncpg.Pool, clock: InstallationClock) -> None:
        self._pool = pool
        self.clock = clock
        self._lock = asyncio.Lock()
        self._table = np.zeros(0, _TABLE)
        self._place: dict[int, int] = {}
        self._due_s = self._silent_due_s = self._not_watched_due_s = 0.0
        self._batch_id: int | None = None
        self._read_s: float | None = None
        self._heard_us: int | None = None
        self._frames: dict[int, tuple[int, bytes]] = {}
        #: Grows with each round that changed a position; and with each change of the registry.
        self.round = 0
        self.revision = 0
        #: By code.
        self.vehicles: dict[str, Registered] = {}
        #: How long the last round's queries took.
        self.seconds = 0.0
        #: Of vehicles of which something was rejected lately, why.
        self._rejected: dict[int, str] = {}

    async def refresh(self) -> None:
        """Read what is new, unless that was done within the second. Callers at one time share one reading."""
        async with self._lock:
            started_s = time.monotonic()
            if started_s < self._due_s:
                return
            async with self._pool.acquire() as connection:
                await self._look(connection, started_s)
            # Only now: what could not be read is not known, and nobody is given the round before instead.
            self._due_s = started_s + _EVERY_S * 0.9
            self._read_s = started_s
            self.seconds = time.monotonic() - started_s

    @property
    def age_s(self) -> float | None:
        """How long ago the positions were read; None: not yet."""
        return None if self._read_s is None else time.monotonic() - self._read_s

    @property
    def unheard_s(self) -> float | None:
        """How long ago ingest has committed anything; None: never, or a sandbox, where it may stand still."""
        if self._heard_us is None or self.clock.clock.sandbox:
            return None
        return max(WALL.now_us() - self._heard_us, 0) / MICROSECONDS

    async def _look(self, connection: asyncpg.Connection, now_s: float) -> None:
        revision, batch_id, heard_at = await connection.fetchrow(QUERIES["look"])
        self._heard_us = None if heard_at is None else to_us(heard_at)
        if revision != self.revision:
            await self._read_vehicles(connection, revision)
        if now_s >= self._not_watched_due_s:
            self._not_watched_due_s = now_s + _NOT_WATCHED_EVERY_S
            await self._mark_not_watched(connection)
        now_us = self.clock.now_us()
        silent = self._table["time_us"] < now_us - _RECENT_US
        if now_s >= self._silent_due_s:
            self._silent_due_s = now_s + _SILENT_EVERY_S
            await self._read(connection, self._table["vehicle_id"][silent], now_us, _KEPT_US)
        if batch_id != self._batch_id:
            # Read before the positions: a batch that is committed meanwhile is looked at in the next round.
            self._batch_id = batch_id
            await self._read(connection, self._table["vehicle_id"], now_us, _RECENT_US)
        # Last: nobody is told of a round, and so thought to know it, before all of it is there.
        self.round += 1

    async def _read_vehicles(self, connection: asyncpg.Connection, revision: int) -> None:
        rows = await connection.fetch(QUERIES["vehicles_now"], to_datetime(self.clock.now_us()))
        # In Python's order of text, which the pages of a list compare by; the database's may be another.
        in_order = sorted(rows, key=lambda row: row["code"])
        self.vehicles = {row["code"]: Registered(*row.values()) for row in in_order}
        ids = np.sort(np.array([row["vehicle_id"] for row in rows], np.int32))
        table = np.zeros(len(ids), _TABLE)
        table["vehicle_id"] = ids
        table["time_us"] = _NEVER_US
        _, old, new = np.intersect1d(self._table["vehicle_id"], ids, assume_unique=True, return_indices=True)
        table[new] = self._table[old]
        self._table = table
        self._place = {vehicle_id: place for place, vehicle_id in enumerate(ids.tolist())}
        self.revision = revision
        self._batch_id = None
        self._silent_due_s = 0.0

    async def _mark_not_watched(self, connection: asyncpg.Connection) -> None:
        since = to_datetime(max(self.clock.now_us() - SILENT_US, 0))
        rejected = await connection.fetch(QUERIES["rejected_lately"], since)
        self._rejected = {row["vehicle_id"]: row["reason"] for row in rejected}
        rows = await connection.fetch(QUERIES["not_watched"])
        marked = np.isin(self._table["vehicle_id"], [row["vehicle_id"] for row in rows])
        changed = marked != self._table["not_watched"]
        self._table["not_watched"] = marked
        self._table["round"][changed] = self.round + 1

    async def _read(
        self, connection: asyncpg.Connection, vehicle_id: NDArray[np.int32], now_us: int, back_us: int
    ) -> None:
        if not len(vehicle_id):
            return
        packed = await connection.fetchval(
            QUERIES["newest_positions"],
            vehicle_id.tolist(),
            to_datetime(max(now_us - back_us, 0)),
            to_datetime(now_us + AHEAD_US),
        )
        self._take(np.frombuffer(packed or b"", _ROW))

    def _take(self, rows: NDArray[np.void]) -> None:
        """Put newer positions into the table."""
        place = np.searchsorted(self._table["vehicle_id"], rows["vehicle_id"])
        time_us = rows["time"].astype(np.int64) + POSTGRES_EPOCH_US
        newer = time_us > self._table["time_us"][place]
        place, rows = place[newer], rows[newer]
        self._table["time_us"][place] = time_us[newer]
        for name in ("lat_udeg", "lon_udeg", "speed_dkmh", "course_deg"):
            self._table[name][place] = rows[name]
        self._table["round"][place] = self.round + 1

    def frame_since(self, since: int) -> bytes:
        """Return the frame of what changed after round `since`; 0: of all that were ever heard of."""
        kept = self._frames.get(since)
        if kept is not None and kept[0] == self.round:
            return kept[1]
        table = self._table
        told = (table["round"] > since) & (table["round"] <= self.round)
        changed = table[told & (table["time_us"] != _NEVER_US)]
        positions = Positions(*(changed[name] for name in Positions._fields))
        clock = self.clock.clock
        frame = encode(positions, self.clock.now_us(), clock.rate)
        self._frames = {of: made for of, made in self._frames.items() if made[0] == self.round}
        self._frames[since] = (self.round, frame)
        return frame

    def state_of(self, vehicle: Registered, now_us: int) -> str:
        """Return how far a vehicle is watched, as the API calls it."""
        row = self._table[self._place[vehicle.vehicle_id]]
        if self.rejected_of(vehicle, now_us) is not None:
            return "rejected"
        if row["time_us"] == _NEVER_US:
            return "never_heard"
        if row["not_watched"]:
            return "not_watched"
        return "silent" if row["time_us"] < now_us - SILENT_US else "watched"

    def rejected_of(self, vehicle: Registered, now_us: int) -> str | None:
        """Return why nothing that a vehicle sends is taken; None if something is, or it is not heard."""
        is_taken = self._table[self._place[vehicle.vehicle_id]]["time_us"] >= now_us - SILENT_US
        return None if is_taken else self._rejected.get(vehicle.vehicle_id)

    def position_of(self, vehicle: Registered) -> dict[str, Any] | None:
        """Return where a vehicle was last seen, as the API gives it."""
        row = self._table[self._place[vehicle.vehicle_id]]
        if row["time_us"] == _NEVER_US:
            return None
        speed, course = int(row["speed_dkmh"]), int(row["course_deg"])
        return {
            "time": to_datetime(int(row["time_us"])),
            "lat": int(row["lat_udeg"]) / 1e6,
            "lon": int(row["lon_udeg"]) / 1e6,
            "speed_kmh": None if speed == UNKNOWN else speed / 10,
            "course_deg": None if course == UNKNOWN else course,
        }

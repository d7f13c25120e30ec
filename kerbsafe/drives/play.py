"""Playing recorded drives over MQTT: who may send, what time it is, and the publishing itself."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet import db, trackfile
from fleet.clock import WALL, Clock
from fleet.entities import Company, Vehicle
from fleet.environment import read_settings
from fleet.installation import make_days_ahead, read_clock, set_clock
from fleet.kinds import VehicleKind
from fleet.language import Words, language
from fleet.migrate import require_schema
from fleet.registry import load_directory, register
from fleet.setting_values import parse_broker
from fleet.trackfile.drives import NOTHING_SAID
from fleet.units import MICROSECONDS, to_datetime, to_us
from fleet.wire.reasons import Reason
from kerbsafe.drives import playing, terminals, track_options
from kerbsafe.drives.playing import PlayError
from simulators import publish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import asyncpg

    from fleet.setting_values import BrokerAddress
    from fleet.settings import Settings
    from fleet.trackfile import Options, Recording, Track
    from kerbsafe.drives.playing import Played
    from simulators.terminals.terminal import Terminal

#: Between setting the clock of a sandbox and the first message, so that every process has read it.
LEAD_S = 1.0
#: Unknown vehicles that an error names.
NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be played, and how."""

    files: Sequence[Path]
    #: URL; None: KERBSAFE_BROKER.
    broker: str | None = None
    #: Host and port of a gateway; None: over MQTT.
    gateway: tuple[str, int] | None = None
    company: str = "play"
    #: None: the file's name.
    vehicle: str | None = None
    speedup: float = 1.0
    max_gap_s: float = 60.0
    #: None: now.
    start: datetime | None = None
    as_history: bool = False
    limit_kmh: int | None = None
    options: Options = NOTHING_SAID

    @property
    def moves_the_clock(self) -> bool:
        """Live judgement of this play needs a clock of its own."""
        return not self.as_history and (self.speedup != 1 or self.start is not None)


async def play(request: Request) -> dict[str, Any]:
    """Publish the drives; return a summary of what was sent and how its times were moved."""
    if request.gateway is not None and request.moves_the_clock:
        raise PlayError(_GATEWAY_CLOCK)
    settings = read_settings()
    try:
        address = settings.broker if request.broker is None else parse_broker(request.broker)
    except ValueError as error:
        raise PlayError(_BROKER.fill(error=error)) from error
    files = [trackfile.read(path, request.options) for path in request.files]
    track_options.say(file.account for file in files)
    async with _store(settings, request) as stage:
        start_us = _start_us(request, files, stage.clock.now_us())
        played = _schedule(request, files, start_us)
        await stage.register(played, request.limit_kmh)
        clock = await stage.set_clock(start_us, request)
        progress = publish.Progress()
        watching = asyncio.create_task(_watch(progress, len(played.messages)))
        try:
            if request.gateway is None:
                broker = _broker(address, settings)
                await publish.publish([played.messages], broker, clock=clock, progress=progress)
            else:
                played = await _as_terminals(request, files, stage, request.gateway, progress)
        finally:
            watching.cancel()
            await stage.end_play()
    return {
        "files": len(files),
        "vehicles": len(played.senders),
        "messages": progress.published,
        "first_at": to_datetime(played.messages[0].at_us).isoformat(),
        "last_at": to_datetime(played.messages[-1].at_us).isoformat(),
        "speedup": request.speedup,
        "shift_s": played.shift_s,
        "gaps_shortened_s": round(played.gaps_shortened_s, 3),
        "read": [file.account.as_json() for file in files if file.account.is_remarkable],
    }


def _broker(address: BrokerAddress, settings: Settings) -> publish.Broker:
    login = None
    if address.user is not None:
        login = (address.user, (settings.broker_password() or b"").decode())
    return publish.Broker(
        address.host,
        address.port,
        tls=ssl.create_default_context() if address.tls else None,
        connection_per_truck=login is None,
        shared_login=login,
        client_prefix="kerbsafe-play-",
    )


async def _as_terminals(
    request: Request,
    files: Sequence[Track | Recording],
    stage: _Stage,
    gateway: tuple[str, int],
    progress: publish.Progress,
) -> Played:
    """Play to a gateway: the first fix falls on when all terminals are let in, by the wall's clock."""
    senders = [vehicle for _, vehicle in _schedule(request, files, 0).senders]

    def schedule() -> tuple[Played, Clock]:
        start_us = _start_us(request, files, WALL.now_us())
        clock = Clock(WALL.now_us(), start_us, request.speedup, sandbox=True) if request.as_history else WALL
        return _schedule(request, files, start_us), clock

    return await terminals.play(gateway, await stage.terminals(senders), schedule, progress)


def _start_us(request: Request, files: Sequence[Track | Recording], now_us: int) -> int:
    """Return when the first fix falls: as asked, or in a moment; back-fill ends now."""
    if request.start is not None:
        return to_us(request.start)
    if request.as_history:
        return now_us - _schedule(request, files, 0).messages[-1].at_us
    return now_us + round(LEAD_S * MICROSECONDS * request.speedup)


def _schedule(request: Request, files: Sequence[Track | Recording], start_us: int) -> Played:
    return playing.schedule(
        files,
        start_us=start_us,
        company=request.company,
        vehicle=request.vehicle,
        max_gap_s=request.max_gap_s,
        as_history=request.as_history,
    )


class _Stage:
    """What a play needs of the database: who may send, and what time it is."""

    def __init__(self, connection: asyncpg.Connection | None, clock: Clock) -> None:
        self._connection = connection
        self.clock = clock
        self._moved = False

    async def register(self, played: Played, limit_kmh: int | None) -> None:
        """Register the senders in a sandbox; elsewhere they must be known, or all would be rejected."""
        if self._connection is None:
            return
        if self.clock.sandbox:
            for company in dict.fromkeys(company for company, _ in played.senders):
                vehicles = [
                    Vehicle(code=code, company=company, kind=VehicleKind.MIXER, limit_kmh=limit_kmh)
                    for of, code in played.senders
                    if of == company
                ]
                await register(self._connection, Company(code=company), vehicles)
            return
        directory = await load_directory(self._connection, self.clock.now_us())
        unknown = [
            code for company, code in played.senders if isinstance(directory.find(company, code), Reason)
        ]
        if unknown:
            named = ", ".join(unknown[:NAMED]) + (" …" if len(unknown) > NAMED else "")
            raise PlayError(_NOT_REGISTERED.fill(named=named))

    async def terminals(self, vehicles: Sequence[str]) -> Mapping[str, Terminal]:
        """Return the terminal of each vehicle, as the registry has it."""
        if self._connection is None:
            raise PlayError(_GATEWAY_DATABASE)
        return await terminals.of(self._connection, vehicles, sandbox=self.clock.sandbox)

    async def set_clock(self, start_us: int, request: Request) -> Clock:
        """Return the clock to play by; a sandbox's is set so that `start_us` comes in a moment."""
        begins_us = WALL.now_us() + round(LEAD_S * MICROSECONDS)
        played = Clock(begins_us, start_us, request.speedup, sandbox=True)
        if not request.moves_the_clock:
            return played if request.as_history else self.clock
        if self._connection is None or not self.clock.sandbox:
            raise PlayError(_NO_SANDBOX)
        await make_days_ahead(self._connection, start_us)
        await set_clock(self._connection, played)
        self._moved = True
        return played

    async def end_play(self) -> None:
        """Let a clock that was sped up go on at the pace of the wall."""
        if self._moved and self._connection is not None:
            clock = await read_clock(self._connection)
            await set_clock(self._connection, clock.anchored(clock.now_us(), 1.0))


@asynccontextmanager
async def _store(settings: Settings, request: Request) -> AsyncIterator[_Stage]:
    """Connect to the database; without one, drives can still be played at their own pace."""
    try:
        connection = await db.connect(settings.dsn, application="play")
    except db.DatabaseError as error:
        if request.moves_the_clock:
            raise
        wanted = language(os.environ)
        print(f"kerbsafe: {_NO_DATABASE.fill(error=error).to(wanted)}", file=sys.stderr)
        yield _Stage(None, WALL)
        return
    try:
        await require_schema(connection)
        yield _Stage(connection, await read_clock(connection))
    finally:
        await connection.close(timeout=5)


async def _watch(progress: Any, total: int) -> None:
    """Show how far the play is, where a person can see it."""
    while sys.stderr.isatty():
        print(f"\rpublished {progress.published:,} of {total:,}", end="", file=sys.stderr, flush=True)
        await asyncio.sleep(0.5)


_GATEWAY_CLOCK = Words(
    "--speedup and --start change what time it is, but a gateway goes by the wall's: leave them out with "
    "--jt808, or give --as-history",
    "--speedup 与 --start 会改变时钟，而网关只按真实时间：使用 --jt808 时请勿指定，或加上 --as-history",
)
_GATEWAY_DATABASE = Words(
    "--jt808 needs the database, where the terminals' telephone numbers are: set KERBSAFE_DSN",
    "--jt808 需要数据库（终端手机号登记在其中）：请设置 KERBSAFE_DSN",
)
_BROKER = Words("--broker must be {error}", "--broker 应为 {error}")
_NOT_REGISTERED = Words(
    "not registered: {named}; register them with `kerbsafe registry import`, or play in a sandbox "
    "(`kerbsafe migrate --sandbox`)",
    "未登记：{named}；请先用 `kerbsafe registry import` 登记，或在沙箱中回放（`kerbsafe migrate --sandbox`）",
)
_NO_SANDBOX = Words(
    "--speedup and --start change what time it is, which only a sandbox allows: set KERBSAFE_DSN to one made "
    "with `kerbsafe migrate --sandbox`, or play with --as-history",
    "--speedup 与 --start 会改变时钟，只有沙箱允许：请将 KERBSAFE_DSN 设为"
    "用 `kerbsafe migrate --sandbox` 建立的库，或用 --as-history 回放",
)
_NO_DATABASE = Words(
    "playing without a database, so nothing is registered ({error})",
    "没有数据库也回放，不登记车辆（{error}）",
)

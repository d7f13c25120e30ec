"""The bench of the whole way: thousands of terminals through gateway, broker and ingest to the database."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from fleet import open_files
from fleet.clock import WALL
from fleet.entities import Company, Vehicle
from fleet.errors import KerbsafeError
from fleet.installation import make_days_ahead
from fleet.kinds import VehicleKind
from fleet.migrate import migrate
from fleet.registry import QUERIES as REGISTRY
from fleet.registry import register
from kerbsafe import parts
from kerbsafe.bench import QUERIES, stage
from kerbsafe.bench.probes import Probes, rss_mib
from kerbsafe.bench.reporting import Reports
from simulators.terminals.terminal import State, Terminal, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPANY, _MODEL = "bench", "su"
#: Of a process besides its terminals.
_OTHER_FILES = 200
CONNECTING_AT_ONCE = 100
_COME_IN_S, _FINISH_S = 300.0, 300.0
#: A second of traffic goes out in so many parts: terminals do not report all at once.
_PARTS_OF_A_SECOND = 20
_KIB_PER_MIB = 1024
_FLAG = b"\x7e"


class TerminalsError(KerbsafeError):
    """So many terminals cannot be had here, or they are not served."""


class _Run(NamedTuple):
    took_s: float
    sent: int
    stored: int
    cpu_s: float
    kib_per_terminal: float


def measure(*, terminals: int, seconds: int) -> dict[str, Any]:
    """Return the figures of the whole way."""
    _have_files(terminals + _OTHER_FILES)
    with stage.stage() as city_stage:
        phones = [f"139{number:08d}" for number in range(terminals)]
        asyncio.run(_found(city_stage, phones))
        secret = city_stage.folder / "secret"
        secret.write_text(secrets.token_hex(32), "ascii")
        port = parts.free_port()
        settings = city_stage.settings | {
            "KERBSAFE_GATEWAY_SECRET_FILE": str(secret),
            "KERBSAFE_GATEWAY_PORT": str(port),
        }
        log = city_stage.folder / "gateway.log"
        with (
            city_stage.process("ingest"),
            parts.kerbsafe_process("gateway", settings=settings, log_path=log) as gateway,
        ):
            run = asyncio.run(_run(city_stage, phones, port, Probes(gateway.port), seconds))
    return {
        "terminals": terminals,
        "gateway_frames_per_s": round(run.sent / run.took_s),
        "cpu_us_per_frame": round(run.cpu_s / run.sent * 1e6, 1),
        "rss_kib_per_terminal": round(run.kib_per_terminal, 1),
        "lost": run.sent - run.stored,
    }


def _have_files(wanted: int) -> None:
    had = open_files.raise_limit(wanted)
    if had < wanted:
        raise TerminalsError(
            f"{wanted} files must be open at once, but the system allows this process {had}: raise the hard "
            f"limit (`ulimit -Hn {wanted}` as root, or LimitNOFILE), or give fewer --terminals"
        )


async def _found(city_stage: stage.Stage, phones: Sequence[str]) -> None:
    """Make the schema, and a truck with a terminal for each number."""
    codes = [f"t{number:05d}" for number in range(len(phones))]
    async with city_stage.connect() as connection:
        await migrate(connection)
        await make_days_ahead(connection, WALL.now_us())
        trucks = [Vehicle(code=code, company=_COMPANY, kind=VehicleKind.MIXER) for code in codes]
        await register(connection, Company(code=_COMPANY), trucks)
        await connection.execute(REGISTRY["put_devices"], phones, codes, [_MODEL] * len(codes))
        await connection.execute(QUERIES["vacuum"])


async def _run(
    city_stage: stage.Stage, phones: Sequence[str], port: int, probes: Probes, seconds: int
) -> _Run:
    before = await asyncio.to_thread(probes.read)
    crowd = [_Line(phone) for phone in phones]
    await _come_in(crowd, port)
    begun = await asyncio.to_thread(probes.read)
    began_s = time.monotonic()
    await _drive(crowd, Reports(phones), seconds)
    sent = len(crowd) * seconds
    await _finish(crowd, sent)
    took_s = time.monotonic() - began_s
    ended = await asyncio.to_thread(probes.read)
    stored = await _stored(city_stage, sent)
    for line in crowd:
        line.close()
    return _Run(
        took_s=took_s,
        sent=sent,
        stored=stored,
        cpu_s=ended["process_cpu_seconds_total"] - begun["process_cpu_seconds_total"],
        kib_per_terminal=(rss_mib(ended) - rss_mib(before)) * _KIB_PER_MIB / len(crowd),
    )


class _Line(asyncio.Protocol):
    """A terminal that comes in by the rules, and then only sends what was built and counts the answers."""

    def __init__(self, phone: str) -> None:
        self.terminal = Terminal(phone, timing=replace(Timing(), first_wait_s=_COME_IN_S))
        self.came_in = asyncio.get_running_loop().create_future()
        self.answers = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self.terminal.connected(0.0))

    def data_received(self, data: bytes) -> None:
        if self.came_in.done():
            self.answers += data.count(_FLAG)
            return
        self.send(self.terminal.receive(data, 0.0))
        if self.terminal.state is State.OPEN:
            self.came_in.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.came_in.done():
            self.came_in.set_exception(TerminalsError(f"a terminal is not let in: {self.terminal.refusal}"))

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def _come_in(crowd: Sequence[_Line], port: int) -> None:
    at_once = asyncio.Semaphore(CONNECTING_AT_ONCE)
    loop = asyncio.get_running_loop()

    async def one(line: _Line) -> None:
        async with at_once:
            await loop.create_connection(lambda: line, "127.0.0.1", port)
            await line.came_in

    async with asyncio.timeout(_COME_IN_S), asyncio.TaskGroup() as group:
        for line in crowd:
            group.create_task(one(line))


async def _drive(crowd: Sequence[_Line], reports: Reports, seconds: int) -> None:
    """Have each terminal report once a second, spread over the second."""
    loop = asyncio.get_running_loop()
    began_s, first_s = loop.time(), int(time.time())
    part = -(-len(crowd) // _PARTS_OF_A_SECOND)
    for second in range(seconds):
        frames = reports.frames(first_s + second, second, second)
        for number in range(_PARTS_OF_A_SECOND):
            due_s = began_s + second + number / _PARTS_OF_A_SECOND
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            here = slice(number * part, (number + 1) * part)
            for line, frame in zip(crowd[here], frames[here], strict=True):
                line.send(frame)


async def _finish(crowd: Sequence[_Line], sent: int) -> None:
    """Wait until the gateway has acknowledged everything."""
    try:
        async with asyncio.timeout(_FINISH_S):
            while sum(line.answers for line in crowd) < 2 * sent:  # noqa: ASYNC110 - a frame has two flags
                await asyncio.sleep(0.05)
    except TimeoutError:
        answered = sum(line.answers for line in crowd) // 2
        raise TerminalsError(f"{sent - answered} of {sent} reports were not acknowledged") from None


async def _stored(city_stage: stage.Stage, sent: int) -> int:
    """Return how many reports are in the database, once no more come."""
    async with city_stage.connect() as connection:
        found, before = 0, -1
        while found < sent and found != before:
            before = found
            await asyncio.sleep(2.0)
            found = await connection.fetchval(QUERIES["fixes"])
        return found

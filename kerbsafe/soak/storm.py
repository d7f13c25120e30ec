"""A storm from its first fix to the verdict."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from alerts import worker
from fleet.environment import read_settings
from fleet.units import MICROSECONDS
from kerbsafe.doctor import Level, diagnose
from kerbsafe.soak import QUERIES, course, verdict
from kerbsafe.soak.city import PERMITTED, city
from kerbsafe.soak.devices import Fleet
from kerbsafe.soak.faults import FAULTS, UntoldError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from kerbsafe.soak.city import City
    from kerbsafe.soak.course import Course
    from kerbsafe.soak.verdict import Verdict

#: Making a course takes so long for each of its fixes, and then a moment.
MAKING_S, LEAD_S = 50e-6, 3.0
LINES = 8
#: The last part of the course passes without faults, so that a storm ends.
CALM_S = 4.0
#: After the last fix, what was sent must be stored within this.
ARRIVAL_S = 120.0
TELL_S = 5.0
LOOK_S = 0.5
#: Where something was lost and told, nothing more is expected once nothing has come for so long.
QUIET_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How long, how large, and which storm."""

    seconds: float
    seed: int = 1
    trucks: int = 400
    uploading: int = 40
    #: Mean time between the ends and beginnings of faults.
    pause_s: float = 5.0
    #: Names of `FAULTS`; all of them strike, and before one strikes again.
    faults: Sequence[str] = tuple(FAULTS)
    #: Of Mosquitto; deploy/ has 30 s, for which devices would have to repeat more than a storm has time for.
    autosave_s: int = 1


@dataclass(slots=True)
class Report:
    """What was done, and what came of it."""

    request: Request
    struck: Counter[str] = field(default_factory=Counter)
    #: Faults that could not strike, and why.
    skipped: dict[str, str] = field(default_factory=dict)
    #: Faults that the doctor named while they lasted, how often; what it said of those that it did not name.
    named: Counter[str] = field(default_factory=Counter)
    unnamed: dict[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None
    repeated: int = 0
    restarts: dict[str, int] = field(default_factory=dict)
    took_s: float = 0.0
    #: What kept the storm from its end.
    stuck: str = ""

    @property
    def is_well(self) -> bool:
        """Nothing is missing unsaid, double or judged otherwise, and the doctor named each fault."""
        return not (self.stuck or self.unnamed) and self.verdict is not None and not self.verdict.faults


class StuckError(RuntimeError):
    """The city did not come to rest after the storm."""


async def weather(
    request: Request,
    say: Callable[[str], None],
    *,
    inspect: Callable[[City, Course], Awaitable[None]] | None = None,
    logs: Path | None = None,
) -> Report:
    """Let a storm pass over a city of its own; `inspect` may look at it after the verdict."""
    report, began_s = Report(request), time.monotonic()
    codes = course.codes(request.trucks, request.uploading)
    say("starting TimescaleDB, Mosquitto, ingest and worker")
    async with city(codes, autosave_s=request.autosave_s, log_folder=logs) as there:
        making_s = MAKING_S * request.trucks * request.seconds + LEAD_S
        start_us = math.ceil(time.time() + making_s) * MICROSECONDS
        driven = await asyncio.to_thread(
            course.make,
            trucks=request.trucks,
            uploading=request.uploading,
            rounds=max(1, round(request.seconds)),
            start_us=start_us,
            seed=request.seed,
            permitted=PERMITTED,
        )
        await there.move(driven.moving, course.NEW_COMPANY, driven.moves_us)
        say(f"{len(driven.fixes):,} fixes of {len(codes)} trucks in {len(driven.sendings):,} messages")
        try:
            await _storm(there, driven, request, report, say)
            report.verdict = await _verdict(there, driven, say)
        except (StuckError, UntoldError) as stuck:
            report.stuck = str(stuck)
        if inspect is not None:
            await inspect(there, driven)
        report.restarts = {"ingest": there.ingest.starts - 1, "worker": there.worker.starts - 1}
    report.took_s = round(time.monotonic() - began_s, 1)
    return report


async def _storm(
    there: City, driven: Course, request: Request, report: Report, say: Callable[[str], None]
) -> None:
    """Drive, and strike; return when all that was sent is stored."""
    fleet = Fleet(there.air.port, driven.sendings, LINES)
    begin_s = driven.sendings[0].at_us / MICROSECONDS
    until_s = begin_s + request.seconds
    async with there.supervised():
        sending = asyncio.create_task(fleet.run())
        telling = asyncio.create_task(_tell(there, driven, report, say))
        try:
            await asyncio.sleep(max(0.0, begin_s - time.time()))
            await _strike(there, request, report, until_s - CALM_S)
            await _until(sending, there, driven, max(until_s, time.time()) + ARRIVAL_S)
        finally:
            telling.cancel()
            sending.cancel()
            await asyncio.gather(sending, telling, return_exceptions=True)
        report.repeated = fleet.repeated


async def _strike(there: City, request: Request, report: Report, until_s: float) -> None:
    """Let faults strike, each kind once before any strikes again, until it is time for calm."""
    rng = random.Random(request.seed)  # noqa: S311 - a storm that can be had again
    report.skipped = {name: why for name in request.faults if (why := FAULTS[name].why_not(there))}
    able = [name for name in request.faults if name not in report.skipped]
    deck: list[str] = []
    while able:
        if not deck:
            deck = rng.sample(able, len(able))
        pause_s = min(rng.expovariate(1 / request.pause_s), 3 * request.pause_s)
        if time.time() + pause_s > until_s and len(report.struck) == len(able):
            return  # however short the storm: every kind has struck
        await asyncio.sleep(pause_s)
        name = deck.pop()
        await FAULTS[name].strike(there, rng, partial(_look, there, name, report))
        report.struck[name] += 1


async def _look(there: City, fault: str, report: Report) -> None:
    """Ask the doctor while a fault lasts whether it sees it."""
    if not (named := FAULTS[fault].named):
        return
    findings = (await diagnose(there.environment)).findings
    said = [f"{found.check}: {found.said}" for found in findings if found.level is not Level.OK]
    if any(re.search(named, one) for one in said):
        report.named[fault] += 1
    else:
        report.unnamed[fault] = "; ".join(said) or "all is well"


async def _until(sending: asyncio.Task[None], there: City, driven: Course, deadline_s: float) -> None:
    """Return when everything is acknowledged to the devices, and all its observations are stored."""
    stored, changed_s = 0, time.monotonic()
    while not sending.done() or stored < driven.observations:
        if sending.done() and time.monotonic() - changed_s > QUIET_S and await _something_was_lost(there):
            break
        if time.time() > deadline_s:
            raise StuckError(
                f"{ARRIVAL_S:.0f} s after the last fix {stored} of {driven.observations} were stored"
                + ("" if sending.done() else ", and devices had messages without acknowledgement")
            )
        await asyncio.sleep(LOOK_S)
        before, stored = stored, await _stored(there)
        if stored != before:
            changed_s = time.monotonic()
    await sending


async def _something_was_lost(there: City) -> bool:
    async with there.connect() as connection:
        return bool(await connection.fetch(QUERIES["gaps"]))


async def _stored(there: City) -> int:
    async with there.connect() as connection:
        return int(await connection.fetchval(QUERIES["observations"]))


async def _tell(there: City, driven: Course, report: Report, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(TELL_S)
        try:
            stored = f"{await _stored(there):,} of {driven.observations:,} observations stored"
        except Exception as error:  # noqa: BLE001 - the database is away: that is what a storm is
            stored = f"the database is away ({type(error).__name__})"
        say(f"{sum(report.struck.values())} faults, {stored}")


async def _verdict(there: City, driven: Course, say: Callable[[str], None]) -> Verdict:
    """Settle all that is stored, and compare."""
    say("the storm is over: settling, comparing")
    await asyncio.to_thread(there.worker.process.part.close)
    await worker.drain(read_settings({"KERBSAFE_DSN": there.dsn}))
    async with there.connect() as connection:
        return await verdict.judge(connection, driven)

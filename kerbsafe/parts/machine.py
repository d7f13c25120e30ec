"""A bare Debian 13 that systemd boots, beside the machine's own: a server before anything is installed.

`debootstrap` makes its files once; a machine is a copy of them in a container of `systemd-nspawn`, with
users, processes and a network of its own. It reaches nothing outside, so packages that are to be installed in
it are put into apt's cache beforehand: `apt-get install` finds them there.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.parts import rootfs
from kerbsafe.parts.part import (
    Part,
    PartFailedError,
    PartUnavailableError,
    Program,
    cache_dir,
    stopping,
    temporary_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What the Debian installer always puts on a disk, as far as it matters here.
_BASE = ("systemd-sysv", "dbus", "ca-certificates", "iproute2")
_DOWNLOAD = """
mount -t proc proc "$0/proc"
cp /etc/resolv.conf "$0/etc/resolv.conf"
chroot "$0" apt-get update
chroot "$0" apt-get install --yes --download-only "$@"
"""
_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
)
_BOOT_S = 120.0
#: With a database to shut down and a disk to remove.
_STOP_S = 300.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted machine."""

    #: Its root file system, as this machine sees it.
    root: Path
    _part: Part

    def run(self, script: str, timeout_s: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run lines of bash in it as root, as typed one after the other until one fails."""
        argv = (*self._enter(), "bash", "-euo", "pipefail", "-c", f"cd\n{script}")
        return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=timeout_s)

    def is_up(self) -> bool:
        """Tell whether systemd has started everything, well or not."""
        if not self._leader():
            return False
        said = self.run("systemctl is-system-running || true", timeout_s=30).stdout
        return said.strip() in {"running", "degraded"}

    def reboot(self) -> None:
        """Restart it and return when it is up again."""
        self.run("systemctl reboot")
        self._part.wait()  # nspawn leaves it to who keeps its unit to start it again
        self._part.start(_BOOT_S)

    def _enter(self) -> tuple[str, ...]:
        leader = ("--target", self._leader(), "--root", "--wd")
        namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid")
        return ("nsenter", *leader, *namespaces, "env", "--ignore-environment", *_ENVIRONMENT)

    def _leader(self) -> str:
        """Return the process that is number 1 in it, "" while there is none."""
        children = Path(f"/proc/{self._part.pid}/task/{self._part.pid}/children")
        return children.read_text("utf-8").partition(" ")[0] if children.exists() else ""


@contextmanager
def bare_machine(packages: Sequence[str]) -> Iterator[Machine]:
    """Boot a new Debian that could install `packages`, and take it away at the end.

    Raises
    ------
    PartUnavailableError
        With the reason, if it is not there and may not be made.
    """
    with (_prepared_folder() / "machine.lock").open("w") as lock:
        # One at a time: without systemd on this machine, two would share their control groups.
        fcntl.flock(lock, fcntl.LOCK_EX)
        image = _find_image(packages)
        home = temporary_folder("machine")
        root = home / "root"
        _run(("cp", "--archive", "--reflink=auto", str(image), str(root)))
        part = Part(
            _nspawn(root), home / "console.log", answers=lambda: Machine(root, part).is_up(), remove=home
        )
        with stopping(part):
            part.start(_BOOT_S)
            yield Machine(root, part)


def _nspawn(root: Path) -> Program:
    # Nobody but us need know of it; this machine may have neither machined nor systemd.
    apart = ("--register=no", "--keep-unit", "--link-journal=no", "--private-network")
    argv = ("systemd-nspawn", "--quiet", "--boot", f"--directory={root}", "--console=read-only", *apart)
    version_2 = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}  # of control groups
    return Program("the machine", argv, grace_s=_STOP_S, environment=version_2)


def _prepared_folder() -> Path:
    cache_dir().mkdir(parents=True, exist_ok=True)
    return cache_dir()


def _find_image(packages: Sequence[str]) -> Path:
    if reason := rootfs.why_not_here():
        raise PartUnavailableError(reason)
    if not shutil.which("systemd-nspawn"):
        _install("systemd-container")
    key = sha256(" ".join((*_BASE, "/", *sorted(packages))).encode()).hexdigest()[:8]
    folder = cache_dir() / f"machine-{rootfs.SUITE}-{key}"
    if not folder.exists():
        _make(folder, packages)
    return folder


def _make(folder: Path, packages: Sequence[str]) -> None:
    if not shutil.which("debootstrap"):
        _install("debootstrap")
    _require_permission("debootstrap")
    for older in folder.parent.glob("machine-*/"):
        shutil.rmtree(older)
    building = Path(tempfile.mkdtemp(prefix="machine-", dir=folder.parent))
    building.chmod(0o755)
    bootstrap = ("debootstrap", "--variant=minbase", f"--include={','.join(_BASE)}", rootfs.SUITE)
    try:
        _run(
            (*rootfs.private_mounts('exec "$@"', building), *bootstrap, str(building), rootfs.debian_mirror())
        )
        _run((*rootfs.private_mounts(_DOWNLOAD, building), *packages))
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _install(package: str) -> None:
    _require_permission(package)
    _run(("apt-get", "update"))
    _run(("apt-get", "install", "--yes", "--no-install-recommends", package))


def _require_permission(what: str) -> None:
    if not rootfs.may_install():
        raise PartUnavailableError(f"{what} is needed for a machine of its own: set KERBSAFE_TEST_INSTALL=1")


def _run(argv: tuple[str, ...]) -> None:
    done = subprocess.run(argv, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise PartFailedError(f"`{' '.join(argv[-4:])}` failed: {(done.stdout + done.stderr)[-1500:]}")

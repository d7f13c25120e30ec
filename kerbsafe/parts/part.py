"""Start one part under its warden, wait until it answers, kill and restart it, stop it.

A part is a server that Kerbsafe needs and does not contain: a database or a broker. Parts listen on
127.0.0.1 only, write a log, do not see Ctrl-C (they have a session of their own), and
end with the program that started them, whatever way it ends.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOST = "127.0.0.1"
_WARDEN = Path(__file__).with_name("warden.py")
_LOG_LINES_SHOWN = 6
# Linux keeps files here in memory: a clone of a database takes 0.03 s there and 0.2 to 0.9 s on a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder in it that nobody else can guess or enter
_MEMORY_BYTES = 2 * 2**30


class PartUnavailableError(KerbsafeError):
    """A part is not on this machine and must not or cannot be made: says why and what to do."""


class PartFailedError(KerbsafeError):
    """A part is here and did not start, or is not there any more: shows the end of its log."""


def hidden() -> bool:
    """Tell whether `KERBSAFE_TEST_PARTS=none` has this machine look as if it had no real parts."""
    chosen = os.environ.get("KERBSAFE_TEST_PARTS", "")
    if chosen not in {"", "none"}:
        raise KerbsafeError(
            f"KERBSAFE_TEST_PARTS is {chosen!r}: only `none` is known, which hides the real parts"
        )
    return chosen == "none"


def require_shown(name: str) -> None:
    """Raise `PartUnavailableError` if real parts are hidden.

    A bare PATH would not do: parts are also found in the cache, in the folders of servers, in Docker.
    """
    if hidden():
        raise PartUnavailableError(f"{name} is not here: KERBSAFE_TEST_PARTS=none hides it")


def must_be_here() -> bool:
    """Tell whether a part that cannot be had is a failure: where CI=true, unless its owner says otherwise."""
    return os.environ.get("CI") == "true" and os.environ.get("KERBSAFE_TEST_ALLOW_MISSING") != "1"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run for a part."""

    name: str
    argv: tuple[str, ...]
    #: Asks the program to end in good order.
    stop_signal: signal.Signals = signal.SIGTERM
    #: (uid, gid) to run as, when it must not run as the present user.
    user: tuple[int, int] | None = None
    grace_s: float = 15.0
    #: Added to our own environment.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Ends the program as kill -9 does where a signal to its process does not reach it (a container).
    kill: Callable[[], None] | None = None


class Part:
    """One program under its warden."""

    def __init__(
        self, program: Program, log_path: Path, *, answers: Callable[[], bool], remove: Path | None = None
    ) -> None:
        """Prepare; `answers` tells whether it is ready, `remove` is a folder to delete at the very end."""
        self.program = program
        self.log_path = log_path
        self._answers = answers
        #: Of the program, while it runs and after.
        self.pid: int | None = None
        self._running = False
        self._heard = b""
        self._remove = remove
        spec = {
            "argv": program.argv,
            "user": program.user,
            "stop_signal": int(program.stop_signal),
            "grace_s": program.grace_s,
            "remove": None if remove is None else str(remove),
        }
        with log_path.open("ab") as log:
            self._warden = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_WARDEN), json.dumps(spec)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd=log_path.parent,
                env=os.environ | program.environment,
            )

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the program and wait until it answers.

        Raises
        ------
        PartFailedError
            If it ends before that, or does not answer within `timeout_s`.
        """
        self._tell("start")
        said, _, pid = self._hear(timeout_s).partition(" ")
        if said != "started":
            raise self._failed("could not be started")
        self.pid = int(pid)
        self._running = True
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if not self.alive():
                raise self._failed("ended at its start")
            if time.monotonic() > deadline:
                raise self._failed(f"did not answer within {timeout_s:.0f} s")
            time.sleep(0.02)

    def alive(self) -> bool:
        """Return whether the program is still running."""
        if self._running and (self._hear(0).startswith("exited") or self._warden.poll() is not None):
            self._running = False
        return self._running

    def kill(self) -> None:
        """End the program as kill -9 does, and return when it is gone."""
        if self.program.kill is not None:
            self.program.kill()
        else:
            self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Return when the program is gone."""
        while self.alive():
            time.sleep(0.005)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, e.g. SIGHUP to read its configuration again."""
        self._tell(f"signal {int(number)}")

    def close(self) -> None:
        """Stop the program in good order and wait until it is gone."""
        self._running = False
        self._close_pipes()
        self._warden.wait(self.program.grace_s + 10)
        if self._remove is not None:  # the warden has done it, unless somebody has killed the warden
            shutil.rmtree(self._remove, ignore_errors=True)

    def _close_pipes(self) -> None:
        for pipe in (self._warden.stdin, self._warden.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, command: str) -> None:
        pipe = self._warden.stdin
        if pipe is None or pipe.closed or self._warden.poll() is not None:
            raise self._failed("has been stopped")
        pipe.write(f"{command}\n".encode())
        pipe.flush()

    def _hear(self, timeout_s: float) -> str:
        """Return the warden's next line, "" if it says none in time."""
        pipe = self._warden.stdout
        if b"\n" not in self._heard and pipe is not None and select.select([pipe], [], [], timeout_s)[0]:
            self._heard += os.read(pipe.fileno(), 256)
        line, ended, rest = self._heard.partition(b"\n")
        if not ended:
            return ""
        self._heard = rest
        return line.decode()

    def _failed(self, what: str) -> PartFailedError:
        lines = self.log_path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES_SHOWN:]
        shown = " | ".join(line.strip() for line in lines if line.strip())
        return PartFailedError(f"{self.program.name} {what}; the end of {self.log_path}: {shown}")


@contextmanager
def stopping(part: Part) -> Iterator[Part]:
    """Stop a part at the end of the block."""
    try:
        yield part
    finally:
        part.close()


def free_port() -> int:
    """Return a TCP port on loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def talk(port: int, request: bytes, *, goodbye: bytes = b"") -> bytes:
    """Send `request` to a loopback port; return the first byte of the answer, empty if there is none."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(request)
            answer = connection.recv(1)
            connection.sendall(goodbye)
            return answer
    except OSError:
        return b""


def cache_dir() -> Path:
    """Return where downloads and copies are kept between runs: `KERBSAFE_CACHE`, or the usual place."""
    if chosen := os.environ.get("KERBSAFE_CACHE"):
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/cache/kerbsafe")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kerbsafe"


def temporary_folder(name: str, user: tuple[int, int] | None = None, *, in_memory: bool = False) -> Path:
    """Make a temporary folder for a part that runs as `user`; in memory if that is asked for and has room."""
    roomy = in_memory and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES
    folder = Path(tempfile.mkdtemp(prefix=f"kerbsafe-{name}-", dir=_MEMORY if roomy else None))
    if user is not None:
        os.chown(folder, *user)
    return folder


def unprivileged_user() -> tuple[int, int] | None:
    """Return (uid, gid) for programs that refuse to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_uid, entry.pw_gid


def barrier(path: Path, user: tuple[int, int]) -> Path | None:
    """Return the first folder above `path` that `user` may not enter, None if there is none."""
    return next((folder for folder in reversed(path.resolve().parents) if not may_enter(folder, user)), None)


def may_enter(folder: Path, user: tuple[int, int]) -> bool:
    """Return whether `user` may pass through a folder. Its other groups are not looked at."""
    found = folder.stat()
    by_owner = found.st_uid == user[0] and bool(found.st_mode & stat.S_IXUSR)
    return by_owner or bool(found.st_mode & stat.S_IXOTH)

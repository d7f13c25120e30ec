"""Keep one part alive no longer than the program that started it, even after kill -9 of that program.

Run as a script, without the rest of Kerbsafe, as `python -I -S warden.py SPEC`. Standard input is a pipe
that only the program holds: when it closes, the part is stopped and its temporary folder removed. On Linux
the part is also signalled when the warden itself dies. SPEC is JSON:
`{"argv": [...], "user": [uid, gid] | null, "stop_signal": n, "grace_s": s, "remove": folder | null}`.

Commands on standard input, a line each: `start` answers `started PID`; `signal N`. Whenever the part
ends by itself or by a signal, `exited CODE` is said. The part writes to the warden's standard error.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_COMMANDS = 0  # standard input


class Warden:
    """One part, started and stopped on command."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.part: subprocess.Popen[bytes] | None = None
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def start(self) -> None:
        """Start the part, without the program's terminal and with no right to outlive this process."""
        uid, gid = self.spec["user"] or (None, None)
        self.part = subprocess.Popen(
            self.spec["argv"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            # This process has one thread, so the warning about threads and preexec_fn does not apply.
            preexec_fn=self._die_with_warden,  # noqa: PLW1509
        )
        say(f"started {self.part.pid}")

    def _die_with_warden(self) -> None:
        if self._libc is not None:
            self._libc.prctl(_PR_SET_PDEATHSIG, self.spec["stop_signal"], 0, 0, 0)

    def obey(self, command: str) -> None:
        """Carry out one line of standard input."""
        verb, _, argument = command.partition(" ")
        if verb == "start" and self.part is None:
            self.start()
        elif verb == "signal" and self.part is not None:
            self.part.send_signal(int(argument))

    def notice_end(self) -> None:
        """Say it if the part has ended."""
        if self.part is not None and self.part.poll() is not None:
            code, self.part = self.part.returncode, None
            say(f"exited {code}")

    def finish(self) -> None:
        """Stop the part, by force after the grace, and remove what was temporary."""
        if self.part is not None:
            self.part.send_signal(self.spec["stop_signal"])
            try:
                self.part.wait(self.spec["grace_s"])
            except subprocess.TimeoutExpired:
                self.part.kill()
                self.part.wait()
        if self.spec["remove"]:
            shutil.rmtree(self.spec["remove"], ignore_errors=True)


def say(line: str) -> None:
    """Answer the program; if it is gone by now, its end of both pipes is closed and we are about to end."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


def signals() -> int:
    """Return a descriptor that gives one byte, the number, for every signal that concerns us."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return read_end


def main() -> None:
    """Obey until standard input closes or a signal says to end."""
    warden = Warden(json.loads(sys.argv[1]))
    caught = signals()
    while True:
        readable, _, _ = select.select([_COMMANDS, caught], [], [])
        if caught in readable:
            if set(os.read(caught, 64)) - {signal.SIGCHLD}:
                break
            warden.notice_end()
        if _COMMANDS in readable:
            lines = os.read(_COMMANDS, 4096)
            if not lines:
                break
            for line in lines.decode().splitlines():
                warden.obey(line)
    warden.finish()


if __name__ == "__main__":
    main()

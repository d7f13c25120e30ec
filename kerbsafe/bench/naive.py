"""Running the naive peers: programs of `benchmarks/`, each in a process of its own.

A wheel has them in `peers/` beside this module.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDERS = (Path(__file__).with_name("peers"), Path(__file__).resolve().parents[2] / "benchmarks")


class PeerError(KerbsafeError):
    """A naive peer cannot be run."""


class Peer:
    """A running peer; it has said that it is ready."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def wait_ready(self) -> None:
        """Return when it says so."""
        if self._process.stdout is None or self._process.stdout.readline().strip() != "ready":
            self._process.kill()
            raise self._failed()

    def figures(self, timeout_s: float) -> dict[str, Any]:
        """Wait for its end; return the figures that it prints last."""
        out, said = self._process.communicate(timeout=timeout_s)
        if self._process.returncode or not out.strip():
            raise self._failed(said)
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def _failed(self, said: str | None = None) -> PeerError:
        words = (self._process.communicate()[1] if said is None else said).strip()
        return PeerError(f"the naive peer {self.name!r} failed: {words[-300:] or 'without a word'}")


def program(name: str) -> Path:
    """Return the file of a program.

    Raises
    ------
    PeerError
        If it is not here.
    """
    places = [folder / name for folder in _FOLDERS]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise PeerError(f"{' or '.join(map(str, places))} is not here: install Kerbsafe again")
    return found


@contextmanager
def peer(name: str, *arguments: str) -> Iterator[Peer]:
    """Run `naive_NAME.py`; it is stopped at the end of the block.

    Raises
    ------
    PeerError
        If it is not here, or does not come up.
    """
    command = [sys.executable, str(program(f"naive_{name}.py")), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        running = Peer(name, process)
        running.wait_ready()
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()

"""Running the naive peers: programs of `benchmarks/naive_*.py`, each in a process of its own."""

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

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


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


@contextmanager
def peer(name: str, *arguments: str) -> Iterator[Peer]:
    """Run `benchmarks/naive_NAME.py`; it is stopped at the end of the block.

    Raises
    ------
    PeerError
        Where the sources are not at hand, or it does not come up.
    """
    path = FOLDER / f"naive_{name}.py"
    if not path.is_file():
        raise PeerError(f"the naive peer {path} is not here: run benches from a checkout of the sources")
    process = subprocess.Popen(
        [sys.executable, str(path), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        running = Peer(name, process)
        running.wait_ready()
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()

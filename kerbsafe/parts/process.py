"""Kerbsafe's own long-running processes as parts: under a warden, ready when /readyz says so."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from kerbsafe.parts.part import HOST, Part, Program, free_port, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_GRACE_S = 30.0
_ANSWER_S = 4.0


class Process(NamedTuple):
    """A running `kerbsafe` process."""

    part: Part
    #: Of /healthz, /readyz and /metrics.
    port: int


@contextmanager
def kerbsafe_process(
    *arguments: str, settings: Mapping[str, str], log_path: Path, timeout_s: float = 60.0
) -> Iterator[Process]:
    """Run `kerbsafe ARGUMENTS` until the end of the block; yields when it is ready.

    `settings` are added to the environment; the port of its probes is a free one. Its log goes to `log_path`.
    """
    port = free_port()
    program = Program(
        f"kerbsafe {arguments[0]}",
        (sys.executable, "-m", "kerbsafe", *arguments),
        grace_s=_GRACE_S,
        environment={**settings, "KERBSAFE_HTTP_PORT": str(port)},
    )
    with stopping(Part(program, log_path, answers=lambda: _is_ready(port))) as part:
        part.start(timeout_s)
        yield Process(part, port)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=_ANSWER_S) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False

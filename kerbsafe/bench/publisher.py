"""The publisher of a bench: a process of its own that encodes beforehand and sends within a window.

The broker acknowledges a device at once, so a publisher that is let loose only fills the broker's queue. Here
it may be at most a window ahead of what is committed: the whole way is in equilibrium, and what a message
waits is the way's own doing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import uvloop

from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1 import encode_arrays
from kerbsafe.bench.traffic import COMPANY
from simulators import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import SpawnContext
    from multiprocessing.process import BaseProcess
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from numpy.typing import NDArray

    from kerbsafe.bench.traffic import Traffic

CONNECTIONS = 4
READY_S = 180.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, where, and where to write when it was sent."""

    traffic: Traffic
    host: str
    port: int
    report: Path
    #: Messages a second; None: as the window allows.
    per_s: float | None = None
    #: The rounds of the traffic that are sent; None: to the last.
    first_round: int = 0
    until_round: int | None = None

    @property
    def rows(self) -> slice:
        """Which rows of the traffic are sent."""
        until = self.traffic.rounds if self.until_round is None else self.until_round
        return slice(self.first_round * self.traffic.vehicles, until * self.traffic.vehicles)

    def __len__(self) -> int:
        return self.rows.stop - self.rows.start  # type: ignore[no-any-return]  # a slice holds anything

    def messages(self) -> list[tuple[str, bytes]]:
        """Return what is sent: a message a fix."""
        fixes = self.traffic.fixes().take(self.rows)
        return load.fix_messages(fixes, [(COMPANY, code) for code in self.traffic.codes])


@dataclass(frozen=True, slots=True)
class Backfill(Job):
    """The same fixes as units send them after an outage: arrays of one truck each, on the topic `history`."""

    #: Fixes of one message.
    elements: int = 1000

    def messages(self) -> list[tuple[str, bytes]]:
        """Return what is sent: the trucks take turns, each in the order of time."""
        fixes = self.traffic.fixes().take(self.rows)
        of_truck = [
            encode_arrays(fixes.take(fixes.vehicle_id == truck), elements=self.elements)
            for truck in range(self.traffic.vehicles)
        ]
        topics = [format_topic(COMPANY, code, Kind.HISTORY) for code in self.traffic.codes]
        return [
            (topic, payload)
            for payloads in zip(*of_truck, strict=True)
            for topic, payload in zip(topics, payloads, strict=True)
        ]


class Publisher:
    """A running publisher. Messages are those of the traffic, in its order."""

    def __init__(self, job: Job, context: SpawnContext) -> None:
        self.job = job
        self.allowed: Synchronized[int] = context.Value("q", 0)
        self._ready, self._go = context.Event(), context.Event()
        arguments = (job, self.allowed, self._ready, self._go)
        self._process: BaseProcess = context.Process(target=_publish, args=arguments, daemon=True)
        self._process.start()

    def wait_ready(self) -> None:
        """Return when everything is encoded."""
        deadline_s = time.monotonic() + READY_S
        while not self._ready.wait(0.1):
            if not self._process.is_alive() or time.monotonic() > deadline_s:
                raise RuntimeError("the publisher did not come up; its error stands above")

    def go(self) -> None:
        """Begin to send."""
        self._go.set()

    @property
    def is_alive(self) -> bool:
        """Whether it is still sending."""
        return self._process.is_alive()

    def sent_us(self) -> NDArray[np.int64]:
        """Wait for the end; return when each message went out, wall time in microseconds since 1970."""
        self._process.join()
        sent: NDArray[np.int64] = np.load(self.job.report)
        return sent

    def end(self) -> None:
        """Stop it."""
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()


@contextmanager
def publisher(job: Job) -> Iterator[Publisher]:
    """Start a publisher; it is stopped at the end of the block."""
    running = Publisher(job, multiprocessing.get_context("spawn"))
    try:
        yield running
    finally:
        running.end()


def _publish(job: Job, allowed: Synchronized[int], ready: Event, go: Event) -> None:
    """Encode, wait for the start, send (in the child)."""
    prepared, index = load.split(job.messages(), CONNECTIONS)
    ready.set()
    go.wait()
    target = load.Target(job.host, job.port, client_prefix=f"bench-{os.getpid()}-")
    sending = load.push_prepared(prepared, index, target, per_s=job.per_s, allowed=lambda: int(allowed.value))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(sending)
    to_wall_s = time.time() - time.monotonic()
    np.save(job.report, np.rint((report.sent_s + to_wall_s) * 1e6).astype(np.int64))

"""The bench of the JT/T 808 codec: bytes of connections to columns, beside a naive reader."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from fleet.wire.jt808 import Cutter, Position, Sender
from fleet.wire.jt808.columns import Reports, read_reports
from fleet.wire.jt808.items import Item
from fleet.wire.jt808.values import digits_of
from kerbsafe.bench.naive import PeerError, program

FRAMES, NAIVE_FRAMES = 200_000, 40_000
#: Bytes that a gateway takes at once: some 2,000 reports, what a second brings of so many trucks.
PIECE_BYTES = 1 << 17
#: Of the best of so many runs: others on the machine make a run slower, never faster.
RUNS, NAIVE_RUNS = 5, 3
TIMEOUT_S = 120.0
_BEGIN = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
_REPORT = 0x0200


def measure() -> dict[str, Any]:
    """Return the figures of `kerbsafe bench jt808`."""
    data = traffic(FRAMES)
    best = max(_run(data) for _ in range(RUNS))
    few = traffic(NAIVE_FRAMES)
    naive = max((_naive(few) for _ in range(NAIVE_RUNS)), key=lambda run: float(run["frames_per_s"]))
    ours = sums(_read(few))
    if ours != naive["sums"]:
        raise PeerError(f"the naive peer read {naive['sums']}, we {ours}")
    return {
        "frames_per_s": round(best),
        "naive_frames_per_s": round(naive["frames_per_s"]),
        "ratio_naive": round(best / naive["frames_per_s"], 1),
        "bytes_per_frame": round(len(data) / FRAMES, 1),
    }


def traffic(frames: int) -> bytes:
    """Return the bytes of so many reports; one in some hundreds holds a byte that is escaped."""
    sender = Sender(2013, bytes.fromhex("013912345678"))
    rng = np.random.default_rng(808)
    moves = rng.integers(-400, 400, (frames, 2)).cumsum(axis=0)
    return b"".join(
        sender.build(_REPORT, {"positions": [_report(number, *moves[number].tolist())]})[0]
        for number in range(frames)
    )


def _report(number: int, north: int, east: int) -> Position:
    items = (
        Item(0x01, 4, (123_456 + number).to_bytes(4, "big")),
        Item(0x25, 4, bytes([0, 0, 0, 4 if number % 20 == 0 else 0])),
        Item(0x30, 1, bytes([28])),
        Item(0x31, 1, bytes([6 + number % 12])),
    )
    return Position(
        alarm=0,
        status=0x4C0003,
        lat_udeg=30_750_000 + north,
        lon_udeg=120_750_000 + east,
        altitude_m=12,
        speed_dkmh=number % 900,
        course_deg=number % 360,
        time_digits=digits_of(_BEGIN + timedelta(seconds=number)),
        items=items,
    )


def _run(data: bytes) -> float:
    began = time.process_time()
    read = _read(data)
    return sum(map(len, read)) / (time.process_time() - began)


def _read(data: bytes) -> list[Reports]:
    cutter = Cutter()
    pieces = (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
    return [read_reports(cutter.feed(piece)) for piece in pieces]


def sums(read: list[Reports]) -> dict[str, int]:
    """Return sums of what was read, as the naive peer prints them."""
    return {
        "reports": sum(map(len, read)),
        "lat_udeg": sum(int(one.lat_udeg.sum()) for one in read),
        "time_s": sum(int((one.time_us // 1_000_000).sum()) for one in read),
        "odometer_100m": sum(int(one.odometer_100m.sum()) for one in read),
        "satellites": sum(int(one.satellites.sum()) for one in read),
    }


def _naive(data: bytes) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        Path(file.name).write_bytes(data)
        done = subprocess.run(
            [sys.executable, str(program("naive_jt808.py")), file.name],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    if done.returncode:
        raise PeerError(f"naive_jt808.py failed: {done.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found

"""The cold store's pace: fixes of a made city, written and read as `kerbsafe archive` does.

Of made trucks, whose positions have the noise of real receivers, and on one core but for what pyarrow reads
beside; the disk is this machine's, told to keep what is written (fsync) within the time.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.archive import parquet
from fleet.archive.layout import begin_us, folder
from fleet.archive.stores import Folder
from fleet.units import MICROSECONDS
from kerbsafe.bench import traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from fleet.columns import Fixes

#: Trucks, and seconds that each drives: a fix a second.
VEHICLES, SECONDS = 500, 8_000
#: What a receiver wanders from one second to the next: micro-degrees, 0.1 km/h.
_NOISE_UDEG, _NOISE_DKMH = 4.0, 3.0
_AT_ONCE = 100_000


def measure(day: date, vehicles: int = VEHICLES, seconds: int = SECONDS) -> dict[str, Any]:
    """Return bytes of a fix, and fixes a second written and read back."""
    fixes = drives(begin_us(day), vehicles, seconds)
    with TemporaryDirectory(prefix="kerbsafe-bench-") as place:
        store = Folder(Path(place))
        written, key = store.scratch(day), f"{folder(day)}/fixes.parquet"
        began_s = time.perf_counter()
        with written.open("wb") as file:
            writer = parquet.PartWriter(file)
            for piece in _pieces(fixes):
                writer.write(piece)
            writer.close()
        store.keep(written, key)
        write_s, began_s = time.perf_counter() - began_s, time.perf_counter()
        with store.open(key) as file:
            rows = sum(map(len, parquet.read(file, key)))
        read_s = time.perf_counter() - began_s
        size = (store.path / key).stat().st_size
    return {
        "fixes": rows,
        "archive_bytes_per_fix": round(size / rows, 2),
        "archive_fixes_per_s": round(rows / write_s),
        "read_fixes_per_s": round(rows / read_s),
    }


def drives(start_us: int, vehicles: int, seconds: int) -> Fixes:
    """Return fixes by vehicle and time: a truck a second, with the noise that real positions have."""
    made = traffic.Traffic(vehicles, seconds, start_us).fixes()
    noise = np.random.default_rng(1)
    order = np.lexsort((made.time_us, made.vehicle_id))
    fixes = made.take(order)
    vehicle_id = (fixes.vehicle_id - fixes.vehicle_id.min() + 1).astype(np.int32)
    count = len(fixes)
    return replace(
        fixes,
        vehicle_id=vehicle_id,
        time_us=fixes.time_us // MICROSECONDS * MICROSECONDS,
        lat_udeg=(fixes.lat_udeg + noise.normal(0, _NOISE_UDEG, count)).astype(np.int32),
        lon_udeg=(fixes.lon_udeg + noise.normal(0, _NOISE_UDEG, count)).astype(np.int32),
        speed_dkmh=np.maximum(fixes.speed_dkmh + noise.normal(0, _NOISE_DKMH, count), 0).astype(np.int16),
    )


def _pieces(fixes: Fixes) -> Iterator[Fixes]:
    for begin in range(0, len(fixes), _AT_ONCE):
        yield fixes.take(slice(begin, begin + _AT_ONCE))

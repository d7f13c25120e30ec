"""What decoding and encoding wire v1 costs: `.venv/bin/python benchmarks/bench_wire.py [--json]`.

Batches of 5,000 messages of 5,000 trucks, a fix each, from topic and payload to columns. Best of 30, with
the garbage collector on. The joined text is here to show that it decodes no faster than payload by payload.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from fleet.columns import Fixes, FixFlag
from fleet.wire.reasons import Reason
from fleet.wire.topics import Kind, format_topic
from fleet.wire.v1 import Published, decode, encode_arrays, encode_fixes
from fleet.wire.v1.payloads import FixIn

if TYPE_CHECKING:
    from collections.abc import Callable

FIXES = 5_000
TARGET_US = 4.0


class Trucks:
    def __init__(self) -> None:
        self._ids = {f"truck-{i}": i for i in range(FIXES)}

    def find(self, company: str, vehicle: str, /) -> int | Reason:
        return self._ids[vehicle] if company == "jiaxing" else Reason.WRONG_COMPANY


def fixes() -> Fixes:
    rng = np.random.default_rng(1)
    return Fixes.build(
        vehicle_id=np.arange(FIXES),
        time_us=1_787_392_800_000_000 + rng.integers(0, 1000, FIXES) * 1000,
        lat_udeg=rng.integers(30_000_000, 31_000_000, FIXES),
        lon_udeg=rng.integers(120_000_000, 121_000_000, FIXES),
        speed_dkmh=rng.integers(0, 900, FIXES),
        course_deg=rng.integers(0, 360, FIXES),
        altitude_m=5,
        odometer_hm=rng.integers(0, 3_000_000, FIXES),
        satellites=rng.integers(5, 20, FIXES),
        hdop_tenths=9,
        flags=FixFlag.IGNITION_KNOWN | FixFlag.IGNITION_ON,
    )


def best_us(work: Callable[[], object]) -> float:
    """Return the best time of a fix, microseconds."""
    times = []
    for _ in range(30):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(min(times) / FIXES * 1e6, 3)


def measure() -> dict[str, float]:
    batch, trucks = fixes(), Trucks()
    payloads = encode_fixes(batch)
    topics = [format_topic("jiaxing", f"truck-{i}", Kind.FIX) for i in range(FIXES)]
    live = [Published(topic, payload) for topic, payload in zip(topics, payloads, strict=True)]
    back_fill = [Published(topics[0], payload) for payload in encode_arrays(batch)]
    one_bad = [*live[:-1], Published(topics[-1], b'{"time":')]
    decoder = msgspec.json.Decoder(FixIn)
    assert len(decode(live, trucks).fixes) == FIXES
    return {
        "payload_bytes": round(sum(map(len, payloads)) / FIXES, 1),
        "decode_us": best_us(lambda: decode(live, trucks)),
        "decode_one_bad_us": best_us(lambda: decode(one_bad, trucks)),
        "decode_arrays_us": best_us(lambda: decode(back_fill, trucks)),
        "encode_us": best_us(lambda: encode_fixes(batch)),
        "json_alone_us": best_us(lambda: [decoder.decode(payload) for payload in payloads]),
        "json_joined_us": best_us(lambda: decoder.decode_lines(b"\n".join(payloads))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    measured = measure()
    if as_json:
        print(json.dumps(measured))
    else:
        for name, value in measured.items():
            print(f"{name:20} {value}")
    assert measured["decode_us"] <= TARGET_US, f"decoding takes more than {TARGET_US} µs a fix"


if __name__ == "__main__":
    main()

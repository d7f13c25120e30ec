"""Decoding in slices gives what decoding at once gives."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from fleet.wire import v1
from fleet.wire.reasons import Reason
from ingest import slices


class Trucks:
    """Truck 0 to 9 of one company."""

    def find(self, company: str, vehicle: str, /) -> int | Reason:
        if company != "acme":
            return Reason.UNKNOWN_COMPANY
        return int(vehicle) if vehicle.isdigit() and int(vehicle) < 10 else Reason.UNKNOWN_VEHICLE


def message(n: int) -> v1.Published:
    """Mostly fixes; now and then something else, or something wrong."""
    at = 1_800_000_000_000 + n
    good = {"time": at, "lat": 30.5, "lon": 120.5, "speed_kmh": n % 80}
    match n % 11:
        case 3:
            body: Any = {"time": at, "id": str(n), "side": "right", "phase": "single"}
            return v1.Published(f"kerbsafe/v1/acme/{n % 10}/camera", json.dumps(body).encode())
        case 5:
            body = {"time": at, "camera": "ok"}
            return v1.Published(f"kerbsafe/v1/acme/{n % 10}/health", json.dumps(body).encode())
        case 7:
            body = {"time": at, "id": "c", "result": "done"}
            return v1.Published(f"kerbsafe/v1/acme/{n % 10}/ack", json.dumps(body).encode())
        case 8:
            return v1.Published(
                f"kerbsafe/v1/acme/{n % 13}/fix", b"{" if n % 2 else json.dumps(good).encode()
            )
        case 9:
            return v1.Published(f"kerbsafe/v1/acme/{n % 10}/history", json.dumps([good, good]).encode())
        case _:
            return v1.Published(f"kerbsafe/v1/acme/{n % 10}/fix", json.dumps(good).encode())


def content(decoded: v1.Decoded) -> dict[str, Any]:
    """All of it as plain lists."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(decoded):
        value = getattr(decoded, field.name)
        if dataclasses.is_dataclass(value):
            value = {f.name: getattr(value, f.name).tolist() for f in dataclasses.fields(value)}
        found[field.name] = value.tolist() if isinstance(value, np.ndarray) else value
    return found


@pytest.mark.parametrize("count", [0, 1, 7, 49, 50, 51, 333])
async def test_slices_join_to_the_whole(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(slices, "MESSAGES", 50)
    messages = [message(n) for n in range(count)]
    sliced = await slices.decode(messages, v1.Decoder(Trucks()))
    assert content(sliced) == content(v1.decode(messages, Trucks()))


async def test_a_decoder_that_has_seen_the_senders_decodes_the_same() -> None:
    messages = [message(n) for n in range(120)]
    decoder = v1.Decoder(Trucks())
    first, again = decoder.decode(messages), decoder.decode(messages)
    assert content(first) == content(again)
    fixes = [m for m in messages if m.topic.endswith("/fix") and b"lat" in m.payload]
    known = [m for m in fixes if int(m.topic.split("/")[3]) < 10]
    assert content(decoder.decode(known)) == content(v1.decode(known, Trucks()))

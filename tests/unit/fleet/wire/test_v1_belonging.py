"""A vehicle that changes company: what it measured before comes after the change, on the topic of before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleet.directory import VehicleFacts, make_directory
from fleet.kinds import VehicleKind
from fleet.wire.reasons import Reason
from fleet.wire.v1 import Published, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.directory import Directory

#: The truck is JX-1's, from 10:00 JX-2's, from 12:00 JX-1's again, from 14:00 JX-3's. Hours as microseconds.
HOUR_US = 3_600_000_000
DAY_US = 1_787_356_800_000_000
CHANGES = {0: 1, 10: 2, 12: 1, 14: 3}
COMPANIES = {1: "JX-1", 2: "JX-2", 3: "JX-3", 4: "JX-4"}


def directory(now_h: float) -> Directory:
    facts = VehicleFacts(
        vehicle_id=[7] * len(CHANGES) + [8],
        valid_from_us=[DAY_US + hour * HOUR_US for hour in CHANGES] + [0],
        company_id=[*CHANGES.values(), 1],
        kind=[VehicleKind.MIXER] * 5,
        limit_kmh=[-1] * 5,
    )
    return make_directory(1, COMPANIES, {"T7": 7, "T8": 8}, facts, DAY_US + round(now_h * HOUR_US))


def observation(kind: str, hour: float) -> dict[str, object]:
    fields: dict[str, dict[str, object]] = {
        "fix": {"lat": 30.5, "lon": 120.5},
        "history": {"lat": 30.5, "lon": 120.5},
        "camera": {"id": f"e{hour}", "side": "right", "phase": "single"},
        "health": {"camera": "ok"},
        "ack": {"id": f"c{hour}", "result": "done"},
    }
    return {"time": (DAY_US + round(hour * HOUR_US)) // 1000} | fields[kind]


def message(company: str, hours: Sequence[float], kind: str = "fix", vehicle: str = "T7") -> Published:
    one = [observation(kind, hour) for hour in hours]
    payload = json.dumps(one if len(one) > 1 else one[0]).encode()
    return Published(f"kerbsafe/v1/{company}/{vehicle}/{kind}", payload)


@pytest.mark.parametrize("kind", ["fix", "history", "camera", "health", "ack"])
@pytest.mark.parametrize(
    ("now_h", "company", "measured_h", "taken"),
    [
        (11, "JX-1", 9, True),  # kept in the tunnel, sent after the change
        (11, "JX-1", 10 - 1e-6, True),
        (11, "JX-1", 10, False),  # from the change on it is the other's
        (11, "JX-1", 10.5, False),
        (11, "JX-2", 10.5, True),
        (11, "JX-2", 9, True),  # the unit was told its new company, and sends what it has kept
        (9, "JX-2", 9, False),  # told too early
        (15, "JX-1", 9, True),
        (15, "JX-1", 11, False),
        (15, "JX-1", 13, True),  # it had that company twice
        (15, "JX-2", 11, True),
        (15, "JX-2", 13, False),
        (15, "JX-1", -9000, True),  # before the first version: the first
        (15, "JX-4", 9, False),  # never
    ],
)
def test_the_company_of_the_topic_is_that_of_the_time_of_the_observation(
    now_h: float, company: str, measured_h: float, taken: bool, kind: str
) -> None:
    decoded = decode([message(company, [measured_h], kind)], directory(now_h))
    found = len(decoded.fixes) + len(decoded.camera) + len(decoded.health) + len(decoded.acks)
    assert found == taken
    assert [reject.reason for reject in decoded.rejects] == [Reason.WRONG_COMPANY] * (not taken)
    assert decoded.received == 1


def test_each_of_an_array_is_asked_alone_and_what_is_refused_is_counted() -> None:
    messages = [
        message("JX-1", [8, 9, 10.5, 11, 12.5]),
        message("JX-1", [9], vehicle="T8"),
        message("JX-2", [11, 13, 13.5]),
        message("JX-3", [9, 15]),  # its company now
        message("JX-4", [9, 10, 11]),
    ]
    decoded = decode(messages, directory(15))
    at_h = ((decoded.fixes.time_us - DAY_US) / HOUR_US).tolist()
    assert list(zip(decoded.fix_message.tolist(), decoded.fixes.vehicle_id.tolist(), at_h, strict=True)) == [
        (0, 7, 8),
        (0, 7, 9),
        (0, 7, 12.5),
        (1, 8, 9),
        (2, 7, 11),
        (3, 7, 9),
        (3, 7, 15),
    ]
    refused = [(r.message, r.reason, r.vehicle_id, r.observations) for r in decoded.rejects]
    assert refused == [
        (0, Reason.WRONG_COMPANY, 7, 2),
        (2, Reason.WRONG_COMPANY, 7, 2),
        (4, Reason.WRONG_COMPANY, None, 3),
    ]
    assert decoded.rejects[1].detail == (
        "kerbsafe/v1/JX-2/T7/fix: measured 2026-08-22T13:00:00+00:00 to 2026-08-22T13:30:00+00:00"
    )
    assert decoded.received == 14


def test_what_cannot_be_read_is_its_vehicles_whatever_the_company() -> None:
    decoded = decode([Published("kerbsafe/v1/JX-1/T7/fix", b"{")], directory(11))
    assert [(r.reason, r.vehicle_id) for r in decoded.rejects] == [(Reason.MALFORMED_JSON, 7)]


@pytest.mark.parametrize(
    ("payload", "observations"),
    [
        (b"[{},{},{}]", 3),
        (b'{"time":1}', 1),
        (b"[]", 1),
        (b"", 1),
        (b"[{},{}", 1),
        (b"[" + b"0," * 29_999 + b"0]", 30_000),
        (b"[" * 5000, 1),
        (b"[0,0]".ljust(5_000_000), 1),
    ],
)
def test_what_a_stranger_sends_is_counted_by_its_elements(payload: bytes, observations: int) -> None:
    decoded = decode([Published("kerbsafe/v1/JX-9/T7/history", payload)], directory(11))
    assert [(r.reason, r.observations) for r in decoded.rejects] == [(Reason.UNKNOWN_COMPANY, observations)]
    assert decoded.received == observations


def test_a_fleet_that_has_never_changed_is_found_as_ever() -> None:
    facts = VehicleFacts(
        vehicle_id=np.arange(1, 4),
        valid_from_us=[0] * 3,
        company_id=[1] * 3,
        kind=[1] * 3,
        limit_kmh=[-1] * 3,
    )
    known = make_directory(1, COMPANIES, {"A": 1, "B": 2, "C": 3}, facts, DAY_US)
    assert [known.find("JX-1", code) for code in "ABC"] == [1, 2, 3]
    assert known.find("JX-2", "A") == Reason.WRONG_COMPANY

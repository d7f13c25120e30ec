"""Whatever arrives: the process lives, every observation has its place in the ledger, rejects are named."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import aiomqtt

if TYPE_CHECKING:
    from tests.acceptance.conftest import Installation

GOOD = "kerbsafe/v1/acme/T1/fix"
NOW_MS = int(time.time() * 1000)
#: What no log may say; where a truck is neither. Seven decimals: no log's time of day can read like them.
PLATE, NAME, PHONE = "浙F00001", "张三", "13800000000"
LATITUDE, LONGITUDE = 30.7654321, 120.7654321


def fix(at_ms: int = 0, **fields: object) -> dict[str, object]:
    return {"time": NOW_MS + at_ms, "lat": LATITUDE, "lon": LONGITUDE} | fields


#: Topic, payload, and the rejects it makes.
BAD: list[tuple[str, bytes, dict[str, int]]] = [
    (GOOD, b"", {"empty_payload": 1}),
    (GOOD, b'{"time": 1', {"malformed_json": 1}),
    (GOOD, b"not json", {"malformed_json": 1}),
    (GOOD, b"\xff\xfe\x00", {"not_utf8": 1}),
    (GOOD, b"[]", {"empty_payload": 1}),
    (GOOD, b"[" * 100_000, {"nested_too_deeply": 1}),
    (GOOD, b'{"time": NaN, "lat": 30, "lon": 120}', {"malformed_json": 1}),
    (GOOD, b'{"time": 1, "lat": 1e999, "lon": 120}', {"out_of_range": 1}),
    (GOOD, b'{"time": 1, "lat": 30, "lon": -Infinity}', {"malformed_json": 1}),
    (GOOD, json.dumps(fix(lat=str(LATITUDE))).encode(), {"wrong_type": 1}),
    (GOOD, json.dumps(fix(lat=91)).encode(), {"out_of_range": 1}),
    (GOOD, json.dumps(fix(lat=None)).encode(), {"wrong_type": 1}),
    (GOOD, json.dumps(fix() | {"time": 0}).encode(), {"too_old": 1}),
    (GOOD, json.dumps(fix() | {"time": "2100-01-01T00:00:00Z"}).encode(), {"future": 1}),
    (GOOD, json.dumps(fix() | {"time": "2026-01-01T00:00:00"}).encode(), {"bad_time": 1}),
    (
        GOOD,
        json.dumps([fix(n, speed_kmh=-1 if n == 7000 else 50) for n in range(10_000)]).encode(),
        {"out_of_range": 1},
    ),
    (GOOD, b"[" + b"0," * 2**21 + b"0" * 2**20 + b"]", {"payload_too_large": 1}),
    ("kerbsafe/v1/acme/nobody/fix", json.dumps(fix()).encode(), {"unknown_vehicle": 1}),
    ("kerbsafe/v1/other/T1/fix", json.dumps(fix()).encode(), {"unknown_company": 1}),
    ("kerbsafe/v1/acme/'; drop table fix; --/fix", json.dumps(fix()).encode(), {"bad_code": 1}),
    ("kerbsafe/v1/acme/\u4e2d\u6587/fix", json.dumps(fix()).encode(), {"bad_code": 1}),
    (f"kerbsafe/v1/acme/{'x' * 10_000}/fix", json.dumps(fix()).encode(), {"bad_code": 1}),
    ("kerbsafe/v1/acme//fix", json.dumps(fix()).encode(), {"bad_code": 1}),
    ('kerbsafe/v1/acme/"T1"/fix', json.dumps(fix()).encode(), {"bad_code": 1}),
    ("kerbsafe/v1/acme/T/1/fix", json.dumps(fix()).encode(), {"unknown_topic": 1}),
    ("kerbsafe/v1/acme/T/1/2/3/history", json.dumps(fix()).encode(), {"unknown_topic": 1}),
    ("kerbsafe/v1/T1/fix", json.dumps(fix()).encode(), {"unknown_topic": 1}),
    ("kerbsafe/v1/fix", json.dumps(fix()).encode(), {"unknown_topic": 1}),
    (
        "kerbsafe/v1/acme/T1/camera",
        json.dumps({"time": NOW_MS, "id": 7, "side": "up", "phase": "single"}).encode(),
        {"wrong_type": 1},
    ),
    (
        "kerbsafe/v1/acme/T1/camera",
        json.dumps({"time": NOW_MS, "id": "\0", "side": "left", "phase": "single"}).encode(),
        {"bad_text": 1},
    ),
    (
        "kerbsafe/v1/acme/T1/health",
        json.dumps({"time": NOW_MS, "camera": "fine"}).encode(),
        {"unknown_value": 1},
    ),
    ("kerbsafe/v1/acme/T1/history", b"{}", {"missing_field": 1}),
]


def test_bad_input_is_named_and_harms_nobody(installation: Installation) -> None:
    registry = installation.folder / "registry.json"
    registry.write_text(
        json.dumps(
            {
                "companies": [{"code": "acme"}],
                "drivers": [{"code": "D1", "company": "acme", "name": NAME, "phone": PHONE}],
                "vehicles": [
                    {
                        "code": "T1",
                        "company": "acme",
                        "kind": "mixer",
                        "limit_kmh": 60,
                        "plate": PLATE,
                        "driver_on_duty": "D1",
                    }
                ],
            },
            ensure_ascii=False,
        ),
        "utf-8",
    )
    installation.kerbsafe("registry", "import", registry)
    expected: dict[str, int] = {}
    for _, _, rejects in BAD:
        for reason, count in rejects.items():
            expected[reason] = expected.get(reason, 0) + count
    with installation.process("ingest", log_level="debug"):
        asyncio.run(publish(installation))
        installation.wait_until("select count(*) from fix", 9_999 + 1)
        installation.wait_until("select coalesce(sum(rejected), 0)::int from batch", sum(expected.values()))
    found = dict(installation.rows("select reason, sum(observations)::int from reject group by 1"))
    assert found == expected
    assert installation.value("select sum(received - stored - duplicates - rejected)::int from batch") == 0
    # Topic and the first 4 KiB of the bytes are kept, so that the fault can be found.
    assert installation.rows("select count(*), max(length(payload)), min(length(topic)) > 0 from reject") == [
        (len(BAD), 100_000, True)
    ]
    log = (installation.folder / "ingest.log").read_text("utf-8")
    assert "Traceback" not in log
    assert "mqtt_up" in log  # it was written
    for personal in (PLATE, NAME, PHONE, str(LATITUDE), str(LONGITUDE)):
        assert personal not in log


async def publish(installation: Installation) -> None:
    """Send all that is bad, then a good fix that must still be taken."""
    async with aiomqtt.Client(
        installation.broker.host, installation.broker.port, protocol=aiomqtt.ProtocolVersion.V5
    ) as client:
        for topic, payload, _ in BAD:
            await client.publish(topic, payload, qos=1, timeout=30)
        await client.publish(GOOD, json.dumps(fix(20_000, speed_kmh=50)), qos=1)

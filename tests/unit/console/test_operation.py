"""Requests are understood as their types say, and refused with one clear sentence otherwise."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
from multidict import MultiDict

from console.models.alerts import AlertPlace, AlertQuery
from console.models.session import LiveQuery
from console.models.vehicles import TrackQuery, VehiclePlace, VehicleQuery
from console.operation import Operation, _understand
from console.problems import ProblemError
from console.server import OPERATIONS

BY_NAME = {one.name: one for one in OPERATIONS}


def understood(name: str, query: str) -> object:
    operation: Operation = BY_NAME[name]
    request = type(
        "Request", (), {"query": MultiDict(part.split("=", 1) for part in query.split("&") if part)}
    )()
    return _understand(operation.query, operation._query(request), "query")


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        ("listAlerts", "", AlertQuery()),
        (
            "listAlerts",
            "state=open&state=acknowledged&min_severity=3&ongoing=true",
            AlertQuery(state=["open", "acknowledged"], min_severity=3, ongoing=True),
        ),
        ("listAlerts", "rule=speeding", AlertQuery(rule=["speeding"])),
        (
            "listAlerts",
            "from=2026-11-22T08:00:00%2B08:00".replace("%2B", "+"),
            AlertQuery(from_=datetime(2026, 11, 22, tzinfo=UTC)),
        ),
        ("listVehicles", "q=浙F0&state=silent", VehicleQuery(q="浙F0", state="silent")),
        ("listVehicles", "q=null&company=null", VehicleQuery(q="null", company="null")),
        ("getTrack", "day=2026-11-22", TrackQuery(day=date(2026, 11, 22))),
        ("live", "after=17&positions=false", LiveQuery(after=17, positions=False)),
    ],
)
def test_queries(name: str, query: str, expected: object) -> None:
    assert understood(name, query) == expected


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("listAlerts", "limit=0", "`limit`|limit"),
        ("listAlerts", "limit=501", "limit"),
        ("listAlerts", "limit=ten", "Expected `int`"),
        ("listAlerts", "limit=10&limit=20", "`limit` more than once"),
        ("listAlerts", "sort=worst", "Invalid enum value"),
        ("listAlerts", "state=open&state=gone", "Invalid enum value"),
        ("listAlerts", "vehicle='; drop table alert; --", "matching regex"),
        ("listAlerts", "vehicle=" + "x" * 65, "matching regex"),
        ("listAlerts", "rule=<script>", "matching regex"),
        ("listAlerts", "from=yesterday", "RFC3339"),
        ("listAlerts", "until=0.5", "`until` is not an RFC 3339 time"),
        ("listAlerts", "until=2026-11-22Today", "RFC3339"),
        ("listAlerts", "from=2026-11-22T08:00:00", "timezone"),
        ("listAlerts", "severity=4", "unknown field `severity`"),
        ("listAlerts", "after=1", "matching regex"),
        ("listVehicles", "q=a\x00b", "matching regex"),
        ("listVehicles", "q=", "matching regex"),
        ("listVehicles", "state=null", "`state` is not a value"),
        ("listAlerts", "limit=null", "Expected `int`"),
        ("listAlerts", "ongoing=NULL", "`ongoing` is not a value"),
        ("getTrack", "day=2026-02-30", "RFC3339|date"),
        ("live", "after=-1", "Expected `int`"),
        ("live", "after=99999999999999999999", "Expected `int`|Integer"),
        ("getFences", "x=1", "unknown field `x`"),
    ],
)
def test_what_cannot_be_understood_is_named(name: str, query: str, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        understood(name, query)


def test_paths() -> None:
    identity = "6b657262-7361-4665-8000-657069736f64"
    assert _understand(AlertPlace, {"alert_id": identity}, "path") == AlertPlace(alert_id=uuid.UUID(identity))
    for bad in ("1", "../../etc/passwd", identity + "0"):
        with pytest.raises(ProblemError):
            _understand(AlertPlace, {"alert_id": bad}, "path")
    with pytest.raises(ProblemError):
        _understand(VehiclePlace, {"vehicle": "..%2f"}, "path")

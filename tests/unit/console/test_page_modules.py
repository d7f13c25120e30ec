"""The page computes what the server computes: datum, frames, the order of alerts. It runs under Node here."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np

from console.api.alerts import STEP
from console.frames import Positions, encode
from console.whereabouts import SILENT_US
from fleet.datum import wgs84_to_gcj02
from tests.unit.console.conftest import WEB

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_datum_of_the_tiles(run: Callable[..., Any]) -> None:
    """Within a millimetre of the server's formula, and untouched outside its rectangle."""
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-60, 70, 2000), rng.uniform(60, 150, 2000)
    found = run(
        "datum.ts",
        "wgs84ToGcj02",
        "(points) => points.map(([a, b]) => apply(a, b))",
        np.c_[lat, lon].tolist(),
    )
    expected = np.column_stack(wgs84_to_gcj02(lat, lon))
    assert np.abs(np.array(found) - expected).max() < 1e-8
    assert np.abs(expected - np.c_[lat, lon]).max() > 1e-3


def test_frames_of_positions(run: Callable[..., Any]) -> None:
    now_us = 1_764_000_000_123_456
    sent = Positions(
        np.array([7, 6000], np.int32),
        np.array([30_750_123, -33_900_001], np.int32),
        np.array([120_760_456, 18_420_002], np.int32),
        np.array([now_us - 350_000, now_us - 86_400_000_000], np.int64),
        np.array([423, -1], np.int16),
        np.array([359, -1], np.int16),
        np.array([False, True]),
    )
    body = """(text) => {
        const bytes = Uint8Array.from(Buffer.from(text, "base64"));
        const found = apply(bytes.buffer);
        const plain = (value) => (value.length >= 0 ? [...value] : value);
        return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, plain(value)]));
    }"""
    frame = encode(sent, now_us, 2.5)
    found = run("frames.ts", "decode", body, base64.b64encode(frame).decode())
    assert found == {
        "count": 2,
        "nowMs": 1_764_000_000_123.456,
        "rate": 2.5,
        "baseMs": 1_764_000_000_123,
        "id": [7, 6000],
        "latUdeg": [30_750_123, -33_900_001],
        "lonUdeg": [120_760_456, 18_420_002],
        "timeDs": [-4, -864_000],
        "speedDkmh": [423, -1],
        "courseDeg": [359, -1],
        "notWatched": [0, 1],
    }
    for broken in (b"", frame[:-1], b"KSP2" + frame[4:]):
        assert run("frames.ts", "decode", body, base64.b64encode(broken).decode()) is None


def test_the_order_of_the_queue(run: Callable[..., Any]) -> None:
    """What goes on comes first; then a step of severity counts as much as it does in the API."""
    minutes = int(STEP.total_seconds() // 60)

    def alert(name: str, minute: int, severity: int, *, ended: bool = True) -> dict[str, Any]:
        started = f"2026-11-22T08:{minute:02d}:00+00:00"
        common = {
            "alert_id": name,
            "vehicle": name,
            "severity": severity,
            "state": "open",
            "status": "provisional",
        }
        return {**common, "started_at": started, "ended_at": started if ended else None}

    feed = [
        alert("old and grave", 10, 3),
        alert("new and slight", 10 + 2 * minutes - 1, 1),
        alert("newer still", 10 + 2 * minutes + 1, 1),
        alert("goes on", 5, 1, ended=False),
        {**alert("dealt with", 59, 4), "state": "resolved"},
    ]
    body = """(feed) => {
        const alerts = new apply();
        alerts.take(feed.map((alert) => ({ id: 1, change: "opened", alert })));
        return [alerts.inOrder().map((alert) => alert.alert_id), alerts.severityOf("goes on")];
    }"""
    order, severity = run("alerts.ts", "Alerts", body, feed)
    assert order == ["goes on", "newer still", "old and grave", "new and slight"]
    assert severity == 1


def test_what_the_feed_tells_while_the_lists_are_read_is_kept(run: Callable[..., Any]) -> None:
    """The lists may be older than it; and lists that do not come are asked for again."""
    common = {"severity": 1, "state": "open", "status": "provisional", "ended_at": None}
    listed, told = (
        {**common, "alert_id": name, "vehicle": name, "started_at": "2026-11-22T08:00:00+00:00"}
        for name in ("listed", "told")
    )
    body = """async ([listed, told]) => {
        const again = [];
        globalThis.setTimeout = (act) => again.push(act);
        let answers = [{ ok: false, status: 503 }, { ok: false, status: 503 }];
        const page = { ok: true, status: 200, json: async () => ({ items: [listed], next: null }) };
        globalThis.fetch = async () => {
            const answer = answers.pop() ?? page;
            return { headers: new Map(), json: async () => ({}), ...answer };
        };
        const alerts = new apply();
        await alerts.load();
        const before = alerts.inOrder().length;
        again.pop()();
        alerts.take([{ id: 1, change: "opened", alert: told }]);
        await new Promise((done) => setImmediate(done));
        return [before, alerts.inOrder().map((alert) => alert.alert_id).sort()];
    }"""
    assert run("alerts.ts", "Alerts", body, [listed, told]) == [0, ["listed", "told"]]


def test_an_alert_is_new_also_if_a_list_brought_it_first(run: Callable[..., Any]) -> None:
    """It is announced when the feed tells of it, and not again when the feed tells of its end."""
    alert = {
        "alert_id": "a",
        "vehicle": "a",
        "severity": 3,
        "state": "open",
        "status": "provisional",
        "started_at": "2026-11-22T08:00:00+00:00",
        "ended_at": None,
    }
    body = """async (alert) => {
        const page = { items: [alert], next: null };
        globalThis.fetch = async () => ({ ok: true, headers: new Map(), json: async () => page });
        const alerts = new apply();
        const told = [];
        alerts.whenChanged((_, fresh) => told.push(fresh.length));
        await alerts.load();
        alerts.take([{ id: 1, change: "opened", alert }]);
        alerts.take([{ id: 2, change: "ended", alert }]);
        return told;
    }"""
    assert run("alerts.ts", "Alerts", body, alert) == [0, 1, 0]


def test_a_line_leaves_out_what_stands_and_breaks_at_gaps(run: Callable[..., Any]) -> None:
    """Seconds, and steps north in metres: two while it stands, a gap of 121 s, then a metre in a second."""
    seconds = [0, 1, 2, 3, 124, 125, 126]
    north_m = [0, 0.5, 10, 10.5, 11, 12, 14]
    track = {
        "time_ms": [s * 1000 for s in seconds],
        "lat": [30 + m / 111_000 for m in north_m],
        "lon": [120.0] * 7,
    }
    body = """(track) => [...apply(track)].map((place) => place && Math.round((place[0] - 30) * 111000))"""
    assert run("track.ts", "line", body, track) == [None, 0, 10, None, 11, 14]


def test_a_vehicle_is_grey_after_as_long_as_the_server_says(run: Callable[..., Any]) -> None:
    assert run("vehicles.ts", "SILENT_MS", "() => apply", None) * 1000 == SILENT_US


def test_the_page_is_typed(node: list[str]) -> None:
    tsc = WEB / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run([*node, str(tsc), "--noEmit"], check=False, cwd=WEB, capture_output=True, text=True)
    assert done.stdout + done.stderr == ""

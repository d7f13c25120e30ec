"""The page computes what the server computes: datum, frames, the order of alerts. It runs under Node here."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from alerts.words.transitions import Rule
from console.api.alerts import STEP
from console.frames import Positions, encode
from console.live_positions import SILENT_US
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


def test_a_click_on_tiles_is_a_place_of_wgs_84(run: Callable[..., Any]) -> None:
    """There and back again, to a hundredth of a metre."""
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(20, 50, 500), rng.uniform(80, 130, 500)
    shifted = np.column_stack(wgs84_to_gcj02(lat, lon))
    found = run(
        "datum.ts", "gcj02ToWgs84", "(points) => points.map(([a, b]) => apply(a, b))", shifted.tolist()
    )
    assert np.abs(np.array(found) - np.c_[lat, lon]).max() < 1e-7


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


#: A server whose answers are given, and a worklist that has read its first page of them.
_WORKLIST = """
    const asked = [];
    globalThis.fetch = async (path) => {
        asked.push(path.replace("/api/v1", ""));
        const answer = given.answers.shift() ?? { items: [], next: null, total: null };
        const isOk = typeof answer !== "number";
        const json = async () => (isOk ? answer : {});
        return { ok: isOk, status: isOk ? 200 : answer, headers: new Map(), json };
    };
    globalThis.setTimeout = (act, ms) => { if (ms < 20000) later.push(act); };
    globalThis.clearTimeout = () => {};
    const later = [];
    let tell;
    const list = new apply({ whenChanged: (listener) => { tell = listener; } });
    const turn = () => new Promise((done) => setImmediate(done));
    const known = (alert) => {
        const startedMs = Date.parse(alert.started_at);
        return { ...alert, startedMs, priority: startedMs + alert.severity * 900000 };
    };
    const told = (alerts, fresh = []) => {
        const all = alerts.map(known);
        tell(all, all.filter((_, i) => fresh.includes(i)));
    };
    const ids = () => list.inOrder().map((alert) => alert.alert_id);
    const seen = () => [ids().filter((id) => !id.startsWith("filler")), list.total, list.hasMore];
"""


def alert(name: str, minute: int, severity: int = 1, *, ended: bool = True, **more: Any) -> dict[str, Any]:
    started = f"2026-11-22T08:{minute:02d}:00+00:00"
    return {
        "alert_id": name,
        "vehicle": "mx00001",
        "company": "yi",
        "rule": "speeding",
        "severity": severity,
        "state": "open",
        "status": "provisional",
        "started_at": started,
        "ended_at": started if ended else None,
        **more,
    }


def page(*items: dict[str, Any], after: str | None = None, total: int | None = None) -> dict[str, Any]:
    found = None if total is None else {"count": total, "is_exact": True}
    return {"items": list(items), "next": after, "total": found}


def test_the_order_of_the_queue(run: Callable[..., Any]) -> None:
    """What goes on comes first; then a step of severity counts as much as it does in the API."""
    minutes = int(STEP.total_seconds() // 60)
    feed = [
        alert("old and grave", 10, 3),
        alert("new and slight", 10 + 2 * minutes - 1, 1),
        alert("newer still", 10 + 2 * minutes + 1, 1),
        alert("goes on", 5, 1, ended=False),
        alert("dealt with", 59, 4, state="resolved"),
    ]
    body = (
        "async (given) => {"
        + _WORKLIST
        + "list.read(); await turn(); told(given.feed); return [seen(), asked]; }"
    )
    (order, total, has_more), asked = run(
        "worklist.ts", "Worklist", body, {"answers": [page(total=0)], "feed": feed}
    )
    assert order == ["goes on", "newer still", "old and grave", "new and slight"]
    assert (total, has_more) == ({"count": 4, "is_exact": True}, False)
    assert asked == ["/alerts?sort=queue&limit=100&state=open&state=acknowledged&total=true"]


def test_what_lies_behind_the_list_is_counted_and_not_shown(run: Callable[..., Any]) -> None:
    """Only the server knows what is there: it is asked again when the feed tells of it."""
    fillers = [alert(f"filler {number}", 45) for number in range(98)]
    first = page(alert("a", 50), *fillers, alert("b", 40), after="cursor", total=107)
    body = (
        "async (given) => {"
        + _WORKLIST
        + """list.read(); await turn();
            const found = [];
            for (const [one, isFresh] of given.feed) { told([one], isFresh ? [0] : []); found.push(seen()); }
            const isAsked = asked.length;
            later.shift()(); await turn();
            found.push(seen());
            list.grow(); await turn(); await turn();
            return [found, isAsked, asked.slice(1), seen()];
        }"""
    )
    feed = [
        [alert("new", 55), True],
        [alert("b", 40, state="resolved"), False],
        [alert("behind", 30), True],
        [alert("of others", 58, severity=4, ended=False), False],
    ]
    answers = [first, page(alert("new", 55), total=109), page(alert("c", 30), alert("d", 20))]
    found, asked_before, asked, last = run(
        "worklist.ts", "Worklist", body, {"answers": answers, "feed": feed}
    )
    assert found == [
        [["new", "a", "b"], {"count": 108, "is_exact": True}, True],
        [["new", "a"], {"count": 107, "is_exact": True}, True],
        [["new", "a"], {"count": 107, "is_exact": True}, True],
        [["of others", "new", "a"], {"count": 107, "is_exact": True}, True],
        [["of others", "new", "a"], {"count": 109, "is_exact": True}, True],
    ]
    assert asked_before == 1
    query = "state=open&state=acknowledged"
    assert asked == [
        f"/alerts?sort=queue&limit=1&{query}&total=true",
        f"/alerts?sort=queue&limit=100&{query}&after=cursor",
    ]
    assert last == [["of others", "new", "a", "c", "d"], {"count": 103, "is_exact": True}, False]


def test_what_the_feed_tells_while_the_list_is_read_is_kept(run: Callable[..., Any]) -> None:
    """The list may be older than it; and a list that does not come is asked for again."""
    body = (
        "async (given) => {"
        + _WORKLIST
        + """list.read(); await turn(); await turn();
            const failed = [list.reply.is, list.total];
            later.shift()();
            told([given.told], [0]);
            await turn(); await turn();
            return [failed, list.reply.is, seen()];
        }"""
    )
    given = {"answers": [503, page(alert("listed", 1), total=1)], "told": alert("told", 2)}
    failed, now, (order, total, _) = run("worklist.ts", "Worklist", body, given)
    assert failed == ["failed", None]
    assert (now, order, total) == ("ready", ["told", "listed"], {"count": 2, "is_exact": True})


def test_an_alert_is_new_also_if_a_list_brought_it_first(run: Callable[..., Any]) -> None:
    """It is announced when the feed tells of it, and not again when the feed tells of its end."""
    one = alert("a", 1, 3, ended=False)
    body = """async (alert) => {
        const page = { items: [alert], next: null };
        globalThis.fetch = async () => ({ ok: true, headers: new Map(), json: async () => page });
        const alerts = new apply();
        const told = [];
        alerts.whenChanged((_, fresh) => told.push(fresh.length));
        alerts.read();
        await new Promise((done) => setImmediate(done));
        const severity = alerts.severityOf("mx00001");
        alerts.take([{ id: 1, change: "opened", alert }]);
        alerts.take([{ id: 2, change: "closed", alert: { ...alert, ended_at: alert.started_at } }]);
        return [told, severity, alerts.severityOf("mx00001")];
    }"""
    assert run("alerts.ts", "Alerts", body, one) == [[1, 0], 3, 0]


#: (answer, or status of a failure; what is known after it)
ANSWERS: list[tuple[list[Any], list[str]]] = [
    (["a"], ["ready"]),
    ([500, 502, "a"], ["failed since 1", "failed since 1", "ready"]),
    (["a", 500, 502, "b"], ["ready", "ready since 1", "ready since 1", "ready"]),
    ([404], ["refused"]),
    ([429, "a"], ["failed since 1", "ready"]),
    (["a", 404], ["ready", "refused"]),
    ([500, "a", 502], ["failed since 1", "ready", "ready since 2"]),
]


@pytest.mark.parametrize(("answers", "known"), ANSWERS)
def test_a_question_is_asked_until_there_is_an_answer(
    run: Callable[..., Any], answers: list[Any], known: list[str]
) -> None:
    """A failure never takes away what is known, and its time is that of the first."""
    body = """async (answers) => {
        globalThis.fetch = async () => {
            const answer = answers.shift();
            const isOk = typeof answer === "string";
            const problem = { type: "urn:kerbsafe:problem:x", detail: "" };
            const json = async () => (isOk ? answer : problem);
            return { ok: isOk, status: isOk ? 200 : answer, headers: new Map(), json };
        };
        const later = [];
        globalThis.setTimeout = (act, ms) => { if (ms < 20000) later.push(act); };
        globalThis.clearTimeout = () => {};
        let clock = 0;
        Date.now = () => ++clock;
        const heard = [];
        const question = new apply((signal) => get("/x", signal), (reply) => {
            const since = reply.trouble ? ` since ${reply.trouble.sinceMs}` : "";
            heard.push(reply.is + since);
        });
        question.ask();
        for (let turns = 0; turns < 20; turns++) {
            await new Promise((done) => setImmediate(done));
            if (answers.length === 0 || question.isUnderWay) continue;
            (later.shift() ?? (() => question.ask()))();
        }
        return heard;
    }"""
    assert run("question.ts", "Question", body, answers) == known


def test_the_rules_to_choose_from_are_those_that_alert(run: Callable[..., Any]) -> None:
    found = run("rules.ts", "RULES", "() => apply", None)
    assert sorted(found) == sorted(rule.name.lower() for rule in Rule if rule is not Rule.SITE)


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

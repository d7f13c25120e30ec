"""The words of an alert are true of its rule; and how times are rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from alerts.words.transitions import Rule

if TYPE_CHECKING:
    from collections.abc import Callable


def alert_of(rule: str, **more: Any) -> dict[str, Any]:
    """Return an alert that began at 08:00:00 UTC and lasted 20 s."""
    return {
        "alert_id": rule,
        "vehicle": "mx00001",
        "rule": rule,
        "severity": 2,
        "started_at": "2026-11-22T08:00:00+00:00",
        "ended_at": "2026-11-22T08:00:20+00:00",
        "ended_as": "closed",
        "decided_at": "2026-11-22T08:00:05+00:00",
        "peak": 0.0,
        "limit": 0.0,
        "limit_source": "rulebook",
        "measures": {},
        **more,
    }


#: Who ended it well, in words that are true of this rule; and what else may end one.
ENDINGS = {
    "speeding": "车速已降至限速以内",
    "right_turn_fast": "右转结束",
    "right_turn_lateral": "右转结束",
    "right_turn_no_stop": "右转结束",
    "conflict": "摄像头不再检出",
    "fatigue": "已停车休息",
    "unqualified": "行程结束或已更换驾驶员",
    "harsh_braking": "制动结束",
    "speed_disagrees": "车速与定位恢复一致",
    "forbidden": "已驶出该区域",
    "left_permitted": "已驶回允许通行区域",
    "dwell": "已驶离",
    "site": "已驶离",
    "camera_fault": "摄像头恢复正常",
    "power_cut": "主电源恢复供电",
    "offline": "已恢复上线",
    "clock_drift": "时钟恢复正常",
    "not_watched_live": "已恢复实时监控",
    "a_rule_of_tomorrow": "已结束",
}


def test_how_an_alert_ended_is_said_by_its_rule(read: Callable[..., Any]) -> None:
    assert ENDINGS.keys() == {rule.name.lower() for rule in Rule} | {"a_rule_of_tomorrow"}
    alerts = [alert_of(rule, ended_as=how) for rule in ENDINGS for how in ("closed", "lost", "rule_change")]
    expected = [text for own in ENDINGS.values() for text in (own, "数据中断，此后情况不明", "规则变更")]
    assert read("rules.ts", "endedAs", "(alerts) => alerts.map(apply)", alerts) == expected


@pytest.mark.parametrize(
    ("rule", "limit", "source", "expected"),
    [
        ("speeding", 60.0, "class", ["限速依据", "车辆限速（登记值或车型默认值）"]),
        ("speeding", 40.0, "zone", ["限速依据", "限速区 实验小学路段（该时段）"]),
        ("speeding", 50.0, "hour", ["限速依据", "规则规定的分时段限速"]),
        ("right_turn_fast", 20.0, "rulebook", ["限速依据", "规则规定的限值"]),
        ("fatigue", 14400.0, "rulebook", ["限值依据", "规则规定的限值"]),
        ("harsh_braking", 0.38, "rulebook", ["限值依据", "规则规定的限值"]),
        ("dwell", 1800.0, "fence", ["限值依据", "该区域自身规定"]),
        # What is not the area's own is the rulebook's, though the store says `class`.
        ("dwell", 5400.0, "class", ["限值依据", "规则规定的限值"]),
        # No limit ruled.
        ("forbidden", 0.0, "class", None),
        ("left_permitted", 0.0, "class", None),
        ("conflict", 20.0, "rulebook", None),
        ("speed_disagrees", 0.0, "rulebook", None),
        ("power_cut", 0.0, "rulebook", None),
        ("unqualified", 0.0, "rulebook", None),
        ("camera_fault", 0.0, "rulebook", None),
        ("offline", 600.0, "rulebook", None),
    ],
)
def test_which_limit_ruled_is_said_where_one_did(
    read: Callable[..., Any], rule: str, limit: float, source: str, expected: list[str] | None
) -> None:
    alert = alert_of(rule, limit=limit, limit_source=source)
    body = '(alert) => apply(alert, alert.limit_source === "zone" ? ["实验小学路段"] : [])'
    assert read("rules.ts", "limitSource", body, alert) == expected


TURN = {"detections": 1, "target": "pedestrian", "max_kmh": 11.6}
NOW_MS = 1_795_334_460_000  # 08:01:00 UTC of that day
FIGURES = [
    (
        alert_of("speeding", peak=83.5, limit=60.0),
        "83.5 / 60 km/h",
        [
            ["最高车速", "83.5", "km/h"],
            ["限速", "60", "km/h"],
            ["超出", "+39", "%"],
            ["持续时长", "20 秒", ""],
        ],
    ),
    (
        alert_of("conflict", peak=11.6, limit=20.0, measures=TURN | {"after_entry_s": -1.8}),
        "行人 · 右转前 1.8 秒 · 右转最高 11.6 km/h",
        [["右侧盲区内", "行人", ""], ["出现时刻", "右转前 1.8 秒", ""], ["当时车速", "9.5", "km/h"]],
    ),
    (
        alert_of(
            "conflict", peak=11.6, limit=20.0, measures=TURN | {"after_entry_s": 2.0, "target": "unknown"}
        ),
        "类型不明的目标 · 右转开始后 2 秒 · 右转最高 11.6 km/h",
        [
            ["右侧盲区内", "类型不明的目标", ""],
            ["出现时刻", "右转开始后 2 秒", ""],
            ["当时车速", "9.5", "km/h"],
        ],
    ),
    (
        alert_of("right_turn_no_stop", peak=18.2, limit=10.0),
        "进弯前最低 18.2 km/h",
        [["进弯前最低车速", "18.2", "km/h"], ["判定阈值", "10", "km/h"], ["持续时长", "20 秒", ""]],
    ),
    (
        # Told 5 s after it began; 55 s later it has lasted a minute.
        alert_of("forbidden", peak=5.0, ended_at=None, ended_as=None, measures={"fence": "old-town"}),
        "old-town · 1 分钟",
        [["区域内停留", "1 分钟", ""]],
    ),
    (alert_of("power_cut"), "", [["持续时长", "20 秒", ""]]),
    (alert_of("camera_fault", measures={"fault": "covered"}), "镜头被遮挡", [["持续时长", "20 秒", ""]]),
]


@pytest.mark.parametrize(("alert", "line", "of_page"), FIGURES, ids=lambda value: str(value)[:30])
def test_figures_say_what_the_rule_is_about(
    read: Callable[..., Any], alert: dict[str, Any], line: str, of_page: list[list[str]]
) -> None:
    assert read("rules.ts", "figures", f"(alert) => apply(alert, {NOW_MS})", alert) == line
    assert read("rules.ts", "pageFigures", f"(alert) => apply(alert, {NOW_MS}, 9.5)", alert) == of_page


@pytest.mark.parametrize(
    ("seconds", "lasts", "past"),
    [
        (0.0, "0 s", "now"),
        (4.9, "4 s", "now"),
        (59.9, "59 s", "59 s ago"),
        (19.9999, "20 s", "20 s ago"),  # times come in milliseconds
        (60, "1 min", "1 min ago"),
        (119.6, "1 min 59 s", "1 min ago"),
        (631, "10 min 31 s", "10 min ago"),
        (3599.9, "59 min 59 s", "59 min ago"),
        (7199, "1 h 59 min", "1 h ago"),
        (86_399, "23 h 59 min", "23 h ago"),
        (200_000, "2 d 7 h", "2 d ago"),
    ],
)
def test_an_age_and_a_duration_are_rounded_alike(
    read: Callable[..., Any], seconds: float, lasts: str, past: str
) -> None:
    """Down, both: what began a minute and 59 seconds ago has not lasted two minutes."""
    assert read("format.ts", "duration", "(s) => apply(s)", seconds, "en") == lasts
    assert read("format.ts", "ago", "(s) => apply(s)", seconds, "en") == past


def test_alerts_of_one_turn_stand_together(read: Callable[..., Any]) -> None:
    """By the entry of the turn: a conflict begins before or after it."""
    second = "2026-11-22T08:00:0{}+00:00"
    alerts = [
        alert_of(
            "conflict",
            alert_id="a",
            started_at="2026-11-22T07:59:58.234+00:00",
            measures={"after_entry_s": -1.8},
        ),
        alert_of("speeding", alert_id="b", started_at=second.format(0)),
        alert_of("right_turn_fast", alert_id="c", started_at=second.format(0)),
        alert_of("right_turn_fast", alert_id="d", started_at=second.format(0), vehicle="mx00002"),
        alert_of("right_turn_no_stop", alert_id="e", started_at=second.format(0)),
        alert_of("right_turn_lateral", alert_id="f", started_at=second.format(9)),
    ]
    body = "(alerts) => apply(alerts).map((group) => group.map((one) => one.alert_id))"
    assert read("groups.ts", "byTurn", body, alerts) == [["a", "c", "e"], ["b"], ["d"], ["f"]]


def test_where_and_how_fast_it_was_between_two_fixes(run: Callable[..., Any]) -> None:
    """Half-way between them; nobody knows across a gap, or where a fix has no position or speed."""
    track = {
        "time_ms": [0, 2000, 4000, 200_000],
        "lat": [30.0, 30.002, None, 31.0],
        "lon": [120.0, 120.004, None, 121.0],
        "speed_kmh": [10, 20, 40, None],
    }
    times = [-1, 0, 1000, 2000, 3000, 100_000, 200_000, 200_001]
    body = "([track, times]) => times.map((ms) => apply(track, ms))"
    places = run("track.ts", "placeWhen", body, [track, times])
    assert places[:2] == [None, [30.0, 120.0]]
    assert places[2] == pytest.approx([30.001, 120.002])
    assert places[3:] == [[30.002, 120.004], None, None, [31.0, 121.0], None]
    speeds = run("track.ts", "speedWhen", body, [track, times])
    assert speeds == [None, 10, 15, 20, 30, None, None, None]

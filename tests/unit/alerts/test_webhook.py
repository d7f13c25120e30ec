"""What is sent, how it is signed, and what an answer means."""

from __future__ import annotations

import base64
import json
import uuid

import pytest

from alerts.notices.channels.webhook import Notice, Outcome, Webhook, body_of, judge, sign
from alerts.notices.outbox import MAX_TRIES, pause_s

NOTICE = Notice(
    uuid.UUID(int=7),
    "raised",
    "2026-11-22T10:00:00Z",
    {"alert_id": "a1", "vehicle": "mx00001", "rule": "conflict"},
    2,
)


def test_the_signature_of_the_specification() -> None:
    """The example of standardwebhooks.com."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_body() -> None:
    assert json.loads(body_of(NOTICE, "https://desk.example.cn")) == {
        "type": "alert.raised",
        "timestamp": "2026-11-22T10:00:00Z",
        "data": {
            "alert": {"alert_id": "a1", "vehicle": "mx00001", "rule": "conflict"},
            "repeats_not_told": 2,
            "url": "https://desk.example.cn/alerts/a1",
        },
    }
    assert "url" not in json.loads(body_of(NOTICE, None))["data"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (202, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (301, Outcome.REFUSED),
        (307, Outcome.REFUSED),
        (304, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (401, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (408, Outcome.RETRY),
        (410, Outcome.REFUSED),
        (425, Outcome.RETRY),
        (429, Outcome.RETRY),
        (500, Outcome.RETRY),
        (503, Outcome.RETRY),
        (599, Outcome.RETRY),
    ],
)
def test_what_an_answer_means(status: int, outcome: Outcome) -> None:
    assert judge(status).outcome is outcome
    assert str(status) in judge(status).said


@pytest.mark.parametrize(
    ("asked", "pause"),
    [("", 0), ("30", 30), ("999999999", 3600), ("-5", 0), ("soon", 0), ("٣", 0), ("1e9", 0)],
)
def test_a_receiver_may_ask_for_a_pause(asked: str, pause: float) -> None:
    assert judge(429, asked).pause_s == pause


def test_pauses_grow_and_end() -> None:
    middle = [pause_s(tries, 0, 0.5) for tries in range(1, MAX_TRIES)]
    assert middle == [5, 15, 45, 135, 405, 1215, 3600, 3600, 3600]
    assert pause_s(1, 0, 0.0) == 4
    assert pause_s(1, 0, 0.999) < 6
    assert pause_s(1, 60, 0.5) == 60


def test_nothing_shows_the_secret_by_accident() -> None:
    shown = repr(Webhook("https://hooks.example/hunter2", b"hunter2"))
    assert "hunter2" not in shown

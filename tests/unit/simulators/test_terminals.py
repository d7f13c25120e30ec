"""Simulated terminals by the rules, at a platform's session without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.wire.jt808 import Decoded, Session, decode
from fleet.wire.jt808.events import Answered, Authentication, Received, Registration, Reported, Send
from simulators.messages import Message
from simulators.terminals.reports import Reporter, Told
from simulators.terminals.terminal import State, Terminal

FIX = "kerbsafe/v1/acme/T1/{}"


def fix(second: int, **more: Any) -> Message:
    extra = "".join(f', "{name}": {value}' for name, value in more.items())
    payload = f'{{"time": "2026-03-15T02:15:{second:02d}.700Z", "lat": 30.7, "lon": 120.7{extra}}}'
    return Message(0, FIX.format("fix"), payload.encode())


class Platform:
    """A platform that stores everything, or answers nothing while it is `mute`."""

    def __init__(self) -> None:
        self.session = Session(0.0)
        self.came: list[Decoded] = []
        self.mute = False

    def take(self, data: bytes, now_s: float = 0.0) -> bytes:
        """Take what a terminal sends; return what is sent to it."""
        out = b""
        for event in self.session.receive(data, now_s):
            answers = self._decide(event, now_s)
            out += b"".join(one.data for one in answers if isinstance(one, Send))
        return out

    def _decide(self, event: Any, now_s: float) -> list[Any]:
        match event:
            case Send():
                return [event]
            case Registration(message):
                return self.session.registered(message, "0123")
            case Authentication(message):
                right = message.body["auth_code"] == "0123"
                return self.session.authenticated(message, now_s, accepted=right)
            case Reported(frame, _):
                self.came.append(decode(frame))
                return [] if self.mute else self.session.stored(event)
            case Received(message) | Answered(_, message):
                self.came.append(message)
                return [] if self.mute else self.session.stored(message)
        return []


def talk(terminal: Terminal, platform: Platform, data: bytes, now_s: float = 0.0) -> None:
    """Let both speak until nobody has anything to say."""
    while data:
        data = terminal.receive(platform.take(data, now_s), now_s)


def come_in(terminal: Terminal, platform: Platform, now_s: float = 0.0) -> None:
    talk(terminal, platform, terminal.connected(now_s), now_s)
    assert terminal.state is State.OPEN


@pytest.mark.parametrize("phone", ["13912345678", "13912345678901234567"])
def test_a_terminal_registers_once_and_shows_its_code_at_each_connection(phone: str) -> None:
    terminal = Terminal(phone)
    come_in(terminal, Platform())
    assert terminal.code == "0123"
    terminal.disconnected()
    first = terminal.connected(9.0)
    assert first[1:3] == bytes.fromhex("0102")


def test_a_code_that_the_platform_no_longer_knows_is_got_again() -> None:
    terminal = Terminal("13912345678", code="of another platform")
    come_in(terminal, Platform())
    assert terminal.code == "0123"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"speed_kmh": 36.04}, {"recorder_speed_kmh": 36.0}),
        ({"odometer_km": 12_345.6}, {"mileage_km": 12_345.6}),
        ({"signals": '{"right_indicator": true, "brake": false}'}, {"signals": ["right_turn"]}),
        ({"satellites": 9}, {"satellites": 9}),
        ({}, {}),
    ],
)
def test_a_report_tells_what_the_unit_knows_and_nothing_else(said: Any, expected: Any) -> None:
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    told = Reporter().take(fix(30, **said))
    assert told is not None
    talk(terminal, platform, terminal.tell(told, 0.0))
    (position,) = platform.came[0].positions
    assert (position.lat_udeg, position.lon_udeg, position.time_digits) == (
        30_700_000,
        120_700_000,
        "260315101530",
    )
    assert {name: value for item in position.items for name, value in item.values.items()} == expected
    assert terminal.tally.acknowledged == 1
    assert terminal.is_done


def test_what_the_camera_sees_and_how_it_is_come_with_the_next_report() -> None:
    reporter = Reporter()
    seen = b'{"time": "2026-03-15T02:15:29Z", "id": "a7", "side": "right", "phase": "start"}'
    assert reporter.take(Message(0, FIX.format("camera"), seen)) is None
    covered = b'{"time": "2026-03-15T02:15:29Z", "camera": "covered"}'
    assert reporter.take(Message(0, FIX.format("health"), covered)) is None
    told = reporter.take(fix(30))
    assert told is not None
    assert [item.id for item in told.positions[0].items] == [0x14, 0x67]
    later = reporter.take(fix(31))
    assert later is not None
    assert [item.id for item in later.positions[0].items] == [0x14]
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    talk(terminal, platform, terminal.tell(told, 0.0))
    video, sighting = platform.came[0].positions[0].items
    assert video.values == {"video_alarms": ["video_occlusion"]}
    alarm = sighting.values["active_safety"]
    assert (alarm["type"], alarm["flag"], alarm["time"]) == (3, 1, "2026-03-15T02:15:29Z")


def test_what_is_seen_last_of_all_is_told_too() -> None:
    reporter = Reporter()
    reporter.take(fix(30))
    seen = b'{"time": "2026-03-15T02:15:31Z", "id": "a7", "side": "right", "phase": "end"}'
    reporter.take(Message(0, FIX.format("camera"), seen))
    rest = reporter.rest()
    assert rest is not None
    assert [item.id for item in rest.positions[0].items] == [0x67]
    assert reporter.rest() is None


def told(*seconds: int) -> Told:
    reporter = Reporter()
    reports = [one for second in seconds if (one := reporter.take(fix(second))) is not None]
    return Told(tuple(position for one in reports for position in one.positions))


def test_what_is_not_acknowledged_is_sent_again_by_the_standards_timing() -> None:
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    platform.mute = True
    talk(terminal, platform, terminal.tell(told(1), 0.0))
    sent_at_s = []
    for second in range(1, 400):
        repeated = terminal.tally.repeated
        terminal.tick(float(second))
        if terminal.tally.repeated > repeated:
            sent_at_s.append(second)
        if terminal.gives_up:
            break
    # 10 s, then twice, three times and four times as long as before; then the connection is worth nothing.
    assert sent_at_s == [10, 30, 90]
    assert terminal.gives_up
    assert second == 330


def test_what_no_connection_took_comes_as_a_batch_of_kept_reports_on_the_next() -> None:
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    platform.mute = True
    talk(terminal, platform, terminal.tell(told(1, 2), 0.0))
    terminal.disconnected()
    assert terminal.tell(told(*range(3, 43)), 1.0) == b""
    again = Platform()
    come_in(terminal, again, 2.0)
    assert [(one.header and one.header.message_id, one.body["type"]) for one in again.came] == [
        (0x0704, 1),
        (0x0704, 1),
    ]
    seconds = [int(p.time_digits[-2:]) for one in again.came for p in one.positions]
    assert seconds == list(range(1, 43))
    assert terminal.is_done
    assert (terminal.tally.acknowledged, terminal.tally.kept) == (42, 42)


def test_orders_are_carried_out_and_answered() -> None:
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    for message_id, values in (
        (0x8300, {"flag": 9, "text": "右侧有人"}),
        (0x8103, {"params": [{"id": "0x0029", "value": 1}]}),
        (0x8104, {}),
        (0x8105, {"command": 4, "args": ""}),
    ):
        _, events = platform.session.order(message_id, values, 0.0)
        for event in events:
            assert isinstance(event, Send)
            talk(terminal, platform, terminal.receive(event.data, 0.0))
    assert terminal.texts == ["右侧有人"]
    general = [(one.body["ack_id"], one.body["result"]) for one in platform.came if "ack_id" in one.body]
    assert general == [("0x8300", 0), ("0x8103", 0), ("0x8105", 3)]
    (parameters,) = (one.body["params"] for one in platform.came if "params" in one.body)
    assert [(one["id"], one["value"]) for one in parameters] == [("0x0029", 1)]


def test_a_unit_that_sends_rubbish_is_answered_nothing_and_waits_for_nothing() -> None:
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    broken = Reporter().take(Message(0, FIX.format("fix"), b'{"time": "2026-03-15T02'))
    assert broken is not None
    assert broken.is_garbled
    assert platform.take(terminal.tell(broken, 0.0)) == b""
    assert terminal.is_done


def test_silence_is_broken_by_heartbeats() -> None:
    terminal, platform = Terminal("13912345678"), Platform()
    come_in(terminal, platform)
    assert terminal.tick(59.0) == b""
    assert terminal.tick(60.0)[1:3] == bytes.fromhex("0002")
    assert terminal.tick(61.0) == b""

"""A platform's side of a terminal's connection, as playbooks: what comes in, what goes out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fleet.wire.jt808 import Decoded, Jt808Error, Policy, Session
from fleet.wire.jt808.codec import Sender
from fleet.wire.jt808.columns import read_reports
from fleet.wire.jt808.events import (
    Answered,
    Authentication,
    Close,
    Event,
    Received,
    Refused,
    Registration,
    Reported,
    Send,
    Unanswered,
)
from fleet.wire.jt808.orders import Timing
from fleet.wire.jt808.session import State
from tests.unit.fleet.wire.jt808.frames import BASE, OLD_PHONE, read

if TYPE_CHECKING:
    from pathlib import Path

FRAGMENTED = {"type": 1, "hex": "aa" * 2000}


class Play:
    """A terminal, and a platform that stores and accepts everything."""

    def __init__(self, *, policy: Policy | None = None, serial: int = 0, code: str = "1001") -> None:
        self.session = Session(0.0, policy=policy, serial=serial)
        self.terminal = Sender(2013, OLD_PHONE)
        self.code = code
        self.now_s = 0.0

    def hears(self, message_id: int, body: str = "") -> list[str]:
        """Let the terminal send a message; return what happens, in words."""
        return self.happens(self.terminal.build_raw(message_id, bytes.fromhex(body)))

    def happens(self, frames: list[bytes]) -> list[str]:
        return [word for frame in frames for event in self.takes(frame) for word in self.answers(event)]

    def takes(self, frame: bytes) -> list[Event]:
        return self.session.receive(frame, self.now_s)

    def answers(self, event: Event) -> list[str]:
        match event:
            case Registration(message):
                return self.words(self.session.registered(message, self.code))
            case Authentication(message):
                accepted = message.body["auth_code"] == self.code
                return self.words(self.session.authenticated(message, self.now_s, accepted=accepted))
            case Received(message):
                return ["stored", *self.words(self.session.stored(message))]
            case Reported():
                return ["stored", *self.words(self.session.stored(event))]
        return self.words([event])

    def words(self, events: list[Event]) -> list[str]:
        return [word(event) for event in events]

    def at(self, now_s: float) -> list[str]:
        """Let time pass."""
        self.now_s = now_s
        return self.words(self.session.tick(now_s))

    def opened(self) -> Play:
        assert self.hears(0x0102, "31303031") == ["0x8001 0x0102 0"]
        return self


def word(event: Event) -> str:
    match event:
        case Send(data):
            said = read(data)
            return " ".join([f"0x{said.header.message_id:04x}", *_said(said)]) if said.header else "?"
        case Refused(_, reason):
            return f"refused: {reason}"
        case Answered(order, message):
            return f"answered {order.number}: {message.body}"
        case Unanswered(order):
            return f"unanswered {order.number}"
        case Close(reason):
            return f"close: {reason}"
    return type(event).__name__


def _said(message: Decoded) -> list[str]:
    names = ("ack_id", "result", "auth_code", "media_id", "ids", "text", "server_time")
    return [str(message.body[name]).replace(" ", "") for name in names if name in message.body]


def test_register_authenticate_report() -> None:
    play = Play()
    assert play.hears(0x0200, BASE) == ["refused: not authenticated"]
    assert play.hears(0x0102, "39393939") == ["0x8001 0x0102 1"]
    assert play.hears(0x0100, "0021" + "00" * 35 + "41") == ["0x8100 0 1001"]
    assert play.hears(0x0102, "31303031") == ["0x8001 0x0102 0"]
    assert play.hears(0x0002) == ["0x8001 0x0002 0"]
    assert play.hears(0x0200, BASE) == ["stored", "0x8001 0x0200 0"]
    assert play.hears(0x0003) == ["0x8001 0x0003 0"]
    assert play.hears(0x0200, BASE) == ["refused: not authenticated"]


def test_a_lenient_platform_takes_reports_of_terminals_that_never_authenticate() -> None:
    assert Play(policy=Policy(lenient=True)).hears(0x0200, BASE) == ["stored", "0x8001 0x0200 0"]


def test_a_registration_may_be_refused() -> None:
    session = Session(0.0)
    (event,) = session.receive(Sender(2013, OLD_PHONE).build_raw(0x0100, b"\0" * 37)[0], 0.0)
    assert isinstance(event, Registration)
    assert [word(one) for one in session.registered(event.message, None, result=2)] == ["0x8100 2"]


def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    play = Play().opened()
    (event,) = play.takes(play.terminal.build_raw(0x0200, bytes.fromhex(BASE))[0])
    assert isinstance(event, Reported)
    assert read_reports([event.frame]).lat_udeg.tolist() == [31_234_567]
    assert [word(one) for one in play.session.stored(event)] == ["0x8001 0x0200 0"]


@pytest.mark.parametrize(
    ("message_id", "body", "happens"),
    [
        (0x0001, "00648300" + "00", ["stored"]),  # an answer to nothing is not answered
        (0x0201, "0007" + BASE, ["stored"]),
        (0x6006, "aa", ["refused: unsupported", "0x8001 0x6006 3"]),
        (0x0704, "00", ["refused: incorrect", "0x8001 0x0704 2"]),
        (0x0801, "0000007b00000301" + BASE + "ffd8", ["stored", "0x8800 123"]),
    ],
)
def test_what_is_answered_how(message_id: int, body: str, happens: list[str]) -> None:
    assert Play().opened().hears(message_id, body) == happens


def test_the_time_is_told() -> None:
    play = Play().opened()
    play.now_s = 1_773_540_930.5
    assert play.hears(0x0004) == ["0x8004 2026-03-15T02:15:30Z"]


def test_another_telephone_on_the_same_connection() -> None:
    play = Play().opened()
    play.terminal.phone_bcd = bytes.fromhex("013900000000")
    assert play.hears(0x0200, BASE) == ["refused: another telephone than that of the connection"]


def test_fragments_are_acknowledged_each_and_only_when_all_is_stored() -> None:
    """What is acknowledged is not sent again: of half a message nothing may be."""
    play = Play().opened()
    frames = play.terminal.build(0x0900, FRAGMENTED)
    assert play.happens(frames[:1]) == []
    (event,) = play.takes(frames[1])
    assert isinstance(event, Received)
    answers = [read(one.data).body for one in play.session.stored(event.message) if isinstance(one, Send)]
    assert [one["ack_serial"] for one in answers] == [1, 2]
    assert [one["result"] for one in answers] == [0, 0]


def test_a_terminal_that_sends_a_fragment_only_after_the_one_before_was_acknowledged() -> None:
    """It says so by sending one again; from then on each is acknowledged as it comes."""
    play = Play().opened()
    first, second = play.terminal.build(0x0900, FRAGMENTED)
    assert play.happens([first]) == []
    assert play.happens([first]) == ["0x8001 0x0900 0"]
    assert play.happens([second]) == ["stored", "0x8001 0x0900 0"]
    first, second = play.terminal.build(0x0900, FRAGMENTED)
    assert play.happens([first]) == ["0x8001 0x0900 0"]
    assert play.happens([second]) == ["stored", "0x8001 0x0900 0"]


def test_a_fragmented_message_that_nobody_knows_is_refused_as_a_whole() -> None:
    play = Play().opened()
    frames = play.terminal.build_raw(0x6006, b"\xaa" * 2000)
    assert play.happens(frames) == ["refused: unsupported", "0x8001 0x6006 3", "0x8001 0x6006 3"]


def test_a_missing_fragment_is_asked_for() -> None:
    play = Play().opened()
    first, second = play.terminal.build(0x0900, FRAGMENTED)
    play.happens([second])
    assert play.at(5.0) == ["0x8003 [1]"]
    assert play.happens([first]) == ["stored", "0x8001 0x0900 0", "0x8001 0x0900 0"]


def test_an_order_that_is_too_late_is_not_sent() -> None:
    play = Play().opened()
    _, events = play.session.order(0x8300, {"flag": 8, "text": "一"}, 0.0, expires_s=5.0)
    assert play.words(events) == ["0x8300 一"]
    play.session.order(0x8300, {"flag": 8, "text": "二"}, 0.0, expires_s=8.0)
    assert play.at(9.9) == [], "an answer to the first may still come"
    assert play.at(10.0) == ["unanswered 1", "unanswered 2"]


def test_an_order_is_sent_again_by_the_standards_timing() -> None:
    """The wait after the n-th time is the one before times n: 10, 10, 20, 60 s."""
    play = Play(policy=Policy(idle_s=1000, timing=Timing(first_wait_s=10, resends=3))).opened()
    number, events = play.session.order(0x8300, {"flag": 8, "text": "慢"}, 0.0)
    assert (number, play.words(events)) == (1, ["0x8300 慢"])
    sent = {now: play.at(float(now)) for now in (9, 10, 19, 20, 39, 40, 99, 100)}
    assert {now for now, words in sent.items() if words == ["0x8300 慢"]} == {10, 20, 40}
    assert sent[100] == ["unanswered 1"]


def test_orders_are_sent_one_after_the_other() -> None:
    play = Play().opened()
    play.session.order(0x8300, {"flag": 8, "text": "一"}, 0.0)
    assert play.session.order(0x8104, {}, 0.0) == (2, [])
    assert play.hears(0x0001, "0009" + "8300" + "00") == ["stored"], "of another serial"
    done = "answered 1: {'ack_serial': 1, 'ack_id': '0x8300', 'result': 0}"
    assert play.hears(0x0001, "0001" + "8300" + "00") == [done, "0x8104"]
    assert play.hears(0x0001, "0002" + "8104" + "00") == ["stored"], "its parameters follow"
    assert play.hears(0x0104, "000200") == ["answered 2: {'ack_serial': 2, 'params': []}"]


def test_an_order_refused_by_the_terminal_is_answered() -> None:
    play = Play().opened()
    play.session.order(0x8104, {}, 0.0)
    (said,) = play.hears(0x0001, "0001" + "8104" + "03")
    assert said.startswith("answered 1")


def test_orders_wait_for_authentication() -> None:
    play = Play()
    with pytest.raises(Jt808Error, match="has not said who it is"):
        play.session.order(0x8104, {}, 0.0)
    play.hears(0x0002)
    assert play.session.order(0x8104, {}, 0.0) == (1, [])
    assert play.hears(0x0102, "31303031") == ["0x8001 0x0102 0", "0x8104"]


def test_orders_do_not_pile_up() -> None:
    play = Play().opened()
    for _ in range(32):
        play.session.order(0x8104, {}, 0.0)
    with pytest.raises(Jt808Error, match="32 orders wait for the terminal already"):
        play.session.order(0x8104, {}, 0.0)


def test_an_empty_code_is_never_given() -> None:
    session = Session(0.0)
    (event,) = session.receive(Sender(2013, OLD_PHONE).build_raw(0x0100, b"\0" * 37)[0], 0.0)
    assert isinstance(event, Registration)
    with pytest.raises(Jt808Error, match="answered with a code"):
        session.registered(event.message, "")


def test_who_logs_out_may_authenticate_again() -> None:
    play = Play().opened()
    play.now_s = 100.0
    play.hears(0x0003)
    assert play.at(129.0) == []
    assert play.at(130.0) == ["close: the terminal did not authenticate"]


def test_fragments_of_strangers_are_not_kept() -> None:
    play = Play()
    first, _ = play.terminal.build(0x0900, FRAGMENTED)
    assert play.happens([first]) == ["refused: not authenticated"]
    assert play.session._assembler.waiting_bytes == 0


def test_a_terminal_that_registered_by_2011_before() -> None:
    session = Session(0.0, edition=2011, policy=Policy(lenient=True))
    session.receive(Sender(2013, OLD_PHONE).build(0x0002, {})[0], 0.0)
    _, (event,) = session.order(0x8103, {"total": 0, "params": []}, 0.0)
    assert isinstance(event, Send)
    assert read(event.data).payload.hex() == "0000"


def test_what_was_not_answered_when_the_connection_ends_is_told() -> None:
    play = Play().opened()
    play.session.order(0x8104, {}, 0.0)
    play.session.order(0x8107, {}, 0.0)
    assert play.words(play.session.end()) == ["unanswered 1", "unanswered 2"]
    assert play.session.state is State.CLOSED
    assert play.hears(0x0002) == []


def test_patience_ends() -> None:
    assert Play().at(30.0) == ["close: the terminal did not authenticate"]
    play = Play().opened()
    assert play.at(179.0) == []
    assert play.at(180.0) == ["close: nothing was heard of the terminal"]


def test_rubbish_ends_the_connection_a_bad_frame_does_not() -> None:
    play = Play().opened()
    bad = bytes.fromhex("7e000200000139123456780005007e")
    assert play.words(play.takes(bad)) == ["refused: checksum: frame 0x00, computed 0x37"]
    play.hears(0x0002)
    last = [play.words(play.takes(bad)) for _ in range(10)][-1]
    assert last[1] == "close: no frames of a terminal"


def test_a_terminal_of_2011_is_spoken_to_as_one() -> None:
    play = Play()
    play.hears(0x0100, "00210190" + "3730313037" + "48422d5230330000" + "32333636313034" + "02" + "41")
    play.opened()
    _, (event,) = play.session.order(0x8103, {"total": 1, "params": [{"id": "0x0029", "value": 5}]}, 0.0)
    assert isinstance(event, Send)
    assert read(event.data).payload.hex() == "0101" + "000000290400000005"


# -- recorded by others


def recorded(shared_data: Path, name: str) -> list[dict[str, Any]]:
    path = shared_data / "jt808" / "sessions.json"
    if not path.is_file():
        pytest.skip(f"the recorded sessions are not here: no file {path}")
    sessions = json.loads(path.read_text("utf-8"))["sessions"]
    frames: list[dict[str, Any]] = next(one["frames"] for one in sessions if one["id"] == name)
    return frames


def replay(play: Play, frames: list[dict[str, Any]]) -> None:
    """Feed what the terminal sent; what the platform sent must follow, byte for byte."""
    waiting: list[str] = []
    for frame in frames:
        data = bytes.fromhex(frame["hex"])
        if frame["from"] == "terminal":
            for event in play.takes(data):
                match event:
                    case Registration(message):
                        answers = play.session.registered(message, play.code)
                    case Authentication(message):
                        accepted = message.body["auth_code"] == play.code
                        answers = play.session.authenticated(message, 0.0, accepted=accepted)
                    case Received(message):
                        answers = play.session.stored(message)
                    case Reported():
                        answers = play.session.stored(event)
                    case _:
                        answers = [event]
                waiting += [one.data.hex() for one in answers if isinstance(one, Send)]
            continue
        if not waiting:  # not an answer: an order
            said = read(data)
            assert said.header is not None
            _, events = play.session.order(said.header.message_id, said.body, 0.0)
            waiting += [one.data.hex() for one in events if isinstance(one, Send)]
        assert waiting.pop(0) == frame["hex"]
    assert waiting == []


def test_a_terminal_of_2019_that_reports_a_camera_alarm(shared_data: Path) -> None:
    frames = recorded(shared_data, "2019-terminal-with-attachments")[1:]
    order = next(i for i, frame in enumerate(frames) if frame["hex"].startswith("7e9208"))
    frames[order - 1 : order + 1] = [frames[order], frames[order - 1]]  # the log has the answer first
    replay(Play(serial=1, code="20232609559"), frames)


def test_a_terminal_whose_recordings_are_asked_for(shared_data: Path) -> None:
    """It shows another code than it was given, and the platform talks to it all the same."""
    frames = recorded(shared_data, "recorded-files-asked-for-and-uploaded-by-ftp")
    replay(Play(policy=Policy(lenient=True), code="1001"), frames)


@pytest.mark.parametrize("name", ["attachment-three-chunks", "attachment-announced-but-missing"])
def test_files_that_are_announced_are_acknowledged(shared_data: Path, name: str) -> None:
    play = Play(policy=Policy(lenient=True))
    for frame in recorded(shared_data, name):
        said = read(frame["hex"])
        assert said.header is not None
        ack = f"0x8001 0x{said.header.message_id:04x} 0"
        assert play.happens([bytes.fromhex(frame["hex"])]) == ["stored", ack]

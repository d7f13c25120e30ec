import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.schedule import CIVIL_ZONE
from fleet.trackfile import Options, Recorded, Recording, TrackError, format_recorded, parse


def recording(data: str | bytes) -> Recording:
    parsed = parse("out/messages.ndjson", data.encode() if isinstance(data, str) else data)
    assert isinstance(parsed, Recording)
    return parsed


def refusal(data: bytes) -> str | None:
    try:
        recording(data)
    except TrackError as error:
        return str(error)
    return None


def test_messages_as_they_arrived() -> None:
    recorded = recording(
        '{"at":"2026-08-22T18:00:00.5+08:00","topic":"kerbsafe/v1/c/v/ack",'
        '"payload":{"time": 1,"lat":1.5}}\r\n'
        "\n"
        '{"at":1787392801000,"topic":"t","payload":[ {},3 ],"qos":1}\n'
        '{"at":1787392801000,"topic":"t","payload":"{\\"time\\":"}\n'
        '{"at":1787392801000,"topic":"t","payload":""}\n'
        '{"at":1787392801000,"topic":"t","payload_base64":"//4="}'
    )
    assert recorded.name == "messages"
    assert recorded.messages == [
        Recorded(1_787_392_800_500_000, "kerbsafe/v1/c/v/ack", b'{"time": 1,"lat":1.5}'),
        Recorded(1_787_392_801_000_000, "t", b"[ {},3 ]"),
        Recorded(1_787_392_801_000_000, "t", b'{"time":'),
        Recorded(1_787_392_801_000_000, "t", b""),
        Recorded(1_787_392_801_000_000, "t", b"\xff\xfe"),
    ]


@given(
    st.lists(
        st.builds(
            Recorded,
            st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
            st.text(),
            st.binary()
            | st.text().map(str.encode)
            | st.sampled_from([b"{}", b"[1]", b" {}", b"{\n}", b'{"a":1}', b"3"]),
        ),
        min_size=1,
    )
)
def test_what_is_written_is_read(messages: list[Recorded]) -> None:
    assert recording(b"\n".join(map(format_recorded, messages))).messages == messages


def test_a_good_payload_is_written_as_json_that_people_can_read() -> None:
    line = format_recorded(Recorded(0, "t", b'{"time":1}'))
    assert line == b'{"at":"1970-01-01T00:00:00Z","topic":"t","payload":{"time":1}}'


GOOD = '{"at":1,"topic":"t","payload":{}}\n'


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"at":1,"topic":"t"}', "it has neither `payload` nor `payload_base64`"),
        ('{"at":1,"topic":', "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ('{"topic":"t","payload":1}', "Object missing required field `at`"),
        ('{"at":"noon","topic":"t","payload":1}', "Invalid RFC3339"),
        ('{"at":"2026-08-22T10:00:00","topic":"t","payload":1}', "with a timezone component - at `$.at`"),
        ('{"at":"0001-01-01T00:00:00+01:00","topic":"t","payload":1}', "`at` is not in the years"),
        ('{"at":1,"topic":"t","payload_base64":"?"}', ""),
        ("[" * 100_000, ""),
        ("x" * (9 << 20), "longer than 8 MiB"),
        (b'{"at":1,"topic":"t","payload":"\xff"}', ""),
    ],
)
def test_a_line_that_is_no_message_is_left_out_and_counted(line: str | bytes, why: str) -> None:
    data = GOOD.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n" + GOOD.encode()
    recorded = recording(data)
    assert len(recorded.messages) == 2
    assert recorded.account.as_json()["left_out"] == {"not_recorded": 1}
    (said,) = recorded.account.sentences()
    assert said.en.startswith("1 line without a recorded message left out (first in line 2: ")
    assert why in said.en
    assert said.en.isprintable()


@pytest.mark.parametrize("written", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_recording_in_another_encoding(written: str) -> None:
    text = '{"at":1,"topic":"t","payload":"张师傅到工地"}\n'
    assert recording(text.encode(written)).messages == [Recorded(1000, "t", "张师傅到工地".encode())]


def test_what_a_person_says_of_a_recording_holds_where_it_does_not_say_it() -> None:
    line = (
        b'{"at":"2026-03-02 08:00:01","topic":"t","payload":[{"time":"2026-03-02 08:00:00","lat":1,"lon":2},'
        b'{"time":"2026-03-02T00:00:00Z","lat":1,"lon":2,"datum":"wgs84"},3]}'
    )
    said = Options(timezone=CIVIL_ZONE, datum="bd09")
    parsed = parse("x.ndjson", line, said)
    assert isinstance(parsed, Recording)
    ((at_us, _, payload),) = parsed.messages
    assert at_us == 1_772_409_601_000_000
    assert json.loads(payload) == [
        {"time": "2026-03-02T00:00:00Z", "lat": 1, "lon": 2, "datum": "bd09"},
        {"time": "2026-03-02T00:00:00Z", "lat": 1, "lon": 2, "datum": "wgs84"},
        3,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\n", "out/messages.ndjson: holds no messages"),
        ("x\ny\n", "holds nothing that can be read: 2 lines without a recorded message left out"),
        ("x\n", '; each line is to be {"at": time received, "topic": "kerbsafe/v1/…", "payload": …}'),
        ("x\n" * 50_000, "10000 lines without a recorded message left out"),
    ],
)
def test_an_error_names_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(TrackError) as caught:
        recording(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


@given(
    st.binary()
    | st.text().map(lambda text: f'{{"at":1,"topic":"t","payload":{text}}}'.encode(errors="replace"))
)
def test_any_bytes_are_messages_or_an_error_for_people(data: bytes) -> None:
    said = refusal(data)
    assert said is None or (said.startswith("out/messages.ndjson") and said.isprintable())

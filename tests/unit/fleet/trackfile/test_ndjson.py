import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.trackfile import Recorded, Recording, TrackError, format_recorded, parse


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
    ("text", "message"),
    [
        ("\n\n", "out/messages.ndjson: holds no messages"),
        (GOOD + '{"at":1,"topic":"t"}', "line 2: is not a recorded message: it has neither `payload` nor"),
        (GOOD + '{"at":1,"topic":', "line 2: is not a recorded message: Input data was truncated"),
        (GOOD + "[]", "line 2: is not a recorded message: Expected `object`, got `array`"),
        (
            GOOD + '{"topic":"t","payload":1}',
            "line 2: is not a recorded message: Object missing required field `at`",
        ),
        (
            GOOD + '{"at":"noon","topic":"t","payload":1}',
            "line 2: is not a recorded message: Invalid RFC3339",
        ),
        (
            GOOD + '{"at":"2026-08-22T10:00:00","topic":"t","payload":1}',
            "with a timezone component - at `$.at`",
        ),
        (
            GOOD + '{"at":"0001-01-01T00:00:00+01:00","topic":"t","payload":1}',
            "line 2, column at: is not in the years",
        ),
        (GOOD + '{"at":1,"topic":"t","payload_base64":"?"}', "line 2: is not a recorded message: "),
        ("[" * 100_000, "line 1: is not a recorded message: "),
        (
            '{"at":1,"topic":"t","payload":"张"}'.encode("gbk"),
            "line 1: is not UTF-8; if it is GB18030, convert it: ",
        ),
    ],
)
def test_an_error_names_place_and_remedy(text: str | bytes, message: str) -> None:
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

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.wire.reasons import Reason
from fleet.wire.topics import (
    HISTORY_FILTERS,
    LIVE_FILTERS,
    MAX_TOPIC_LENGTH,
    Address,
    Kind,
    format_topic,
    parse_topic,
)

codes = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("kerbsafe/v1/jiaxing/truck-1/fix", Address("jiaxing", "truck-1", Kind.FIX)),
        ("kerbsafe/v1/jiaxing/truck-1/history", Address("jiaxing", "truck-1", Kind.HISTORY)),
        ("devices/kerbsafe/v1/jiaxing/truck-1/fix", Address("jiaxing", "truck-1", Kind.FIX)),
        ("devices/devices/kerbsafe/v1/jiaxing/truck-1/fix", Reason.UNKNOWN_TOPIC),
        ("devices/$share/g/kerbsafe/v1/jiaxing/truck-1/fix", Reason.UNKNOWN_TOPIC),
        ("kerbsafe/v1/J_1/0/command", Address("J_1", "0", Kind.COMMAND)),
        (f"kerbsafe/v1/{'c' * 64}/{'v' * 64}/ack", Address("c" * 64, "v" * 64, Kind.ACK)),
        (f"kerbsafe/v1/{'c' * 65}/v/ack", Reason.BAD_CODE),
        (f"kerbsafe/v1/c/{'v' * 10_000}/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/c/v+/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/c/#/fix", Reason.BAD_CODE),
        ("kerbsafe/v1//v/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/c/v'; drop table fix;--/fix", Reason.BAD_CODE),
        ('kerbsafe/v1/c/"v"/fix', Reason.BAD_CODE),
        ("kerbsafe/v1/c/v\n/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/c/v\0/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/嘉兴/v/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/c/ｖ/fix", Reason.BAD_CODE),
        ("kerbsafe/v1/c/a/b/fix", Reason.UNKNOWN_TOPIC),
        ("kerbsafe/v1/c/v/fix\n", Reason.UNKNOWN_TOPIC),
        ("kerbsafe/v1/c/v/FIX", Reason.UNKNOWN_TOPIC),
        ("kerbsafe/v1/c/v/fixes", Reason.UNKNOWN_TOPIC),
        ("kerbsafe/v2/c/v/fix", Reason.UNKNOWN_TOPIC),
        ("/kerbsafe/v1/c/v/fix", Reason.UNKNOWN_TOPIC),
        ("$SYS/broker/uptime", Reason.UNKNOWN_TOPIC),
        ("", Reason.UNKNOWN_TOPIC),
    ],
)
def test_a_topic_names_an_address_or_says_why_not(topic: str, expected: Address | Reason) -> None:
    assert parse_topic(topic) == expected


@given(codes, codes, st.sampled_from(Kind))
def test_a_formatted_topic_is_parsed_as_what_it_was_made_of(company: str, vehicle: str, kind: Kind) -> None:
    topic = format_topic(company, vehicle, kind)
    assert parse_topic(topic) == Address(company, vehicle, kind)
    assert len(topic) <= MAX_TOPIC_LENGTH


@given(st.text() | st.from_regex(r"kerbsafe/v1/.*/.*/fix"))
def test_any_text_is_an_address_or_a_reason(topic: str) -> None:
    parsed = parse_topic(topic)
    assert isinstance(parsed, Reason) or format_topic(*parsed) == topic


@pytest.mark.parametrize("code", ["", "a/b", "+", "#", "x" * 65, "a b", "a\n"])
def test_no_topic_is_made_of_a_code_that_is_none(code: str) -> None:
    with pytest.raises(ValueError, match="is not a company or vehicle code"):
        format_topic("c", code, Kind.FIX)


def test_history_is_read_by_a_session_of_its_own_and_commands_by_none() -> None:
    live = (
        "kerbsafe/v1/+/+/fix",
        "kerbsafe/v1/+/+/camera",
        "kerbsafe/v1/+/+/health",
        "kerbsafe/v1/+/+/ack",
        "kerbsafe/v1/+",
        "kerbsafe/v1/+/+",
        "kerbsafe/v1/+/+/+/+/#",
    )
    assert (*live, *(f"devices/{topic}" for topic in live)) == LIVE_FILTERS
    assert HISTORY_FILTERS == ("kerbsafe/v1/+/+/history", "devices/kerbsafe/v1/+/+/history")

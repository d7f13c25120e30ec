"""Why an observation was not stored: one list for the decoder, the screen, the store, metrics and docs."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

#: An observation is accepted up to so long after its time, and so long before it.
OLDEST_DAYS, NEWEST_HOURS = 35, 24


class Reason(StrEnum):
    """A named reject. The value is what the store and the metrics hold; `sentence` is for people."""

    sentence: str

    def __new__(cls, value: str, sentence: str = "") -> Self:
        """Make a string that carries its sentence."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    # who: from the topic and the registry
    UNKNOWN_TOPIC = (
        "unknown_topic",
        "The topic is not kerbsafe/v1/{company}/{vehicle}/{kind} with a kind that devices send.",
    )
    BAD_CODE = "bad_code", "A company or vehicle code in the topic is not 1 to 64 of A-Z a-z 0-9 _ -."
    UNKNOWN_COMPANY = "unknown_company", "The registry has no company of this code."
    UNKNOWN_VEHICLE = "unknown_vehicle", "The registry has no vehicle of this code."
    WRONG_COMPANY = (
        "wrong_company",
        "The registry has this vehicle under another company, and had when it was measured.",
    )

    # what: from the payload as a whole
    EMPTY_PAYLOAD = "empty_payload", "The payload has no bytes, or is an array without elements."
    PAYLOAD_TOO_LARGE = "payload_too_large", "The payload is larger than 4 MiB; send it in parts."
    TOO_MANY_ELEMENTS = "too_many_elements", "The array has more than 20,000 elements; send it in parts."
    TOO_MUCH_WAITING = (
        "too_much_waiting",
        "Payloads over 64 KiB of 4 MiB in all waited on this topic: send kept fixes to `history`, in parts.",
    )
    NOT_UTF8 = "not_utf8", "The payload is not UTF-8."
    MALFORMED_JSON = "malformed_json", "The payload is not JSON (RFC 8259), or is cut short."
    NESTED_TOO_DEEPLY = "nested_too_deeply", "The payload nests arrays or objects too deeply."

    # what: from one element
    NOT_AN_OBJECT = "not_an_object", "The payload, or an element of its array, is not a JSON object."
    MISSING_FIELD = "missing_field", "A required field is absent, or one of a pair that go together."
    WRONG_TYPE = "wrong_type", "A field has another JSON type than the protocol says."
    OUT_OF_RANGE = "out_of_range", "A number is outside the range of its field."
    UNKNOWN_VALUE = "unknown_value", "A word is none of those that its field may have."
    BAD_TEXT = "bad_text", "A text is empty, too long, or has control characters."
    BAD_TIME = (
        "bad_time",
        "The time is neither RFC 3339 with an offset nor epoch milliseconds in the years 1 to 9999.",
    )
    UNSUPPORTED_DATUM = "unsupported_datum", "The datum is none of wgs84, gcj02 and bd09."

    # when, and how often: from the screen
    TOO_OLD = "too_old", f"Measured more than {OLDEST_DAYS} days before it was received."
    FUTURE = (
        "future",
        f"Measured more than {NEWEST_HOURS} hours after it was received: the unit's clock is wrong.",
    )
    DUPLICATE = "duplicate", "The same observation was stored before; counted, not stored again."
    CONFLICTING_DUPLICATE = (
        "conflicting_duplicate",
        "Another observation of the same key with other content was received nearer to its time.",
    )
    OVER_QUOTA = (
        "over_quota",
        "The vehicle sent more than 35 days of a fix a second, and went on faster than 10 a second.",
    )
    SCREEN_FAILED = (
        "screen_failed",
        "The screen failed on this observation: a fault of Kerbsafe, to be reported.",
    )
    UNSTORABLE = "unstorable", "The database refused this observation, alone among those of its batch."

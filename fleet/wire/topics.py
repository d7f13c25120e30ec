"""Topics of wire v1: `kerbsafe/v1/{company}/{vehicle}/{kind}`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from fleet.wire.reasons import Reason

PREFIX = "kerbsafe/v1"
#: What a broker may put before all topics and filters at its devices' listener (Mosquitto: `mount_point`).
#: A filter of a device that begins with `$share` or `$SYS` then is a plain one that nothing matches: of
#: shared subscriptions one device could have any number, each looked at for every fix of all others.
DEVICES_MOUNT = "devices/"
#: What a company or vehicle code may be; it stands in topics, logins and file names.
CODE_PATTERN = r"[A-Za-z0-9_-]{1,64}"


class Kind(StrEnum):
    """The last word of a topic: what the payload is about."""

    FIX = "fix"
    #: The same payload as `fix`: positions kept by the unit while it had no connection.
    HISTORY = "history"
    CAMERA = "camera"
    HEALTH = "health"
    #: To the device.
    COMMAND = "command"
    #: The device's answer to a command.
    ACK = "ack"


class Address(NamedTuple):
    """Who sent what kind of thing, as the topic says it."""

    company: str
    vehicle: str
    kind: Kind


#: Topics with too few or too many words, as a code with a slash makes them: read, so that they become named
#: rejects. Another last word cannot be read for it, since MQTT has no filter for "any but these".
STRAY_FILTERS = (f"{PREFIX}/+", f"{PREFIX}/+/+", f"{PREFIX}/+/+/+/+/#")
_LIVE = (
    *(f"{PREFIX}/+/+/{kind}" for kind in (Kind.FIX, Kind.CAMERA, Kind.HEALTH, Kind.ACK)),
    *STRAY_FILTERS,
)
#: What the live session of ingest subscribes to.
LIVE_FILTERS = (*_LIVE, *(DEVICES_MOUNT + topic for topic in _LIVE))
#: What the second session reads while the live one is idle.
HISTORY_FILTERS = tuple(f"{mount}{PREFIX}/+/+/{Kind.HISTORY}" for mount in ("", DEVICES_MOUNT))

_CODE = re.compile(CODE_PATTERN)
_TOPIC = re.compile(rf"(?:{DEVICES_MOUNT})?{PREFIX}/([^/]*)/([^/]*)/({'|'.join(Kind)})")
_KINDS = {kind.value: kind for kind in Kind}
#: No topic of ours is longer.
MAX_TOPIC_LENGTH = len(f"{DEVICES_MOUNT}{PREFIX}///{Kind.HISTORY}") + 2 * 64


def is_code(text: str) -> bool:
    """Say whether `text` may be a company or vehicle code."""
    return _CODE.fullmatch(text) is not None


def as_sent(topic: str) -> str:
    """Return a topic as the device wrote it, without the mount of its listener."""
    return topic.removeprefix(DEVICES_MOUNT)


def parse_topic(topic: str) -> Address | Reason:
    """Return the address that a topic names, or why it names none.

    Any text is accepted. Codes that are too long are told from topics of another shape, so that a
    person who reads the reject knows what to mend.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return Reason.UNKNOWN_TOPIC
    company, vehicle, kind = match.groups()
    if not (is_code(company) and is_code(vehicle)):
        return Reason.BAD_CODE
    return Address(company, vehicle, _KINDS[kind])


def format_topic(company: str, vehicle: str, kind: Kind) -> str:
    """Return the topic of an address.

    Raises
    ------
    ValueError
        If a code is not of the form `CODE_PATTERN`.
    """
    for code in (company, vehicle):
        if not is_code(code):
            msg = f"{code!r} is not a company or vehicle code: use 1 to 64 of A-Z a-z 0-9 _ -"
            raise ValueError(msg)
    return f"{PREFIX}/{company}/{vehicle}/{kind}"

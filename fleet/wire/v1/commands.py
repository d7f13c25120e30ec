"""Payloads of `command`, and single answers to them, to and from structs."""

from __future__ import annotations

import msgspec

from fleet.wire.v1.payloads import AckIn, CommandOut
from fleet.wire.v1.quantising import time_us

encode_command = msgspec.json.Encoder().encode
_COMMAND = msgspec.json.Decoder(CommandOut)
_ACK = msgspec.json.Decoder(AckIn)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_command(payload: bytes) -> CommandOut | None:
    """Return a command; None for what is none."""
    try:
        return _COMMAND.decode(payload)
    except _UNREADABLE:
        return None


def read_ack(payload: bytes) -> AckIn | None:
    """Return a single answer; None for what is none."""
    try:
        return _ACK.decode(payload)
    except _UNREADABLE:
        return None


def expires_us(command: CommandOut) -> int:
    """Return when it is too late for a command, microseconds since 1970."""
    return time_us(command.expires)

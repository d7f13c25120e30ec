"""What the broker's refusals mean: connect again, or end and tell a person what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mqtt5

from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from enum import Enum

_Connack = mqtt5.ConnAckReasonCode

#: Answers to CONNECT that time may mend (MQTT 5 §3.2.2.2). All others need a person.
_TRANSIENT = (  # tuples: the codec's enumerations have no hash
    _Connack.UNSPECIFIED_ERROR,
    _Connack.IMPLEMENTATION_SPECIFIC_ERROR,
    _Connack.SERVER_UNAVAILABLE,
    _Connack.SERVER_BUSY,
    _Connack.QUOTA_EXCEEDED,
    _Connack.CONNECTION_RATE_EXCEEDED,
)
_CREDENTIALS = (_Connack.BAD_USER_NAME_OR_PASSWORD, _Connack.NOT_AUTHORIZED, _Connack.BANNED)


class MqttError(KerbsafeError):
    """The broker will not serve us, and asking again would not help."""


class ConnectionLostError(Exception):
    """The connection ended, or must be ended; a new one may do better. Not for people."""


def connect_refused(
    packet: mqtt5.ConnAckPacket, client_id: str, username: str | None
) -> MqttError | ConnectionLostError:
    """Say why CONNECT was refused, without the secret."""
    why = _words(packet.reason_code, packet.reason_str)
    if packet.reason_code in _TRANSIENT:
        return ConnectionLostError(f"the broker refused the connection: {why}")
    if packet.reason_code in _CREDENTIALS:
        user = f"user {username!r}" if username else "a client without a user name"
        return MqttError(
            f"the broker refused {user}: {why}. "
            "Compare the broker's user and password in the settings with the broker's password file."
        )
    return MqttError(f"the broker refused client {client_id!r}: {why}. See the broker's log.")


def subscription_refused(pattern: str, code: mqtt5.SubAckReasonCode, client_id: str) -> MqttError:
    """Say which topics we may not read."""
    return MqttError(
        f"the broker does not let {client_id!r} read {pattern!r} with QoS 1: {_words(code)}. "
        "Allow its user to read that topic in the broker's access list."
    )


def disconnected(packet: mqtt5.DisconnectPacket, client_id: str) -> MqttError | ConnectionLostError:
    """Say why the broker hung up. Whoever took over our session must not be fought for it."""
    if packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
        return MqttError(
            f"another process has connected to the broker as {client_id!r}. "
            "Only one ingest may run for one broker: stop one of them, or give it its own client id."
        )
    return ConnectionLostError(f"the broker disconnected: {_words(packet.reason_code, packet.reason_str)}")


def not_mqtt_5(error: BaseException) -> MqttError:
    """Say that something else listens there."""
    return MqttError(
        f"what answers is not an MQTT 5 broker ({error}). "
        "Check host and port of the broker in the settings; a listener for MQTT 3.1.1 alone is not enough."
    )


def _words(code: Enum, said: str | None = None) -> str:
    words = code.name.lower().replace("_", " ")
    return f"{words} ({said})" if said else words

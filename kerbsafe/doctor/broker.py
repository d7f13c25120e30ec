"""The broker: does it answer, does it speak MQTT 5, does it let us in, does it promise what ingest needs."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from typing import TYPE_CHECKING

import mqtt5

from ingest.mqtt.mqtt_session import DAY_S
from ingest.mqtt.refusals import MqttError, connect_refused, not_mqtt_5
from kerbsafe.doctor.finding import Finding, ok, wrong

if TYPE_CHECKING:
    from fleet.settings import Settings

_ANSWER_S = 5.0
#: What ingest asks for, and the least that an outage of ours at a week-end needs.
_WANTED_EXPIRY_S = 14 * DAY_S
_MIN_EXPIRY_S = 7 * DAY_S
_MIN_PACKET_BYTES = 4 * 2**20
#: A bare `kerbsafe` knows no login, on an installation that is well.
_AS_OPERATOR = (
    "have the doctor look with the settings of the installation: after deploy/install `kerbsafe doctor` of "
    "/usr/local/bin, as root; with compose `docker compose run --rm operator doctor`; or set KERBSAFE_BROKER "
    "(mqtt://kerbsafe.ingest@host:port) and KERBSAFE_BROKER_PASSWORD_FILE"
)
_FAREWELL = mqtt5.DisconnectPacket(session_expiry_interval=0)


async def check_broker(settings: Settings) -> list[Finding]:
    """Connect as ingest does, under another client id, and leave nothing behind."""
    where = f"{settings.broker}"
    try:
        async with asyncio.timeout(_ANSWER_S):
            answer = await _ask(settings)
    except TimeoutError:
        return [wrong("broker", f"{where} did not answer within {_ANSWER_S:.0f} s", _is_it_there())]
    except OSError as error:
        return [wrong("broker", f"cannot reach {where}: {error.strerror or error}", _is_it_there())]
    except MqttError as error:
        return [wrong("broker", f"{where}: {error}")]
    if answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
        said = f"{where}: {connect_refused(answer, 'doctor', settings.broker.user)}"
        return [wrong("broker", said, "" if settings.broker.user else _AS_OPERATOR)]
    return [ok("broker", f"{where} speaks MQTT 5 and lets us in"), *_judge_promises(answer)]


def _is_it_there() -> str:
    return "start the broker, or set KERBSAFE_BROKER to where it is"


async def _ask(settings: Settings) -> mqtt5.ConnAckPacket:
    """Connect once and return the broker's answer. Raises `MqttError` if it is not one of MQTT 5."""
    address = settings.broker
    tls = ssl.create_default_context() if address.tls else None
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    try:
        writer.write(_hello(settings).write())
        answer = await _read_answer(reader)
        writer.write(_FAREWELL.write())
        return answer
    finally:
        writer.close()


def _hello(settings: Settings) -> mqtt5.ConnectPacket:
    return mqtt5.ConnectPacket(
        f"kerbsafe-doctor-{uuid.uuid4().hex[:8]}",
        username=settings.broker.user,
        password=settings.broker_password(),
        clean_start=True,
        keep_alive=30,
        session_expiry_interval=_WANTED_EXPIRY_S,
    )


async def _read_answer(reader: asyncio.StreamReader) -> mqtt5.ConnAckPacket:
    received = b""
    while data := await reader.read(4096):
        received += data
        try:
            packet, _ = mqtt5.read(memoryview(received))
        except IndexError:  # the codec's "need more"
            continue
        except ValueError as error:
            raise not_mqtt_5(error) from error
        if isinstance(packet, mqtt5.ConnAckPacket):
            return packet
        raise not_mqtt_5(ValueError(f"it sent {type(packet).__name__}"))
    raise not_mqtt_5(EOFError("it closed the connection"))


def _judge_promises(answer: mqtt5.ConnAckPacket) -> list[Finding]:
    """Compare what the broker grants with what ingest needs."""
    findings = []
    expiry_s = _WANTED_EXPIRY_S if answer.session_expiry_interval is None else answer.session_expiry_interval
    if expiry_s < _MIN_EXPIRY_S:
        said = f"it forgets messages when ingest is away for longer than {expiry_s / DAY_S:.1f} days"
        findings.append(
            wrong("broker", said, "raise its session expiry (Mosquitto: persistent_client_expiration)")
        )
    if answer.max_packet_size is not None and answer.max_packet_size < _MIN_PACKET_BYTES:
        said = f"it takes packets of up to {answer.max_packet_size} bytes only, devices may send 4 MiB"
        findings.append(wrong("broker", said, "raise its packet size (Mosquitto: max_packet_size 16777216)"))
    if answer.max_qos == mqtt5.QoS.AT_MOST_ONCE:
        findings.append(
            wrong("broker", "it only delivers with QoS 0, which loses messages", "use another broker")
        )
    return findings

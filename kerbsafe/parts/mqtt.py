"""MQTT brokers: the embedded one from a wheel, and Mosquitto wherever there is one."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kerbsafe.parts.docker import Container, require_docker
from kerbsafe.parts.part import (
    HOST,
    Part,
    PartUnavailableError,
    Program,
    free_port,
    require_shown,
    stopping,
    talk,
    temporary_folder,
)
from kerbsafe.parts.rootfs import find_rootfs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The broker takes more than the 4 MiB that we store, so that a larger payload becomes a named reject.
MAX_PACKET_BYTES = 16 * 2**20
_IMAGE = "eclipse-mosquitto:2.1.2-alpine"
_CONNACK = b"\x20"
_DISCONNECT = b"\xe0\x00"

_RUMQTTD = """\
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 1000
max_segment_size = 33554432
max_segment_count = 10
"""
_RUMQTTD_LISTENER = """\
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 0
[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = {max_packet_bytes}
max_inflight_count = 1000
dynamic_filters = true
"""
_RUN_RUMQTTD = (
    "import sys; from iotcore.iotcore import IotCoreBroker; "
    "IotCoreBroker(config_path=sys.argv[1]).run_forever()"
)


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    host: str
    #: Speaks MQTT 5.
    port: int
    #: Speaks MQTT 3.1.1; the same port where one listener speaks both.
    port_v3: int
    log_path: Path | None = None
    #: Name in front of the host, where the broker is not ours and wants one.
    user: str = ""
    _part: Part | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Address for MQTT 5."""
        return f"mqtt://{self.user}{'@' if self.user else ''}{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of a broker that runs and is ours."""
        return None if self._part is None else self._part.pid

    def kill(self) -> None:
        """End the broker as kill -9 does."""
        self._own().kill()

    def restart(self) -> None:
        """Start it again, after `kill` or while it runs, on the same port and persistence folder."""
        part = self._own()
        if part.alive():
            part.signal(signal.SIGTERM)
            part.wait()
        part.start()

    def reload(self) -> None:
        """Have it read its password and ACL files again. Mosquitto only; takes effect within moments."""
        self._own().signal(signal.SIGHUP)

    def _own(self) -> Part:
        if self._part is None:
            raise PartUnavailableError("this broker is not ours to stop; unset KERBSAFE_TEST_BROKER")
        return self._part


@contextmanager
def embedded_broker() -> Iterator[Broker]:
    """Run the broker of the wheel `iotcore` (rumqttd), in memory, without logins, for demo and tests.

    Raises
    ------
    PartUnavailableError, PartFailedError
        If the wheel is not installed, or the broker does not start.
    """
    if find_spec("iotcore") is None:
        raise PartUnavailableError(
            "the embedded broker is not here: the wheel iotcore is not installed. "
            "`pip install 'kerbsafe[demo]'` or `make setup`"
        )
    folder = temporary_folder("broker")
    port_v3, port = free_port(), free_port()
    config = folder / "rumqttd.toml"
    config.write_text(_RUMQTTD + _rumqttd_listener("v4", port_v3) + _rumqttd_listener("v5", port), "utf-8")
    program = Program("the embedded broker", (sys.executable, "-c", _RUN_RUMQTTD, str(config)), grace_s=1.0)
    with stopping(
        Part(program, folder / "broker.log", answers=partial(_both_answer, port_v3, port), remove=folder)
    ) as part:
        part.start()
        yield Broker(HOST, port, port_v3, part.log_path, _part=part)


def _rumqttd_listener(version: str, port: int) -> str:
    return _RUMQTTD_LISTENER.format(version=version, host=HOST, port=port, max_packet_bytes=MAX_PACKET_BYTES)


def _both_answer(port_v3: int, port: int) -> bool:
    return _answers(port_v3, 4) and _answers(port, 5)


def _answers(port: int, version: int = 5) -> bool:
    """Tell whether a broker answers CONNECT, be it with a refusal."""
    return talk(port, _connect(version), goodbye=_DISCONNECT) == _CONNACK


def _connect(version: int) -> bytes:
    """Return a CONNECT packet with a clean session and a client id that nobody else has."""
    client_id = f"probe{uuid.uuid4().hex[:12]}".encode()
    properties = b"\0" if version == 5 else b""  # noqa: PLR2004 - MQTT 5 is called 5
    clean_start, keep_alive_s = 2, 5
    header = struct.pack(">H4sBBH", 4, b"MQTT", version, clean_start, keep_alive_s)
    rest = header + properties + struct.pack(">H", len(client_id)) + client_id
    return bytes([0x10, len(rest)]) + rest


@dataclass(frozen=True, slots=True)
class MosquittoOptions:
    """What a test may want of Mosquitto. Without a password file everybody may publish everything."""

    password_file: Path | None = None
    acl_file: Path | None = None
    #: Where sessions and queues outlive the broker; None: they do not.
    persistence_dir: Path | None = None
    #: How often they are written there; what came since is lost when the broker crashes.
    autosave_s: int = 1
    #: Messages of QoS 1 on their way to or from one client. Not 0 or 65,535, "no limit": Mosquitto 2.1 then
    #: logs a warning at each one.
    max_inflight_messages: int = 65_534
    #: Messages kept for one client that is away or slow. Not 0, "no limit": Mosquitto 2.0 then cuts off every
    #: MQTT 5 client whose publish the ACL denies ("Quota exceeded").
    max_queued_messages: int = 10_000_000
    max_packet_bytes: int = MAX_PACKET_BYTES
    #: How often it tells how it is, on `$SYS`.
    sys_interval_s: int = 10
    #: True sends each packet at once. False, Mosquitto's default, lets the kernel gather small ones: that
    #: saves a quarter of the broker's time for a few milliseconds (docs/performance.md).
    tcp_nodelay: bool = True

    def config(self, *listener: str) -> str:
        """Return the text of mosquitto.conf."""
        lines = [
            f"listener {' '.join(listener)}",
            f"allow_anonymous {_yes(self.password_file is None)}",
            f"max_inflight_messages {self.max_inflight_messages}",
            f"max_queued_messages {self.max_queued_messages}",
            f"max_packet_size {self.max_packet_bytes}",
            f"sys_interval {self.sys_interval_s}",
            f"persistence {_yes(self.persistence_dir is not None)}",
            # As root Mosquitto would become another user, who may not enter the folders of a test.
            "user root",
            f"set_tcp_nodelay {_yes(self.tcp_nodelay)}",
            "log_dest stderr",
        ]
        if self.password_file is not None:
            lines.append(f"password_file {self.password_file}")
        if self.acl_file is not None:
            lines.append(f"acl_file {self.acl_file}")
        if self.persistence_dir is not None:
            lines += [f"persistence_location {self.persistence_dir}/", f"autosave_interval {self.autosave_s}"]
        return "\n".join(lines) + "\n"

    def folders(self) -> tuple[str, ...]:
        """Return the folders that the broker must see."""
        files = [path.parent for path in (self.password_file, self.acl_file) if path is not None]
        found = [*files, *([self.persistence_dir] if self.persistence_dir is not None else [])]
        return tuple(sorted({str(folder) for folder in found}))


def _yes(true: bool) -> str:
    return "true" if true else "false"


@contextmanager
def mosquitto(options: MosquittoOptions | None = None) -> Iterator[Broker]:
    """Run Mosquitto on a free loopback port, or use the broker that `KERBSAFE_TEST_BROKER` names.

    That broker, `mqtt://user@host:port`, is used only where no options are asked for. Otherwise looked for in
    this order: an installed one; Debian's package in a folder of the cache; Docker.

    Raises
    ------
    PartUnavailableError
        If there is none; says what was tried.
    """
    require_shown("Mosquitto")
    if options is None and (url := os.environ.get("KERBSAFE_TEST_BROKER")):
        address = urlsplit(url)
        if address.scheme != "mqtt":
            # Tests and benches speak in the clear; they would send what the address says is secret.
            raise PartUnavailableError(
                f"KERBSAFE_TEST_BROKER={url} must be mqtt://user@host:port, without TLS"
            )
        port = address.port or 1883
        yield Broker(address.hostname or HOST, port, port, user=address.username or "")
        return
    folder, port = temporary_folder("mosquitto"), free_port()
    program = _mosquitto_program(options or MosquittoOptions(), folder, port)
    with stopping(
        Part(program, folder / "broker.log", answers=partial(_answers, port), remove=folder)
    ) as part:
        part.start(timeout_s=300 if program.kill else 30)
        yield Broker(HOST, port, port, part.log_path, _part=part)


def installed_mosquitto() -> str | None:
    """Return the program of an installed Mosquitto, None if there is none."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
    return shutil.which("mosquitto", path=path)


def with_mosquitto_clients(*argv: str) -> tuple[str, ...]:
    """Return the command line that runs `argv` where mosquitto_pub and mosquitto_sub can be called.

    Raises
    ------
    PartUnavailableError
        If they are neither installed nor in the cached folder of Debian's packages.
    """
    require_shown("mosquitto_pub")
    if shutil.which("mosquitto_pub"):
        return argv
    remedy = "`apt-get install mosquitto-clients`"
    try:
        rootfs = find_rootfs()
    except PartUnavailableError as error:
        raise PartUnavailableError(
            f"mosquitto_pub is not here: none is installed, {error}. {remedy}"
        ) from error
    if not (rootfs.folder / "usr/bin/mosquitto_pub").exists():
        raise PartUnavailableError(
            f"mosquitto_pub is not here: {rootfs.folder} was made without it. Remove it, it is made again"
        )
    return rootfs.command(*argv)


def _mosquitto_program(options: MosquittoOptions, folder: Path, port: int) -> Program:
    """Write the configuration and return the program that runs with it."""
    config = folder / "mosquitto.conf"
    config.write_text(options.config(str(port), HOST), "utf-8")
    if installed := installed_mosquitto():
        return Program("Mosquitto", (installed, "-c", str(config)))
    try:
        return Program("Mosquitto", find_rootfs().command("/usr/sbin/mosquitto", "-c", str(config)))
    except PartUnavailableError as no_rootfs:
        try:
            require_docker()
        except PartUnavailableError as no_docker:
            shutil.rmtree(folder)
            raise PartUnavailableError(
                f"Mosquitto is not here: none is installed, {no_rootfs}, {no_docker}. "
                "Install mosquitto, or set KERBSAFE_TEST_BROKER to mqtt://host:port"
            ) from no_docker
    inside = 1883
    config.write_text(options.config(str(inside)), "utf-8")
    container = Container(_IMAGE, (port, inside), folders=(str(folder), *options.folders()))
    argv = container.command("mosquitto", "-c", str(config))
    return Program("Mosquitto in Docker", argv, kill=container.kill)

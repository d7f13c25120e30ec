"""The command that the page prints, run with a stand-in for mosquitto_pub that shows what it was given."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from fleet.wire.reasons import Reason
from fleet.wire.topics import parse_topic
from fleet.wire.v1 import Published, decode

PAGE = Path(__file__).resolve().parents[4] / "docs" / "device-protocol.md"
STAND_IN = '#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n'


class AnyTruck:
    def find(self, company: str, vehicle: str, /) -> int | Reason:
        return 1 if (company, vehicle) == ("demo", "truck-1") else Reason.UNKNOWN_VEHICLE


def test_the_printed_command_publishes_a_fix_of_now(tmp_path: Path) -> None:
    (command,) = re.findall(r"^mosquitto_pub .*$", PAGE.read_text("utf-8"), re.MULTILINE)
    stand_in = tmp_path / "mosquitto_pub"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SECRET": "s3 cret"}
    words = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    options = dict(zip(words[0::2], words[1::2], strict=False))
    assert options["-V"] == "mqttv5"
    assert (options["-p"], options["-q"], options["-u"], options["-P"]) == ("1883", "1", "truck-1", "s3 cret")
    result = decode([Published(options["-t"], options["-m"].encode())], AnyTruck())
    assert not result.rejects
    assert abs(result.fixes.time_us[0] / 1e6 - time.time()) < 60
    assert result.fixes.speed_dkmh.tolist() == [425]


def test_every_topic_on_the_page_is_one() -> None:
    topics = re.findall(r"kerbsafe/v1/[\w-]+/[\w-]+/\w+", PAGE.read_text("utf-8"))
    assert topics
    assert not [topic for topic in topics if isinstance(parse_topic(topic), Reason)]

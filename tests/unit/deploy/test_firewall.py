"""The firewall holds what one address of units may send, on the ports that units are told of."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from fleet.environment import read_settings
from tests.door import program

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "deploy/firewall/kerbsafe.nft"


def test_its_ports_are_those_of_units() -> None:
    (mqtt,) = re.findall(
        r"^listener (\d+)$", (ROOT / "deploy/mosquitto/systemd-devices.conf").read_text("utf-8"), re.MULTILINE
    )
    terminals = read_settings({}).gateway_port
    held = re.findall(r"tcp dport \{ ([\d, ]+) \}", RULES.read_text("utf-8"))
    assert [set(ports.split(", ")) for ports in held] == [{mqtt, str(terminals)}] * 2


def test_nftables_reads_it() -> None:
    nft = program("nft", "nftables")
    if os.geteuid() != 0:
        pytest.skip("nft asks the kernel, which takes root")
    done = subprocess.run(
        [nft, "--check", "--file", str(RULES)], capture_output=True, text=True, check=False, timeout=30
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine lets nobody ask its firewall")
    assert done.returncode == 0, done.stderr

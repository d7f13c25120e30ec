"""A person at the keyboard of a machine, who types what docs/operations.md says."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.integration.deploy.conftest import ROOT

if TYPE_CHECKING:
    from kerbsafe.parts.machine import Machine

PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
TRUCK = "JX-M-0001"


def blocks(section: str) -> list[str]:
    """The blocks of commands in a section of the page."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def block(section: str, beginning: str) -> str:
    """The one block that begins so."""
    [found] = [one for one in blocks(section) if one.startswith(beginning)]
    return found


@dataclass(frozen=True)
class Installed:
    """The machine, and a person at its keyboard."""

    machine: Machine
    #: Of the truck at the broker.
    secret: str = ""
    token: str = ""

    def type(self, lines: str, *, wheels: str = "wheels", expect: int = 0) -> str:
        """Type lines of the page in the tree; say what they print."""
        for written, here in {
            "git clone https://github.com/kerbsafe/kerbsafe.git": "cd /root",
            "git pull": "true",
            "deploy/install": f"deploy/install --wheels /root/{wheels}",
        }.items():
            lines = re.sub(rf"^{re.escape(written)}\b", here, lines, flags=re.MULTILINE)
        done = self.machine.run(f"if [ -d kerbsafe/docs ]; then cd kerbsafe; fi\n{lines}", timeout_s=900)
        said = done.stdout + done.stderr
        assert done.returncode == expect, said[-4000:]
        return said

    def drive(self, *, seconds: int = 40, speed_kmh: float = 70) -> None:
        """The truck sends a drive of the last seconds, by MQTT with TLS and the authority's certificate."""
        now_ms = time.time_ns() // 1_000_000
        fixes = [
            {
                "time": now_ms - 1000 * (seconds - s),
                "lat": 30.75 + s * 2e-4,
                "lon": 120.75,
                "speed_kmh": speed_kmh,
            }
            for s in range(seconds)
        ]
        (self.machine.root / "root/drive.json").write_text(json.dumps(fixes))
        address = "-V mqttv5 -h broker.example.cn -p 8883 --cafile ca.pem"
        login = f"-i {TRUCK} -u {TRUCK} -P {self.secret}"
        self.type(f"mosquitto_pub {address} {login} -q 1 -t kerbsafe/v1/jx/{TRUCK}/fix -f /root/drive.json")

    def alerts(self) -> list[dict[str, Any]]:
        """What the API says is open, asked as another program asks it."""
        ask = (
            "import urllib.request as u\n"
            "r = u.Request('http://127.0.0.1:9400/api/v1/alerts?state=open')\n"
            f"r.add_header('Authorization', 'Bearer {self.token}')\n"
            "print(u.urlopen(r).read().decode())\n"
        )
        items: list[dict[str, Any]] = json.loads(self.type(f'python3 -c "{ask}"'))["items"]
        return items

    def wait_for_alerts(self) -> list[dict[str, Any]]:
        deadline_s = time.monotonic() + 60
        while not (found := self.alerts()):
            assert time.monotonic() < deadline_s
            time.sleep(0.5)
        return found

    def doctor(self) -> str:
        """What the doctor says to a person who comes new; notices are allowed."""
        said = self.type("kerbsafe doctor")
        assert "WRONG" not in said
        assert "all is well" in said
        return said

    def mode(self, path: str) -> str:
        return self.type(f"stat -c '%a %U %G' {path}").strip()

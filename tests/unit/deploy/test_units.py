"""The systemd units, as systemd itself reads them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fleet.environment import unknown_settings
from kerbsafe.cli import build_parser
from tests.door import program

UNITS = sorted((Path(__file__).resolve().parents[3] / "deploy/systemd").glob("*.service"))
#: What `systemd-analyze security` may say at most, of 10; 1.4 when this was written.
MAX_EXPOSED = 2.0


@pytest.fixture(scope="module")
def analyze() -> str:
    return program("systemd-analyze", "systemd")


def settings(unit: Path) -> dict[str, list[str]]:
    """Return the lines of [Service] by name."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").partition("[Service]")[2].splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_there_is_one_a_process() -> None:
    assert [unit.stem for unit in UNITS] == [
        "kerbsafe-console",
        "kerbsafe-gateway",
        "kerbsafe-ingest",
        "kerbsafe-worker",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_its_command_under_its_role(unit: Path) -> None:
    process = unit.stem.removeprefix("kerbsafe-")
    service = settings(unit)
    [command] = service["ExecStart"]
    assert command == f"/opt/kerbsafe/bin/kerbsafe {process}"
    arguments = command.split()[1:]
    build_parser(arguments).parse_args(arguments)
    environment = dict(line.split("=", 1) for line in service["Environment"])
    assert unknown_settings(environment) == []
    assert f"//kerbsafe_{process}@127.0.0.1" in environment["KERBSAFE_DSN"]
    given = {line.split(":")[0] for line in service["LoadCredential"]}
    assert {value.removeprefix("%d/") for value in environment.values() if value.startswith("%d/")} == given
    assert (service["Type"], service["Restart"]) == (["notify"], ["always"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_a_unit(analyze: str, unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text("utf-8").replace("/opt/kerbsafe/bin/kerbsafe", "/bin/true"), "utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", here], capture_output=True, text=True, check=False, timeout=60
    )
    about_ours = [line for line in done.stderr.splitlines() if unit.stem in line]
    assert (done.returncode, about_ours) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened(analyze: str, unit: Path) -> None:
    command = [analyze, "security", "--offline=yes", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    said = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    if said is None:
        pytest.skip(f"this systemd-analyze cannot judge a file: {done.stderr.strip()}")
    assert float(said[1]) <= MAX_EXPOSED


def test_the_file_of_settings_is_only_comments() -> None:
    text = (UNITS[0].parent / "kerbsafe.env").read_text("utf-8")
    offered = dict(re.findall(r"^#(KERBSAFE_\w+)=(.*)$", text, re.MULTILINE))
    assert unknown_settings(offered) == []
    assert all(line.startswith("#") or not line for line in text.splitlines())

"""The door to what a machine may not have: real parts, its programs, recorded drives.

A test starts a part as it likes, `parts.mosquitto()` or through code of ours that does. If it cannot be had,
`PartUnavailableError` comes out of the test or of a fixture, and becomes a skip that names the part and the
remedy; where CI=true a failure, unless KERBSAFE_TEST_ALLOW_MISSING=1. Programs of the machine come from
`program`, and `tests/unit/test_tree.py` sees to it that no test looks for one by itself.

What was skipped so is told in three lines after the last line of pytest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from kerbsafe import parts
from kerbsafe.parts import rootfs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The form of every sentence about what is not here; its first word or words are its name.
NOT_HERE = re.compile(r"(?P<name>.+?) (?:is|are) not here: (?P<why>.+)")
_INSTALL = "on Debian: apt-get install "
#: Parts that `make test` prepares as root on Debian, and the packages of them that other machines have.
PREPARED = {
    "TimescaleDB": "postgresql-17-timescaledb",
    "Mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "Chromium": "chromium",
}
#: Started from images where Docker runs.
IMAGES = {"TimescaleDB", "Mosquitto"}
#: How packages are installed, by the program that does it.
INSTALLERS = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "zypper": "zypper install",
    "pacman": "pacman -S",
    "apk": "apk add",
    "brew": "brew install",
}


def lacking(error: parts.PartUnavailableError) -> NoReturn:
    """Skip the present test, or fail it where parts must be here."""
    if parts.must_be_here():
        pytest.fail(f"{error}. To skip instead, set KERBSAFE_TEST_ALLOW_MISSING=1", pytrace=False)
    pytest.skip(str(error))


def look_for(name: str) -> str | None:
    """Return the path of a program of this machine, None if it has none."""
    return None if parts.hidden() else shutil.which(name)


def program(name: str, package: str) -> str:
    """Return the path of a program of this machine; without one the test is skipped, in CI too."""
    return look_for(name) or lacking_program(name, package)


def lacking_program(name: str, package: str) -> NoReturn:
    """Skip the present test."""
    why = "KERBSAFE_TEST_PARTS=none hides it" if parts.hidden() else "it is not installed"
    pytest.skip(f"{name} is not here: {why}; {_INSTALL}{package}")


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides which command brings what is missing."""

    #: Such as "sudo dnf install".
    installer: str
    #: "sudo " where that is needed.
    sudo: str = ""
    #: `make test` as root prepares parts here.
    prepares: bool = False
    #: Starts Docker, or brings it.
    docker: str = "sudo systemctl start docker"
    hidden: bool = False


def this_machine() -> Machine:
    """Look."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    program = next((name for name in INSTALLERS if shutil.which(name)), "")
    start, get = f"{sudo}systemctl start docker", f"curl https://get.docker.com | {sudo}sh"
    if sys.platform == "darwin":
        start, get = "open -a Docker", "brew install --cask docker && open -a Docker"
    return Machine(
        installer=f"{'' if program == 'brew' else sudo}{INSTALLERS.get(program, 'install')}",
        sudo=sudo,
        prepares=not rootfs.why_not_here() or (sudo != "" and program == "apt-get"),
        docker=start if shutil.which("docker") else get,
        hidden=parts.hidden(),
    )


def with_earlier_runs(reasons: list[str], tests: int) -> tuple[list[str], int]:
    """Add those of earlier runs, in the file of `KERBSAFE_TEST_SKIPS`: `make test` runs pytest twice."""
    if name := os.environ.get("KERBSAFE_TEST_SKIPS"):
        file = Path(name)
        if file.exists():
            earlier = json.loads(file.read_text("utf-8"))
            reasons, tests = [*earlier["reasons"], *reasons], tests + earlier["tests"]
        file.write_text(json.dumps({"reasons": reasons, "tests": tests}), "utf-8")
    return reasons, tests


def three_lines(reasons: Iterable[str], tests: int, machine: Machine) -> list[str]:
    """Say what was not tested, why, and the command that brings it; nothing if all was here.

    Parameters
    ----------
    reasons
        Of every test that was skipped, also for other causes.
    tests
        How many there were, the skipped ones among them.
    """
    found = [match for reason in reasons if (match := NOT_HERE.match(reason))]
    if not found:
        return []
    names = Counter(match["name"] for match in found)
    told = ", ".join(f"{name} ({count})" for name, count in names.most_common())
    because: dict[str, set[str]] = {}
    for match in found:
        because.setdefault(match["why"].partition(". ")[0].partition("; ")[0], set()).add(match["name"])
    packages = {m["name"]: m["why"].rpartition(_INSTALL)[2] for m in found if _INSTALL in m["why"]}
    return [
        f"not tested: {len(found)} of {tests} tests, for want of {told}",
        "why: " + "; ".join(f"{', '.join(sorted(those))}: {reason}" for reason, those in because.items()),
        f"to test it: {remedy(set(names), packages, machine)}",
    ]


def remedy(names: set[str], packages: Mapping[str, str], machine: Machine) -> str:
    """Return the one command that brings what is missing here; `packages` are those of programs, by name."""
    if machine.hidden:
        return "env -u KERBSAFE_TEST_PARTS make test"
    missing = names & PREPARED.keys()
    wanted, steps, test = set(packages.values()), list[str](), "make test"
    if missing and machine.prepares:
        test = "sudo make test" if machine.sudo else "KERBSAFE_TEST_INSTALL=1 make test"
    elif "apt-get" in machine.installer:
        wanted |= {PREPARED[name] for name in missing}
    else:
        wanted |= {PREPARED[name] for name in missing - IMAGES}
        steps = [machine.docker] if missing & IMAGES else []
    if wanted:
        steps.insert(0, f"{machine.installer} {' '.join(sorted(wanted))}")
    if not steps and not missing:
        return f"nothing brings {' and '.join(sorted(names))}"
    return " && ".join([*steps, test])

"""Chromium for tests and benches of the console: found on the machine, or installed as Debian's package.

Playwright drives it; nothing is downloaded by Playwright itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kerbsafe.parts.part import PartFailedError, PartUnavailableError, require_shown
from kerbsafe.parts.rootfs import may_install

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: The second is for Chinese text in pictures.
PACKAGES = ("chromium", "fonts-noto-cjk")


@dataclass(frozen=True, slots=True)
class Chromium:
    """A browser on this machine."""

    executable: str

    @property
    def arguments(self) -> list[str]:
        """What to start it with: without a sandbox, which root and containers do not have, and quiet."""
        return ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Find Chromium, or `KERBSAFE_TEST_CHROMIUM`; install it where this machine and its owner allow that.

    Raises
    ------
    PartUnavailableError, PartFailedError
        If there is none, with the remedy; if it could not be installed.
    """
    require_shown("Chromium")
    yield Chromium(find() or install())


def find() -> str | None:
    """Return the program that `KERBSAFE_TEST_CHROMIUM` or this machine has, None if there is none."""
    chosen = os.environ.get("KERBSAFE_TEST_CHROMIUM")
    if chosen:
        if not shutil.which(chosen):
            raise PartUnavailableError(
                f"Chromium is not here: KERBSAFE_TEST_CHROMIUM is {chosen!r}, which is not a program"
            )
        return chosen
    found = (shutil.which(name) for name in (*_NAMES, *_ELSEWHERE))
    return next((path for path in found if path is not None), None)


def install() -> str:
    """Install Debian's package, as root and where that is allowed.

    Raises
    ------
    PartUnavailableError, PartFailedError
        If this is not the machine or not the user for it; if apt-get fails.
    """
    wanted = " ".join(PACKAGES)
    apt = shutil.which("apt-get")
    if sys.platform != "linux" or not Path("/etc/debian_version").exists() or apt is None:
        raise PartUnavailableError(
            "Chromium is not here: none is installed. Install it, or set KERBSAFE_TEST_CHROMIUM to it"
        )
    if os.geteuid() != 0 or not may_install():
        raise PartUnavailableError(
            f"Chromium is not here: none is installed. `apt-get install {wanted}`, "
            "or KERBSAFE_TEST_INSTALL=1 as root"
        )
    print(f"kerbsafe: installing {wanted} (once, a minute or two)", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES)):
        done = subprocess.run(
            (apt, "--quiet", *command), check=False, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise PartFailedError(f"`apt-get {' '.join(command)}` failed: {' '.join(last)}")
    found = find()
    if found is None:
        raise PartFailedError(f"`apt-get install {wanted}` brought no program of a known name")
    return found

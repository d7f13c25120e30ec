"""Prepare the real parts of the tests: `python -m kerbsafe.parts`, which `make test` runs first.

As root on Debian what is missing is made or installed, once, and this says so first. Elsewhere, and where its
owner says KERBSAFE_TEST_INSTALL=0, nothing is done: tests skip what is not here, and the run names it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kerbsafe.parts import mqtt, postgres_programs, rootfs
from kerbsafe.parts.chromium import PACKAGES, find, install
from kerbsafe.parts.part import PartFailedError, PartUnavailableError, hidden, must_be_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def main() -> int:
    """Prepare; a failure is said, and is one where parts must be here."""
    if hidden() or not rootfs.may_install() or rootfs.why_not_here():
        return 0
    failures = 0
    for announcement, prepare in _missing():
        _say(f"make test {announcement} (KERBSAFE_TEST_INSTALL=0 forbids it)")
        try:
            prepare()
        except (PartUnavailableError, PartFailedError) as error:
            _say(str(error))
            failures += 1
    return int(failures > 0 and must_be_here())


def _missing() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what will be done, in words and as a function."""
    servers = [
        *(() if postgres_programs.installed_timescaledb() else ("TimescaleDB",)),
        *(() if mqtt.installed_mosquitto() else ("Mosquitto",)),
    ]
    if servers and not rootfs.is_made():
        names, folder = " and ".join(servers), rootfs.cached_folder()
        yield f"puts {names} of Debian {rootfs.SUITE} into {folder}, 600 MB", rootfs.find_rootfs
    if find() is None:
        yield f"installs {' and '.join(PACKAGES)} on this machine", install


def _say(line: str) -> None:
    print(f"kerbsafe: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

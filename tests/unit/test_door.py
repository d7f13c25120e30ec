"""A part that is not here: skipped by name, failed in CI, and told in three lines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.door import Machine, three_lines, with_earlier_runs

ROOT = Path(__file__).resolve().parents[2]
#: Tests that start a part in their own body, outside every fixture.
ASKING = ("tests/integration/test_mqtt_log.py", "-k", "refused_credentials")
NO_TIMESCALEDB = (
    "TimescaleDB is not here: none is installed, this is not Debian, Docker is not installed. Install "
    "postgresql-17-timescaledb, or set KERBSAFE_TEST_DSN to a superuser's DSN where it is"
)
NO_MOSQUITTO = NO_TIMESCALEDB.replace("TimescaleDB", "Mosquitto")
NO_CHROMIUM = "Chromium is not here: none is installed. `apt-get install chromium fonts-noto-cjk`"
NO_PROMTOOL = "promtool is not here: it is not installed; on Debian: apt-get install prometheus"
NO_DRIVES = "the recorded drives are not here: no folder /shared"


def bare_run(**variables: str) -> list[str]:
    """Run those tests on a machine without parts; return what pytest says last."""
    bare = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_XDIST_WORKER"}}
    bare = {name: value for name, value in bare.items() if not name.startswith("KERBSAFE_TEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ASKING]
    environment = bare | {"KERBSAFE_TEST_PARTS": "none"} | variables
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    return done.stdout.splitlines()


def test_a_part_that_no_fixture_asked_for_is_skipped_by_name() -> None:
    *_, counts, what, why, command = bare_run()
    assert counts.startswith("2 skipped")
    assert what == "not tested: 2 of 2 tests, for want of Mosquitto (2)"
    assert why == "why: Mosquitto: KERBSAFE_TEST_PARTS=none hides it"
    assert command == "to test it: env -u KERBSAFE_TEST_PARTS make test"


def test_in_ci_it_is_a_failure_unless_its_owner_says_otherwise() -> None:
    assert bare_run(CI="true")[-1].startswith("2 failed")
    assert bare_run(CI="true", KERBSAFE_TEST_ALLOW_MISSING="1")[-4].startswith("2 skipped")


def test_the_runs_of_one_make_test_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_earlier_runs(["first"], 3) == (["first"], 3)
    monkeypatch.setenv("KERBSAFE_TEST_SKIPS", str(tmp_path / "skips"))
    assert with_earlier_runs(["first"], 3) == (["first"], 3)
    assert with_earlier_runs(["second"], 4) == (["first", "second"], 7)


DEBIAN = Machine("apt-get install", prepares=True)
FEDORA = Machine("sudo dnf install", sudo="sudo ")


@pytest.mark.parametrize(
    ("reasons", "machine", "command"),
    [
        ([NO_TIMESCALEDB, NO_MOSQUITTO], DEBIAN, "KERBSAFE_TEST_INSTALL=1 make test"),
        ([NO_TIMESCALEDB], Machine("sudo apt-get install", sudo="sudo ", prepares=True), "sudo make test"),
        (
            [NO_CHROMIUM, NO_PROMTOOL],
            DEBIAN,
            "apt-get install prometheus && KERBSAFE_TEST_INSTALL=1 make test",
        ),
        # A container without leave for mount namespaces: nothing can be prepared beside the machine.
        (
            [NO_TIMESCALEDB, NO_MOSQUITTO],
            Machine("apt-get install"),
            "apt-get install mosquitto postgresql-17-timescaledb && make test",
        ),
        ([NO_TIMESCALEDB, NO_MOSQUITTO], FEDORA, "sudo systemctl start docker && make test"),
        (
            [NO_TIMESCALEDB, NO_CHROMIUM],
            FEDORA,
            "sudo dnf install chromium && sudo systemctl start docker && make test",
        ),
        ([NO_PROMTOOL], FEDORA, "sudo dnf install prometheus && make test"),
        ([NO_DRIVES], DEBIAN, "nothing brings the recorded drives"),
        ([NO_DRIVES, NO_MOSQUITTO], DEBIAN, "KERBSAFE_TEST_INSTALL=1 make test"),
    ],
)
def test_one_command_brings_what_is_missing(reasons: list[str], machine: Machine, command: str) -> None:
    assert three_lines(reasons, 9, machine)[2] == f"to test it: {command}"


def test_three_lines_say_what_and_why() -> None:
    reasons = [NO_TIMESCALEDB] * 3 + [NO_MOSQUITTO, NO_DRIVES, "abstract socket names are Linux's"]
    what, why, command = three_lines(reasons, 40, DEBIAN)
    assert what == (
        "not tested: 5 of 40 tests, for want of TimescaleDB (3), Mosquitto (1), the recorded drives (1)"
    )
    assert why == (
        "why: Mosquitto, TimescaleDB: none is installed, this is not Debian, Docker is not installed; "
        "the recorded drives: no folder /shared"
    )
    assert command == "to test it: KERBSAFE_TEST_INSTALL=1 make test"


@pytest.mark.parametrize("reasons", [[], ["abstract socket names are Linux's"]])
def test_where_all_is_here_nothing_is_told(reasons: list[str]) -> None:
    assert three_lines(reasons, 40, DEBIAN) == []

"""The broker's files are replaced whole, or not at all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from fleet.credentials import HEADER
from kerbsafe.access.broker_files import BrokerFileError, prepared, reload_broker

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "passwd"
    path.write_text(HEADER + "old\n")
    path.chmod(0o644)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_both_files_are_there_only_after_replace(tmp_path: Path, old: Path) -> None:
    acl = tmp_path / "acl"
    with prepared({acl: HEADER + "acl\n", old: HEADER + "new\n"}) as new:
        assert not acl.exists()
        assert old.read_text() == HEADER + "old\n"
        new.replace()
    assert (acl.read_text(), old.read_text()) == (HEADER + "acl\n", HEADER + "new\n")
    assert names(tmp_path) == ["acl", "passwd"]


def test_nothing_is_left_behind_when_the_change_fails(tmp_path: Path, old: Path) -> None:
    with pytest.raises(ZeroDivisionError), prepared({old: "new"}):
        raise ZeroDivisionError
    assert old.read_text() == HEADER + "old\n"
    assert names(tmp_path) == ["passwd"]


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o640), (0o640, 0o640), (0o600, 0o600), (0o777, 0o640)]
)
def test_others_may_never_read_and_the_group_as_before(old: Path, before: int, after: int) -> None:
    old.chmod(before)
    with prepared({old: HEADER}) as new:
        new.replace()
    assert old.stat().st_mode & 0o777 == after


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    with prepared({path: HEADER}) as new:
        new.replace()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_uid == tmp_path.stat().st_uid


def test_what_somebody_wrote_by_hand_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("admin:$7$...\n")
    with pytest.raises(BrokerFileError, match="was not written by Kerbsafe"), prepared({path: HEADER}):
        pass
    assert path.read_text() == "admin:$7$...\n"
    assert names(tmp_path) == ["passwd"]


def test_an_empty_file_may_be_filled(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.touch()
    with prepared({path: HEADER}) as new:
        new.replace()
    assert path.read_text() == HEADER


@pytest.mark.parametrize("where", ["missing/passwd", "."])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, where: str) -> None:
    with pytest.raises(BrokerFileError, match="cannot write"), prepared({tmp_path / where: HEADER}):
        pass


def test_the_reload_command_runs_without_a_shell(tmp_path: Path) -> None:
    reload_broker(f"{sys.executable} -c 'import sys; open(sys.argv[1], \"w\")' '{tmp_path}/$(echo hello)'")
    assert names(tmp_path) == ["$(echo hello)"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("false", r"`false` failed \(exit code 1\): without a word"),
        ("no-such-command-here", "did not run"),
        ("'open", "did not run"),
        ("", "did not run"),
    ],
)
def test_a_reload_that_fails_says_so(command: str, message: str) -> None:
    with pytest.raises(BrokerFileError, match=message):
        reload_broker(command)

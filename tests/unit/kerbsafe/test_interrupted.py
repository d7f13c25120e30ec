"""Ctrl-C: what a command has written by then stays, and it says so; it never leaves a trace of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from kerbsafe import cli
from kerbsafe.shell import database

if TYPE_CHECKING:
    import argparse


class Logged(NamedTuple):
    query: str
    exception: BaseException | None = None


KEPT = "kerbsafe: interrupted; what was written until then stays written\n"
UNSURE = (
    "kerbsafe: interrupted while a change was being written; see whether it is there before you repeat it\n"
)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([], ""),
        ([Logged("BEGIN;"), Logged("insert into t values (1)")], ""),
        ([Logged("BEGIN;"), Logged("ROLLBACK;")], ""),
        ([Logged("BEGIN;"), Logged("COMMIT;")], KEPT),
        ([Logged("COMMIT;"), Logged("BEGIN;")], KEPT),
        ([Logged("COMMIT;", TimeoutError())], UNSURE),
        ([Logged("COMMIT;"), Logged("COMMIT;", TimeoutError())], UNSURE),
    ],
)
def test_what_was_committed_is_told(
    asked: list[Logged], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commits = database.Commits()
    monkeypatch.setattr(database, "COMMITS", commits)

    def interrupted(_: argparse.Namespace) -> int:
        for logged in asked:
            commits.note(logged)
        raise KeyboardInterrupt

    monkeypatch.setattr("kerbsafe.commands.rejects.run_list", interrupted)
    assert cli.main(["rejects", "list"]) == cli.EXIT_INTERRUPTED
    assert capsys.readouterr().err == says


def test_a_command_that_is_still_looking_for_its_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build_parser", interrupted)
    monkeypatch.setattr(database, "COMMITS", database.Commits())
    assert cli.main(["doctor"]) == cli.EXIT_INTERRUPTED
    assert capsys.readouterr().err == ""

"""The command line explains itself, and what is wrong with a call is one line and exit code 2."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import asyncpg
import pytest

from kerbsafe import cli, commands

README = (Path(__file__).resolve().parents[3] / "README.md").read_text("utf-8")
NOON, ONE = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"


def subcommands() -> dict[str, argparse.ArgumentParser]:
    def parser(name: str) -> argparse.ArgumentParser:
        known = cli.build_parser([name])._actions
        (action,) = (a for a in known if isinstance(a, argparse._SubParsersAction))
        return dict(action.choices)[name]

    return {name: parser(name) for name in commands.names()}


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a call that cannot be taken prints."""
    try:
        code = cli.main(arguments)
    except SystemExit as left:
        code = left.code
    assert code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.rstrip("\n")


@pytest.mark.parametrize("name", sorted(subcommands()))
def test_every_command_explains_itself_and_is_in_the_readme(name: str) -> None:
    assert subcommands()[name].description
    assert re.search(rf"[`\s]{name}[`,\s]", README), f"the README does not say what `kerbsafe {name}` is for"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND; see `kerbsafe --help`"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["replay"], "name files to replay, or --from TIME and --to TIME for stored fixes"),
        (["replay", "nowhere.csv"], "nowhere.csv: cannot be opened"),
        (["replay", "--from", "2026-11-22"], "is not RFC 3339 with an offset"),
        (["replay", "--from", NOON, "--to", NOON], "--to is not after --from"),
        (["replay", "--from", NOON, "--to", ONE, "--rules", "no.toml"], "cannot read the rulebook no.toml"),
        (["replay", "--from", NOON, "--to", ONE, "--as-arrived", "--compare", "live"], "leave out one"),
        (["replay", "--from", NOON, "--to", ONE, "--compare", "never"], "invalid choice: 'never'"),
        (["replay", "drive.csv", "--vehicle", "T1"], "--vehicle is for stored fixes"),
        (["replay", "drive.csv", "--compare"], "--compare is for stored fixes"),
        (["replay", "drive.csv", "--limit-kmh", "99999"], "'99999' is not a whole number from 1 to 200"),
        (["console", "--port", "70000"], "'70000' is not a whole number from 0 to 65535"),
        (["console", "token", "add", "x", "--days", "0"], "'0' is not a whole number from 1 to 3650"),
        (["play", "nowhere.csv", "--speedup", "0"], "'0' is not a number above 0"),
        (["play", "nowhere.csv", "--speedup", "fast"], "'fast' is not a number above 0"),
        (["play", "nowhere.csv", "--max-gap", "nan"], "'nan' is not a number above 0"),
        (["play", "nowhere.csv", "--limit-kmh", "0"], "'0' is not a whole number from 1 to 200"),
        (["play", "nowhere.csv", "--start", "1900-01-01T00:00:00Z"], "is not in the years 1971 to 2099"),
        (["alerts", "--limit", "-1"], "'-1' is not a whole number from 1"),
        (["soak", "--trucks", "0"], "'0' is not a whole number from 1 to 5000"),
        (["soak", "--minutes", "nan"], "'nan' is not a number above 0"),
        (["play", "nowhere.csv", "--broker", "http://x"], "--broker must be mqtt://"),
        (["demo", "--trucks", "0"], "'0' is not a whole number from 1 to 500"),
        (["demo", "--minutes", "never"], "is not a number of minutes"),
        (["demo", "--summary", "no/folder/x.json"], "is not a file in a folder that is there"),
        (["demo", "--data-dir", __file__], "is not a folder"),
    ],
)
def test_a_bad_call_is_answered_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = complaint(arguments, capsys)
    assert says in line
    assert "\n" not in line
    assert line.startswith("kerbsafe")


def test_a_secret_in_the_address_of_the_database_is_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", "postgresql://kerbsafe:pssst@127.0.0.1:1/none")
    line = complaint(["alerts"], capsys)
    assert "cannot reach the database" in line
    assert "pssst" not in line


def fails_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: argparse.Namespace) -> int:
        raise error

    parser = argparse.ArgumentParser()
    parser.set_defaults(run=run)
    monkeypatch.setattr(cli, "build_parser", lambda _: parser)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.json"), "a.json: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (TimeoutError(), "TimeoutError"),
        (
            asyncpg.AdminShutdownError("terminating connection"),
            "the database failed: terminating connection. See `kerbsafe doctor`, then try again.",
        ),
    ],
)
def test_a_disk_or_database_that_fails_on_the_way_is_one_line(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(error, monkeypatch)
    assert complaint([], capsys) == f"kerbsafe: {line}"


def test_a_fault_of_ours_shows_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(ZeroDivisionError("oh"), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        cli.main([])

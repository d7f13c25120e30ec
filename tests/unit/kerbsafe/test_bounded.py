"""A file that has no end is refused in a sentence, soon and in little memory."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from kerbsafe.cli import main
from kerbsafe.shell import bounded


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["score", "/dev/zero", "/dev/zero"], "cannot read /dev/zero: more than 100 MB, and no such file is"),
        (["rates", "verdict", "/dev/zero"], "/dev/zero cannot be read: more than 10 MB, and no such file is"),
        (["rules", "check", "/dev/zero"], "/dev/zero: larger than 1 MB, which no rulebook is"),
        (["replay", "/dev/zero"], "/dev/zero: the ending says no format; Kerbsafe reads .csv, .gpx, "),
    ],
)
def test_a_file_without_an_end(command: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    assert capsys.readouterr().err.startswith(f"kerbsafe: {says}")


def test_as_much_as_is_allowed_is_read_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "one"
    file.write_bytes(b"x" * 1_000_000)
    assert bounded.read_text(file, 1) == "x" * 1_000_000
    file.write_bytes(b"x" * 1_000_001)
    with pytest.raises(OSError, match="more than 1 MB"):
        bounded.read_bytes(file, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("x" * 1_000_001))
    with pytest.raises(OSError, match="more than 1 MB"):
        bounded.read_text(Path(bounded.STDIN), 1)

"""docs/statistics.md says what the code does: every example in it is run, every module of it is named."""

from __future__ import annotations

import doctest
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from kerbsafe.cli import main

ROOT = Path(__file__).resolve().parents[4]
DOC = ROOT / "docs" / "statistics.md"
TEXT = DOC.read_text("utf-8")


def console_examples() -> list[tuple[str, str]]:
    """Command and expected output of every ```console block."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.rstrip("\n")))
    return found


@pytest.mark.parametrize(("command", "expected"), console_examples(), ids=lambda text: text[:60])
def test_console(
    command: str, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON is compared by the keys and digits printed, text to the letter."""
    monkeypatch.chdir(ROOT)
    words = shlex.split(command)
    if words[0] == "echo":
        monkeypatch.setattr("sys.stdin", io.StringIO(words[1]))
        words = words[3:]
    assert words[0] == "kerbsafe"
    assert main(words[1:]) == 0
    out = capsys.readouterr().out.rstrip("\n")
    if "--json" not in words:
        assert out == expected
        return
    printed, shown = json.loads(out), json.loads(expected)
    assert shown
    for name, value in shown.items():
        assert printed[name] == (
            pytest.approx(value, rel=5e-6) if isinstance(value, int | float | dict) else value
        ), name


def test_python_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the sessions of the page, in order, as one."""
    monkeypatch.chdir(ROOT)
    source = "\n".join(re.findall(r"```pycon\n(.*?)```", TEXT, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(source, {}, "statistics.md", str(DOC), 0)
    failures = io.StringIO()
    result = doctest.DocTestRunner(verbose=False).run(test, out=failures.write)
    assert result.attempted > 30
    assert result.failed == 0, failures.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "rates", "target", "baseline", "policy", "runs", "verdict", "assessment", "phrasing", "sentences",
        "conclusions", "monitor", "companies", "before_after", "late_reports", "trend",
        "figures", "drawings",
    ],
)  # fmt: skip
def test_every_module_is_named(name: str) -> None:
    assert (ROOT / "analytics/statistics" / f"{name}.py").is_file()
    assert f"`{name}.py`" in TEXT


def test_every_file_of_the_examples_is_linked() -> None:
    assert {p.stem for p in (ROOT / "docs/examples").glob("*.json")} >= {
        "verdict",
        "trajectory",
        "funnel",
        "cusum",
        "intervals",
    }

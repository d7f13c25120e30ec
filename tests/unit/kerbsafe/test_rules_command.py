"""`kerbsafe rules` without a database: what is wrong with a file, and the page of the rules."""

from __future__ import annotations

import contextlib
import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.in_force.rulebooks import RulebookError, Rulebooks
from alerts.rulebook import documents
from kerbsafe.cli import main
from kerbsafe.rulebook import rules_page

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = documents.DEFAULT_PATH.read_text("utf-8")
FAULTY = DEFAULT.replace("hold_s = 10", "hold_s = -1", 1) + "\n[kind.mixxer]\nspeeding.holt_s = 3\n"


def check(
    path: Path, content: str | bytes, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code = main(["rules", "check", str(path), *words])
    said = capsys.readouterr()
    return code, said.out, said.err.replace(f"{path.parent}/", "")


def test_a_valid_file_is_said_to_be_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.toml"
    assert check(path, DEFAULT, capsys) == (0, f"{path}: version default-1 is valid\n", "")
    assert json.loads(check(path, DEFAULT, capsys, "--json")[1]) == {
        "file": str(path),
        "version": "default-1",
        "valid": True,
        "faults": [],
    }


def test_every_fault_of_a_file_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(tmp_path / "rules.toml", FAULTY, capsys)
    assert (code, out) == (2, "")
    head, *faults = err.splitlines()
    assert head == "kerbsafe: rules.toml: 3 faults"
    assert [fault.split()[0] for fault in faults] == [
        "`kind.mixxer`:",
        "`kind.mixxer.speeding.holt_s`",
        "`speeding.hold_s`",
    ]
    code, out, err = check(tmp_path / "rules.toml", FAULTY, capsys, "--json")
    assert (code, err) == (2, "")
    assert [fault.strip() for fault in faults] == json.loads(out)["faults"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "rules.toml: a rulebook is UTF-8, and byte 0 is not"),
        (b"#" * 1_000_001, "rules.toml: larger than 1 MB"),
        (b"[live", "the rulebook is not TOML"),
        (b"", "`version` is missing"),
    ],
)
def test_what_is_no_rulebook_is_named(
    content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = check(tmp_path / "rules.toml", content, capsys)
    assert (code, out) == (2, "")
    assert says in err


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", "nowhere.toml"]) == 2
    assert capsys.readouterr().err == (
        "kerbsafe: cannot read the rulebook nowhere.toml: No such file or directory\n"
    )


WORDS = (
    "speeding fence live mode city company kind mixer hours hold_s when limit_kmh companies class_limit_kmh"
)
tables = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(more=st.dictionaries(st.sampled_from(["mode", "city", "company", "kind", "speeding"]), tables))
def test_whatever_stands_in_a_document_is_a_named_fault(more: dict[str, object]) -> None:
    """Anything that TOML can say, in place of a table."""
    with contextlib.suppress(RulebookError):
        book = documents._validated(tomllib.loads(DEFAULT) | more, "")
        Rulebooks([book], {"acme": 1})


def test_the_page_of_the_rules_is_up_to_date() -> None:
    page = rules_page.PICTURES.parents[1] / "rules.md"
    assert page.read_text("utf-8") == rules_page.page(), (
        "make it again: kerbsafe rules document > docs/rules.md"
    )


def test_the_page_shows_every_number_and_the_pictures_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "dwell.png").touch()
    page = rules_page.page(tmp_path)
    for section, numbers in documents.SECTIONS.items():
        for name in numbers:
            assert f"| `{section}.{name}` |" in page
    assert "![dwell](img/rules/dwell.png)" in page
    assert "![speeding]" not in page

"""`docs/registry.md` says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.registry_import.checking import check
from fleet.registry_import.column import Kind
from fleet.registry_import.layout import IGNORED
from fleet.registry_import.manual import heading, table
from fleet.registry_import.reading import read_registry
from fleet.registry_import.recognising import recognise
from fleet.schedule import parse_schedule

MANUAL = (Path(__file__).parents[4] / "docs/registry.md").read_text("utf-8")


@pytest.mark.parametrize("kind", Kind)
def test_every_column_is_in_the_manual(kind: Kind) -> None:
    assert f"{heading(kind)}\n{table(kind)}" in MANUAL


def test_the_example_can_be_imported() -> None:
    example = MANUAL.partition("```csv\n")[2].partition("```")[0]
    header = MANUAL.partition("The same in Chinese: `")[2].partition("`")[0]
    for text in (example, example.replace(example.partition("\n")[0], header)):
        (found,) = read_registry(text.encode()).tables
        checked = check(found, recognise(found))
        assert checked.problems == ()
        assert [entry.code for entry in checked.entries] == ["JX-M-0001", "JX-M-0002", "JX-P-0001"]


def test_the_columns_that_are_skipped_are_named() -> None:
    named = MANUAL.partition("with the nearest known one; ")[2].partition(" are skipped")[0]
    assert set(named.replace(" and ", ", ").split(", ")) == IGNORED - {"notes", "remarks"}


def test_the_schedules_can_be_read() -> None:
    for written in ("mon-fri 07:00-09:00; sat 22:00-06:00", "daily 06:00-22:00", "周一至周五 07:00-09:00"):
        assert f"`{written}`" in MANUAL
        assert parse_schedule(written)

"""Rulebooks are validated whole, and the version in force is chosen by time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import rulebook
from fleet.registry import VehicleKind

DEFAULT = rulebook.DEFAULT_PATH.read_text("utf-8")


def test_the_default_is_valid_and_has_a_limit_for_every_kind() -> None:
    book = rulebook.default()
    assert book.version == "default-1"
    assert tuple(kind.word for kind in VehicleKind) == rulebook.KINDS
    assert set(book.class_limit_kmh) == set(rulebook.KINDS)


@pytest.mark.parametrize(
    ("change", "complaints"),
    [
        (("hold_s = 10", "hold_s = -1"), ["`speeding.hold_s` is -1, must be a number from 0 to 600"]),
        (("hold_s = 10", "hold_s = true"), ["`speeding.hold_s` is True"]),
        (("hold_s = 10", 'hold_s = "ten"'), ["`speeding.hold_s` is 'ten'"]),
        (("hold_s = 10", "hold_s = nan"), ["`speeding.hold_s` is nan"]),
        (("hold_s = 10\n", ""), ["`speeding.hold_s` is missing"]),
        (("hold_s = 10", "hold_s = 10\nholt_s = 3"), ["`speeding.holt_s` is unknown"]),
        (
            ("[speeding]", "[speedin]"),
            ["`speeding.hold_s` is missing", "`speedin` is not a section"],
        ),
        (("mixer = 80", "mixer = 300"), ["`speeding.class_limit_kmh.mixer` is 300"]),
        (
            ("mixer = 80", "mixr = 80"),
            ["`speeding.class_limit_kmh.mixer` is missing", "class_limit_kmh.mixr` is unknown"],
        ),
        (('version = "default-1"\n', ""), ["`version` is missing"]),
        (("[live]", "[live"), ["is not TOML"]),
        (("[live]\n", "[speeding.live]\n"), ["section [live] is missing", "`speeding.live` is unknown"]),
    ],
)
def test_every_fault_is_named_at_once(change: tuple[str, str], complaints: list[str]) -> None:
    document = DEFAULT.replace(*change, 1)
    assert document != DEFAULT
    with pytest.raises(rulebook.RulebookError) as error:
        rulebook.parse(document)
    for complaint in complaints:
        assert complaint in str(error.value)


def test_several_faults_are_told_together() -> None:
    document = DEFAULT.replace("hold_s = 10", "hold_s = -1").replace("gap_s = 120", "gap_s = 0")
    with pytest.raises(rulebook.RulebookError, match=r"motion\.gap_s.*speeding\.hold_s"):
        rulebook.parse(document)


@given(text=st.text(max_size=200))
def test_any_text_is_a_rulebook_or_a_named_error(text: str) -> None:
    with pytest.raises(rulebook.RulebookError):
        rulebook.parse(text)


def test_the_version_in_force_is_chosen_by_the_time_of_the_fix() -> None:
    book = rulebook.default()
    first, second = replace(book, valid_from_us=0), replace(book, version="b", valid_from_us=100)
    books = rulebook.Rulebooks([second, first])
    assert books.at(np.array([-5, 0, 99, 100, 500])).tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(rulebook.RulebookError, match="begin at the same time"):
        rulebook.Rulebooks([first, first])
    with pytest.raises(rulebook.RulebookError, match="no rulebook"):
        rulebook.Rulebooks([])


def test_a_version_recorded_before_a_rule_existed_gets_the_numbers_that_ship() -> None:
    """An upgrade must not be stopped by what was right when it was recorded; what it says still rules."""
    sections = DEFAULT.replace("hold_s = 10", "hold_s = 12").split("\n[")
    old = "\n[".join(section for section in sections if not section.startswith("right_turn]"))
    with pytest.raises(rulebook.RulebookError, match="right_turn"):
        rulebook.parse(old)
    book = rulebook.recorded(old, valid_from_us=7)
    assert book.valid_from_us == 7
    assert book.numbers["right_turn"] == rulebook.default().numbers["right_turn"]
    assert book.numbers["speeding"]["hold_s"] == 12

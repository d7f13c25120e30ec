"""Messages in Chinese or English, as the environment asks."""

from __future__ import annotations

import pytest

from fleet.errors import KerbsafeError
from fleet.language import Words, language, listed, told


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.GB18030"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_locale_says_the_language(environ: dict[str, str], expected: str) -> None:
    assert language(environ) == expected


def test_blanks_are_filled_in_both_languages() -> None:
    left_out = Words("{count} points left out: {why}", "舍去 {count} 个点：{why}")
    filled = left_out.fill(count=3, why=Words("no time", "没有时间"))
    assert filled == ("3 points left out: no time", "舍去 3 个点：没有时间")
    assert filled.to("zh") == "舍去 3 个点：没有时间"
    assert str(filled) == "3 points left out: no time"


def test_what_a_blank_holds_is_not_filled_again() -> None:
    assert Words("{name}", "{name}").fill(name="{other} {0}").en == "{other} {0}"


def test_a_list_within_a_sentence() -> None:
    assert listed([Words("a", "甲"), Words("b", "乙")]) == ("a, b", "甲、乙")


def test_an_error_is_told_in_the_language_asked_for() -> None:
    error = KerbsafeError(Words("no fixes", "没有定位点"))
    assert str(error) == "no fixes"
    assert told(error, "zh") == "没有定位点"
    assert told(KerbsafeError("plain"), "zh") == "plain"

"""Both languages say the same things, with the same places to fill in."""

from __future__ import annotations

import re
from pathlib import Path

from alerts.episodes import ENDED_AS
from alerts.matching import Verdict
from alerts.rules.speeding import LimitSource
from alerts.transitions import Rule
from fleet.columns import Target
from fleet.registry import FenceKind, VehicleKind

SOURCE = Path(__file__).resolve().parents[3] / "console" / "web" / "src"


def texts(language: str) -> dict[str, str]:
    source = (SOURCE / "text" / f"{language}.ts").read_text("utf-8")
    return dict(re.findall(r'^  "([a-z0-9_.]+)": "(.*)",$', source, re.MULTILINE))


EN, ZH = texts("en"), texts("zh")


def test_the_same_keys() -> None:
    assert len(EN) > 100
    assert EN.keys() == ZH.keys()


def test_the_same_places() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    assert {key: places(text) for key, text in EN.items()} == {key: places(text) for key, text in ZH.items()}


def test_chinese_is_chinese() -> None:
    latin = {key for key, text in ZH.items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert latin == {"app.language", "app.language.label", "handling.as"}


def test_every_key_that_the_page_names_is_there() -> None:
    code = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.ts"))
    named = set(re.findall(r'\bt\("([a-z0-9_.]+)"', code))
    assert named
    assert named <= EN.keys()


def test_every_word_of_the_api_has_a_text() -> None:
    """A new rule, source or verdict needs its words in both languages."""
    wanted = {
        *(f"rule.{rule.name.lower()}" for rule in Rule),
        *(f"source.{source.name.lower()}" for source in LimitSource),
        *(f"value.{target.name.lower()}" for target in Target),
        *(f"kind.{kind.word}" for kind in VehicleKind),
        *(f"fence.{kind}" for kind in FenceKind),
        *(f"judged.{verdict}" for verdict in Verdict),
        *(f"ended.{how}" for how in ENDED_AS.values()),
    }
    assert wanted - EN.keys() == set()

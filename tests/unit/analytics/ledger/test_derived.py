"""What follows from the facts: tolls, severity, scopes, codes."""

from __future__ import annotations

import pytest

from analytics.ledger.accident import Casualty, Facts, LedgerError, Range, check, toll, unknown_codes
from analytics.ledger.codes import (
    CODE_TABLES,
    FORMS,
    LIGHTINGS,
    MANOEUVRES,
    ROAD_CLASSES,
    WEATHERS,
    CodeTable,
)
from analytics.ledger.scopes import NO, UNDECIDED, YES, Scope, in_scope, is_pending
from analytics.ledger.severity import severity
from tests.unit.analytics.ledger.cases import (
    DEAD,
    EQUAL,
    FULL,
    LIGHT,
    MINOR,
    PENDING,
    SERIOUS,
    accident,
    died,
    hurt,
    mixer,
)


@pytest.mark.parametrize(
    ("died_on", "within_7", "within_30"),
    [
        ("2016-03-12 09:00", (1, 0), (1, 0)),
        ("2016-03-19 23:59", (1, 0), (1, 0)),
        ("2016-03-20 00:30", (0, 1), (1, 0)),  # day 8
        ("2016-04-11", (0, 1), (1, 0)),  # day 30
        ("2016-04-12", (0, 1), (0, 1)),
    ],
)
def test_a_death_counts_by_civil_days(died_on: str, within_7: object, within_30: object) -> None:
    facts = accident(casualties=(died(died_on, SERIOUS),))
    for days, (dead, serious) in ((7, within_7), (30, within_30)):
        assert toll(facts, days) == (Range(dead, dead), Range(serious, serious), 0)


def test_a_death_of_which_nobody_knows_when_is_a_range() -> None:
    facts = accident(casualties=hurt(DEAD, SERIOUS, LIGHT))
    assert toll(facts, 7) == (Range(0, 1), Range(1, 2), 1)
    assert in_scope(facts, Scope.A3) == UNDECIDED


def test_a_count_of_the_police_is_of_seven_days() -> None:
    facts = accident(casualties=(Casualty(DEAD, died_within_days=7), Casualty(DEAD, died_within_days=30)))
    assert toll(facts, 7) == (Range(1, 1), Range(1, 1), 0)
    assert toll(facts, 30).dead == Range(2, 2)


@pytest.mark.parametrize(
    ("dead", "serious", "light", "loss", "three", "of_1991", "of_493"),
    [
        (0, 0, 0, 999, "财产损失事故", "轻微事故", "一般事故"),
        (0, 0, 2, 0, "伤人事故", "轻微事故", "一般事故"),
        (0, 0, 3, 0, "伤人事故", "一般事故", "一般事故"),
        (0, 2, 0, 0, "伤人事故", "一般事故", "一般事故"),
        (0, 3, 0, 0, "伤人事故", "重大事故", "一般事故"),
        (0, 10, 0, 0, "伤人事故", "重大事故", "较大事故"),
        (0, 11, 0, 0, "伤人事故", "特大事故", "较大事故"),
        (0, 0, 0, 30_000, "财产损失事故", "重大事故", "一般事故"),
        (0, 0, 0, 59_999, "财产损失事故", "重大事故", "一般事故"),
        (0, 0, 0, 60_000, "财产损失事故", "特大事故", "一般事故"),
        (1, 0, 0, 0, "死亡事故", "重大事故", "一般事故"),
        (1, 8, 0, 0, "死亡事故", "特大事故", "一般事故"),
        (2, 4, 0, 0, "死亡事故", "重大事故", "一般事故"),
        (2, 5, 0, 0, "死亡事故", "特大事故", "一般事故"),
        (3, 0, 0, 0, "死亡事故", "特大事故", "较大事故"),
        (10, 0, 0, 0, "死亡事故", "特大事故", "重大事故"),
        (0, 100, 0, 0, "伤人事故", "特大事故", "特别重大事故"),
        (0, 0, 0, 10_000_000, "财产损失事故", "特大事故", "较大事故"),
    ],
)
def test_severity_in_three_systems(
    dead: int, serious: int, light: int, loss: int, three: str, of_1991: str, of_493: str
) -> None:
    people = (*(died("2016-03-12"),) * dead, *hurt(*(SERIOUS,) * serious, *(LIGHT,) * light))
    found = severity(accident(casualties=people, loss_yuan=loss))
    assert [found.three.label.zh, found.of_1991.label.zh, found.of_493.label.zh] == [three, of_1991, of_493]
    assert found.three.is_certain
    assert found.of_493.is_certain


def test_severity_says_what_is_not_certain() -> None:
    without_loss = severity(accident(casualties=hurt(LIGHT)))
    assert (without_loss.three.is_certain, without_loss.of_1991.is_certain) == (True, False)
    unsure = severity(accident(casualties=hurt(DEAD), loss_yuan=0))
    assert (unsure.three.label.en, unsure.three.is_certain) == ("injury", False)
    assert severity(accident(casualties_known=False)).uk is None


@pytest.mark.parametrize(
    ("facts", "a1", "a2", "a3"),
    [
        (accident(), NO, NO, NO),  # nobody hurt
        (accident(casualties_known=False), UNDECIDED, UNDECIDED, UNDECIDED),
        (accident(casualties=hurt(LIGHT)), YES, UNDECIDED, NO),
        (accident(casualties=hurt(LIGHT), vehicles=(mixer(responsibility=EQUAL),)), YES, YES, NO),
        (accident(casualties=hurt(LIGHT), vehicles=(mixer(responsibility=MINOR),)), YES, NO, NO),
        (accident(casualties=(died("2016-03-13"),)), YES, UNDECIDED, YES),
        (accident(casualties=(died("2016-03-20"),)), YES, UNDECIDED, NO),
        (accident(casualties=hurt(LIGHT), police_handled=False), NO, NO, NO),
        (accident(casualties=hurt(LIGHT), vehicles=()), NO, NO, NO),
        # one of two is to blame, of the other nobody knows yet
        (
            accident(
                casualties=hurt(LIGHT),
                vehicles=(mixer(responsibility=FULL), mixer("TX-M-002", "TX", responsibility=PENDING)),
            ),
            YES,
            YES,
            NO,
        ),
    ],
)
def test_scopes(facts: Facts, a1: Range, a2: Range, a3: Range) -> None:
    assert [in_scope(facts, scope) for scope in Scope] == [a1, a2, a3]


def test_responsibility_that_nobody_stated_is_pending() -> None:
    assert is_pending(accident(casualties=hurt(LIGHT), vehicles=(mixer(),)))
    assert not is_pending(accident(casualties=hurt(LIGHT), vehicles=(mixer(responsibility=MINOR),)))


@pytest.mark.parametrize(
    ("table", "text", "code", "zh"),
    [
        (MANOEUVRES, "06", "06", "右转弯"),
        (MANOEUVRES, "6", "06", "右转弯"),
        (MANOEUVRES, "右转", "06", "右转弯"),
        (MANOEUVRES, "０６-右转弯", "06", "右转弯"),
        (MANOEUVRES, "05", "05", "左转弯"),
        (MANOEUVRES, "07", "07", "变更车道"),
        (MANOEUVRES, "起步", "starting", "起步"),
        (MANOEUVRES, "06 左转弯", "06 左转弯", "06 左转弯"),  # contradicts itself
        (MANOEUVRES, "42", "42", "42"),
        (ROAD_CLASSES, "城市快速路", "21", "城市快速路"),
        (WEATHERS, "1", "1", "晴"),
        (WEATHERS, "9", "9", "9"),  # other in one edition, haze in another
        (LIGHTINGS, "夜间有路灯", "2", "夜间有路灯照明"),
        (FORMS, "22", "22", "碾压行人"),
    ],
)
def test_codes_both_ways(table: CodeTable, text: str, code: str, zh: str) -> None:
    assert table.read(text) == code
    assert table.label(code).zh == zh


@pytest.mark.parametrize("table", CODE_TABLES.values(), ids=CODE_TABLES)
def test_every_code_is_found_by_its_words(table: CodeTable) -> None:
    for code, label in table.codes.items():
        assert [table.read(word) for word in (code, *label)] == [code] * 3


def test_unknown_codes_are_listed() -> None:
    facts = accident(weather="9", road_class="22", vehicles=(mixer(manoeuvre="42"),))
    assert unknown_codes(facts) == [("manoeuvre", "42"), ("weather", "9")]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (accident(casualties=(died("2016-03-11"),)), "before the accident"),
        (accident(vehicles=(mixer(), mixer())), "twice"),
        (accident(loss_yuan=-1), "negative"),
    ],
)
def test_what_cannot_be_is_refused(facts: Facts, words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        check(facts)

"""Every word of the ledger's own has words in both languages, and so has what is printed of one accident."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest

from analytics.ledger import words
from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    LedgerError,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
    check,
)
from analytics.ledger.claims.claim import Claim
from analytics.ledger.documents import accident_document, details_document, versions_document
from analytics.ledger.history import Reason, Status, report, withdraw
from fleet.kinds import VehicleKind
from kerbsafe.accidents.accident_report import LINES
from tests.unit.analytics.ledger.cases import accident, died, mixer, writer


@pytest.mark.parametrize(
    ("known", "of"),
    [
        (words.STATUSES, Status),
        (words.REASONS, Reason),
        (words.REPORTERS, Reporter),
        (words.INJURIES, Injury),
        (words.ROLES, Role),
        (words.SHARES, Responsibility),
        (words.KINDS, {kind.word for kind in VehicleKind}),
    ],
)
def test_every_word_has_words(known: dict, of: set) -> None:
    assert set(known) == set(of)
    assert all(re.search(r"[\u4e00-\u9fff]", each.zh) for each in known.values())


@pytest.mark.parametrize("name", [each.name for kind in (Facts, Claim) for each in fields(kind)])
def test_every_fact_has_a_name(name: str) -> None:
    assert re.search(r"[\u4e00-\u9fff]", words.fact(name).zh)


SHOWN = accident(
    county="海盐县",
    place="东西大道",
    weather="9",
    form="22",
    casualties=(died("2016-03-14"), Casualty(Injury.LIGHT, Role.EBIKE)),
    vehicles=(
        mixer(responsibility=Responsibility.MAIN, manoeuvre="06"),
        Vehicle(is_fleet=False, manoeuvre="42"),
    ),
)


def test_an_accident_is_shown_in_chinese_alone() -> None:
    first = report(SHOWN, writer("2016-03-20", who="王芳", why="月报"))
    last = withdraw([first], writer("2016-04-01", who="王芳", why="场内"))
    document = {
        **accident_document("JX1", last),
        **details_document(last.facts),
        "versions": versions_document([first, last]),
    }
    assert list(LINES["show"](document, "zh")) == [
        "JX1  2016-03-12T00:30:00Z  撤销",
        "死1 重0 轻1  A1 A2 A3",
        "事故分类: 死亡事故",
        "1991 年标准: 重大事故+",
        "493 号令: 一般事故+",
        "英国分类: 死亡事故",
        "区县: 海盐县",
        "地点: 东西大道",
        "报告方: 公安",
        "天气: 9（代码表中没有此代码）",
        "事故形态: 22 碾压行人",
        "车辆: HD-M-001  HD  混凝土搅拌车  06 右转弯  主要责任",
        "车辆: 非本行业车辆  42（代码表中没有此代码）  -",
        "伤亡人员: 死亡  行人  2016-03-14 死亡",
        "伤亡人员: 轻伤  电动自行车骑行人",
        "v1  2016-03-19T16:00:00Z  新报  王芳  月报",
        "v2  2016-03-31T16:00:00Z  非本口径  王芳  场内",
    ]


@pytest.mark.parametrize(
    ("facts", "zh"),
    [
        (accident(casualties=(died("2016-03-11"),)), "死亡时间（2016-03-11）早于事故发生时间（2016-03-12）"),
        (accident(loss_yuan=-1), "损失为 -1 元：不能为负数"),
        (accident(vehicles=(mixer(), mixer())), "同一辆车登记了两次"),
    ],
)
def test_what_contradicts_itself_is_said_in_both_languages(facts: Facts, zh: str) -> None:
    with pytest.raises(LedgerError) as caught:
        check(facts)
    assert caught.value.words.zh == zh
    check(replace(SHOWN))

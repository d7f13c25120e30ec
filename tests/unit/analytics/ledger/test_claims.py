"""Claims of insurers: what each row comes to, which accident a claim is of, and how many nobody reported."""

from __future__ import annotations

import io
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ledger.accident import Facts, Reporter, Vehicle
from analytics.ledger.claims.capture import Capture
from analytics.ledger.claims.claim import Claim
from analytics.ledger.claims.columns import CLAIMS, COLUMNS
from analytics.ledger.claims.matching import How, Match, match
from analytics.ledger.claims.planning import ClaimsPlan, KnownClaims, plan
from analytics.ledger.claims.reading import understand
from analytics.ledger.claims.reconciling import Where, common_period, reconcile
from analytics.ledger.columns import moment
from analytics.ledger.counting import Period
from analytics.ledger.planning import Fate
from fleet.registry_import.column import Need
from fleet.registry_import.reading import read_tables
from tests.unit.analytics.ledger.cases import FLEET, LIGHT, accident, hurt, mixer, writer

HEADER = "报案号,出险时间,出险地点,标的车牌,受伤人数,死亡人数,赔款金额,险种,保险公司\n"
ONE = HEADER + "PA-1,2016-03-12 08:45,东西大道,浙F12345,1,0,8000,交强险,平安\n"


def planned(
    text: str | bytes, known: dict[str, list] | None = None, insurer: str = "", by: str = "2016-04-01"
) -> ClaimsPlan:
    data = text if isinstance(text, bytes) else text.encode()
    said = understand(read_tables(data, CLAIMS))
    return plan(said, KnownClaims(known or {}, FLEET, writer(by), insurer))


def test_one_row_one_claim() -> None:
    made = planned(ONE)
    assert [(each.row, each.code, each.fate) for each in made.fates] == [(2, "PA-1", Fate.CREATE)]
    claim = made.versions["PA-1"].claim
    assert (claim.insurer, claim.hurt, claim.dead, claim.paid_yuan) == ("平安", 1, 0, 8000)
    assert (claim.vehicle.vehicle, claim.vehicle.company) == ("HD-M-001", "HD")
    assert claim.has_casualties is True


def test_amounts_of_several_kinds_of_insurance_are_added_and_a_blank_agrees() -> None:
    more = ONE + "PA-1,,,浙F12345,,,2.5万元,商业险,\n"
    made = planned(more)
    assert made.problems == ()
    assert made.versions["PA-1"].claim.paid_yuan == 33_000


def test_twice_changes_nothing_and_more_is_a_version() -> None:
    known = {"PA-1": [planned(ONE).versions["PA-1"]]}
    assert planned(ONE, known).versions == {}
    later = planned("报案号,死亡人数\nPA-1,1\n", known)
    assert (later.fates[0].fate, later.fates[0].changes) == (Fate.UPDATE, ("dead",))
    claim = later.versions["PA-1"].claim
    assert (claim.dead, claim.hurt, later.versions["PA-1"].number) == (1, 1, 2)


@pytest.mark.parametrize(
    ("rows", "fate", "words"),
    [
        ("PA-2,昨天,,浙F12345,1,0,,,\n", Fate.ERROR, "must be a day"),
        ("PA-2,,,浙F12345,1,0,,,\n", Fate.ERROR, "when it happened"),
        (",2016-03-12,,浙F12345,1,0,,,\n", Fate.ERROR, "is missing: number of the claim"),
        ("PA-2,2026-03-12,,浙F12345,1,0,,,\n", Fate.ERROR, "in the future"),
        ("PA-2,2016-03-12,,浙F12345,两人,0,,,\n", Fate.ERROR, "number of people"),
        ("PA-2,2016-03-12,,浙A99999,1,0,,,\n", Fate.NOT_OURS, None),
        (
            "PA-2,2016-03-12,,浙F12345,1,0,5,交强险,\nPA-2,,,,,,6,交强险,\n",
            Fate.ERROR,
            "another row says something else",
        ),
        ("PA-1,2016-05-12,,浙F12345,1,0,,,\n", Fate.ERROR, "number of another claim"),
        ("PA-1,2016-03-12,,浙F22222,1,0,,,\n", Fate.ERROR, "number of another claim"),
    ],
)
def test_what_is_wrong_is_left_out_and_said(rows: str, fate: Fate, words: str | None) -> None:
    known = {"PA-1": [planned(ONE).versions["PA-1"]]}
    made = planned(HEADER + rows + "PA-9,2016-03-13,,浙F22222,0,0,,,\n", known, by="2016-06-01")
    assert made.fates[0].fate is fate
    assert list(made.versions) == ["PA-9"]
    assert [words in str(problem) for problem in made.problems] == ([True] if words else [])


def test_a_list_that_cannot_be_read_is_refused_as_a_whole() -> None:
    made = planned("报案号,出险时间,星座\nPA-1,2016-03-12,x\n")
    assert made.is_refused
    assert made.versions == {}
    assert "not a column of claims" in str(made.problems[0])


def workbook(*rows: list[Any]) -> bytes:
    """As an insurer sends it: a title, merged cells, dates as numbers, a formula that Excel has not saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["2016年一季度专用车辆赔案清单"])
    sheet.append(["报案号", "出险时间", "标的车牌", "受伤人数", "赔款金额(万元)", "险种", "报案人"])
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_with_merged_cells_and_dates_as_numbers() -> None:
    made = planned(
        workbook(
            ["PA-1", 42441.364583333336, "浙F12345", 1, 0.8, "交强险", "张三"],
            [None, None, None, None, 2, "商业险", None],
        )
    )
    assert made.problems == ()
    claim = made.versions["PA-1"].claim
    assert (str(claim.occurred), claim.paid_yuan) == ("2016-03-12T00:45:00Z", 28_000)


def test_a_formula_that_was_never_calculated_is_named() -> None:
    made = planned(workbook(["PA-1", 42441, "浙F12345", "=1+1", 1, "交强险", ""]))
    assert "formula that was never calculated" in str(made.problems[0])


def test_gbk_is_read() -> None:
    assert list(planned(ONE.encode("gbk")).versions) == ["PA-1"]


def test_the_words_for_columns_are_told_apart() -> None:
    words = [word for column in COLUMNS for word in (column.name, *column.synonyms)]
    assert len(words) == len(set(words))


# ---------------------------------------------------------------- which accident a claim is of


def claim(occurred: str = "2016-03-12 08:45", vehicle: Vehicle | None = None, **more: Any) -> Claim:
    return Claim(moment(occurred), vehicle or mixer(), **({"hurt": 1, "dead": 0} | more))


PLATE = Vehicle(True, plate="浙A99999")
NAMELESS = Vehicle(True, company="HD")


@pytest.mark.parametrize(
    ("one", "facts", "how", "minutes"),
    [
        (claim(), accident(), How.VEHICLE_TIME, 15),
        (claim("2016-03-12 10:30"), accident(), How.VEHICLE_TIME, 120),
        (claim("2016-03-12 10:31"), accident(), None, None),
        (claim("2016-03-12"), accident(), How.VEHICLE_TIME, None),
        (claim("2016-03-13"), accident(), None, None),
        (claim("2016-03-13 00:10"), accident("2016-03-12 23:50"), How.VEHICLE_TIME, 20),
        (claim(vehicle=mixer("TX-M-002")), accident(), None, None),
        (claim(vehicle=PLATE), accident(vehicles=(PLATE,)), How.VEHICLE_TIME, 15),
        (claim("2016-04-30", police_no="33-7"), accident(police_no="33-7"), How.NUMBER, None),
        (claim("2016-04-30"), accident(claim_no="PA-1"), How.NUMBER, None),
        (claim(vehicle=NAMELESS, place="东西大道百步段"), accident(place="东西大道"), How.POSSIBLE, 15),
        (claim(vehicle=NAMELESS, place="新农路"), accident(place="东西大道"), None, None),
        (claim(vehicle=NAMELESS), accident(), None, None),
    ],
)
def test_which_claim_is_of_which_accident(
    one: Claim, facts: Facts, how: How | None, minutes: int | None
) -> None:
    found = match({"A1": facts}, {"PA-1": one})
    expected = () if how is None else (Match("PA-1", "A1", how, minutes),)
    assert (*found.certain, *found.possible) == expected


def test_a_claim_is_of_the_accident_that_is_nearest() -> None:
    accidents = {"A1": accident("2016-03-12 07:30"), "A2": accident("2016-03-12 08:40")}
    assert match(accidents, {"PA-1": claim()}).certain == (Match("PA-1", "A2", How.VEHICLE_TIME, 5),)


def test_two_trucks_of_one_accident_have_two_claims() -> None:
    both = accident(vehicles=(mixer(), mixer("TX-M-002", "TX")))
    found = reconcile({"A1": both}, {"P1": claim(), "P2": claim(vehicle=mixer("TX-M-002"))}, MARCH)
    assert [(event.where, event.claims) for event in found.events] == [(Where.BOTH, ("P1", "P2"))]


# ---------------------------------------------------------------- what the lists say of each other

MARCH = Period(date(2016, 3, 1), date(2016, 3, 31))


def test_police_only_insurer_only_both_and_neither() -> None:
    accidents = {
        "both": accident("2016-03-12 08:30", casualties=hurt(LIGHT)),
        "police": accident("2016-03-13 08:30", casualties=hurt(LIGHT)),
        "firm": accident(
            "2016-03-14 08:30", casualties=hurt(LIGHT), reporter=Reporter.COMPANY, police_handled=False
        ),
        "settled": accident(
            "2016-03-15 08:30", casualties=hurt(LIGHT), reporter=Reporter.COMPANY, police_handled=False
        ),
        "april": accident("2016-04-01 08:30", casualties=hurt(LIGHT)),
    }
    claims = {
        "P1": claim(),
        "P2": claim("2016-03-15 08:30"),
        "P3": claim("2016-03-20 10:00"),
        "P4": claim("2016-03-20 10:10", insurer="other"),
        "P5": claim("2016-03-22", hurt=0),
        "P6": claim("2016-03-23", hurt=None),
    }
    found = reconcile(accidents, claims, MARCH)
    assert [(event.where, event.accident, event.claims, event.has_casualties) for event in found.events] == [
        (Where.BOTH, "both", ("P1",), True),
        (Where.POLICE_ONLY, "police", (), True),
        (Where.NEITHER, "firm", (), True),
        (Where.INSURER_ONLY, "settled", ("P2",), True),
        (Where.INSURER_ONLY, "", ("P3", "P4"), True),  # two insurers, one crash
        (Where.INSURER_ONLY, "", ("P5",), False),
        (Where.INSURER_ONLY, "", ("P6",), None),
    ]
    assert found.capture == Capture(police_only=1, insurer_only=2, both=1)


def test_what_is_possible_is_counted_apart() -> None:
    accidents = {"A1": accident(place="东西大道", casualties=hurt(LIGHT))}
    found = reconcile(accidents, {"P1": claim(vehicle=NAMELESS, place="东西大道")}, MARCH)
    assert (found.capture, found.possible_pairs) == (Capture(1, 1, 0), 1)
    assert found.capture_if_possible == Capture(0, 0, 1)


def test_the_days_that_both_lists_speak_of() -> None:
    accidents = [accident("2016-01-05"), accident("2016-03-12 08:30")]
    assert common_period(accidents, [claim("2016-02-01"), claim("2016-06-01")]) == (
        date(2016, 2, 1),
        date(2016, 3, 12),
    )
    assert common_period(accidents, [claim("2016-06-01")]) is None
    assert common_period([], [claim()]) is None


def test_chapmans_estimate() -> None:
    """48 marked, 42 caught, 20 of them marked (worked by hand: 49 x 43 / 21 - 1)."""
    one = Capture(police_only=28, insurer_only=22, both=20)
    assert one.total == pytest.approx(99.333, abs=0.001)
    assert one.seen == 70
    assert one.unseen == pytest.approx(29.333, abs=0.001)
    assert one.police_share == pytest.approx(20 / 42)
    assert one.interval() == (82, 139)  # as scipy.stats.hypergeom has it


def test_too_few_in_both_say_nothing() -> None:
    assert not Capture(3, 4, 6).is_sound
    assert Capture(3, 4, 7).is_sound
    assert Capture(0, 3, 0).interval()[1] == math.inf


def test_a_list_that_holds_all_of_the_other_is_not_proof() -> None:
    """All 10 of the police are among the 20 of the insurer: of 26 that happens once in 29, of 27 in 46."""
    assert Capture(police_only=0, insurer_only=10, both=10).interval() == (20, 26)


counts = st.integers(0, 200)


@given(counts, counts, counts)
def test_never_fewer_than_were_seen(police: int, insurer: int, both: int) -> None:
    one = Capture(police, insurer, both)
    low, high = one.interval()
    assert one.seen <= low <= high
    assert one.seen <= one.total + 1e-9
    other = Capture(insurer, police, both)
    assert one.interval() == pytest.approx(other.interval())


def test_the_interval_holds_what_it_promises() -> None:
    """60 accidents, the police hear of 80 %, the insurer of 60 %, neither minding the other."""
    rng = np.random.default_rng(1)
    heard = rng.random((600, 60, 2)) < (0.8, 0.6)
    police, insurer = heard[..., 0], heard[..., 1]
    lists = zip(
        (police & ~insurer).sum(1).tolist(),
        (insurer & ~police).sum(1).tolist(),
        (police & insurer).sum(1).tolist(),
        strict=True,
    )
    inside = [low <= 60 <= high for low, high in (Capture(*one).interval() for one in lists)]
    assert np.mean(inside) > 0.95


def test_the_page_shows_every_column() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "claims.md").read_text("utf-8")
    table = page.partition("<!-- table: columns -->\n")[2].partition("<!-- end -->")[0]
    needed = {Need.ALWAYS: "always", Need.WHEN_NEW: "when new", Need.NO: ""}
    rows = [
        f"| `{each.name}` | {' '.join(each.synonyms)} | {each.meaning.en} | {needed[each.need]} |"
        for each in COLUMNS
    ]
    assert table.splitlines()[2:] == rows

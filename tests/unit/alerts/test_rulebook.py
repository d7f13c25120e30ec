"""Rulebooks are validated whole, and the version in force is chosen by time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.in_force.rulebooks import RulebookError, Rulebooks
from alerts.rulebook import documents
from alerts.words.transitions import Rule
from fleet.kinds import VehicleKind

DEFAULT = documents.DEFAULT_PATH.read_text("utf-8")


def test_the_default_is_valid_and_has_a_limit_for_every_kind() -> None:
    book = documents.default()
    assert book.version == "default-1"
    assert tuple(kind.word for kind in VehicleKind) == documents.VEHICLE_KINDS
    assert set(book.class_limit_kmh) == set(documents.VEHICLE_KINDS)


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
    with pytest.raises(RulebookError) as error:
        documents.parse(document)
    for complaint in complaints:
        assert complaint in str(error.value)


def test_several_faults_are_told_together() -> None:
    document = DEFAULT.replace("hold_s = 10", "hold_s = -1").replace("gap_s = 120", "gap_s = 0")
    with pytest.raises(RulebookError, match=r"motion\.gap_s.*speeding\.hold_s"):
        documents.parse(document)


@given(text=st.text(max_size=200))
def test_any_text_is_a_rulebook_or_a_named_error(text: str) -> None:
    with pytest.raises(RulebookError):
        documents.parse(text)


def test_the_version_in_force_is_chosen_by_the_time_of_the_fix() -> None:
    book = documents.default()
    first, second = replace(book, valid_from_us=0), replace(book, version="b", valid_from_us=100)
    books = Rulebooks([second, first])
    assert books.at(np.array([-5, 0, 99, 100, 500])).tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(RulebookError, match="begin at the same time"):
        Rulebooks([first, first])
    with pytest.raises(RulebookError, match="no rulebook"):
        Rulebooks([])


def test_a_version_recorded_before_a_rule_existed_gets_the_numbers_that_ship() -> None:
    """An upgrade must not be stopped by what was right when it was recorded; what it says still rules."""
    sections = DEFAULT.replace("hold_s = 10", "hold_s = 12").split("\n[")
    old = "\n[".join(section for section in sections if not section.startswith("right_turn]"))
    with pytest.raises(RulebookError, match="right_turn"):
        documents.parse(old)
    book = documents.recorded(old, valid_from_us=7)
    assert book.valid_from_us == 7
    assert book.numbers["right_turn"] == documents.default().numbers["right_turn"]
    assert book.numbers["speeding"]["hold_s"] == 12


# ---------------------------------------------------------------- overrides

OVERRIDDEN = (
    DEFAULT
    + """
[mode]
right_turn_fast = "shadow"

[city.jiashan]
companies = ["acme", "cement"]
speeding.tolerance_kmh = 3
mode.dwell = "off"

[company.acme]
speeding = {tolerance_kmh = 4, class_limit_kmh = {pump = 50}}
mode.right_turn_fast = "live"

[kind.mixer]
speeding = {tolerance_kmh = 1, hours = [{when = "daily 22:00-06:00", limit_kmh = 50}]}
"""
)
IDS = {"acme": 3, "cement": 7, "other": 5}
MIXER, PUMP = documents.VEHICLE_KINDS.index("mixer"), documents.VEHICLE_KINDS.index("pump")


def rows(books: Rulebooks, company: int, kind: int, time_us: int = 0) -> np.ndarray:
    return books.at(np.array([time_us]), np.array([company], np.int32), np.array([kind], np.int16))


@pytest.mark.parametrize(
    ("company", "kind", "tolerance_kmh", "pump_kmh"),
    [
        ("other", PUMP, 5, 80),
        ("cement", PUMP, 3, 80),  # the city's
        ("acme", PUMP, 4, 50),  # the company rules over its city
        ("acme", MIXER, 1, 50),  # and the kind over both
        ("other", MIXER, 1, 80),
    ],
)
def test_the_kind_rules_over_the_company_and_the_company_over_the_city(
    company: str, kind: int, tolerance_kmh: float, pump_kmh: float
) -> None:
    books = Rulebooks([documents.parse(OVERRIDDEN)], IDS)
    row = rows(books, IDS[company], kind)
    assert books.numbers("speeding", row)["tolerance_kmh"] == tolerance_kmh
    assert books.numbers("speeding", row)["hold_s"] == 10
    assert books.class_limit_kmh(row, np.array([PUMP])).tolist() == [pump_kmh]


@pytest.mark.parametrize("company", [-1, 0, 4, 5, 8, 10_000])
def test_of_any_other_company_nothing_else_is_said(company: int) -> None:
    books = Rulebooks([documents.parse(OVERRIDDEN)], IDS)
    assert rows(books, company, PUMP).tolist() == [0]


def test_a_company_that_is_not_registered_yet_changes_no_other_row() -> None:
    """Rows that are remembered mean the same when the company comes."""
    book = documents.parse(OVERRIDDEN)
    before, after = Rulebooks([book], {"cement": 7}), Rulebooks([book], IDS)
    assert rows(before, 3, PUMP).tolist() == [0]
    for kind in range(len(documents.VEHICLE_KINDS)):
        assert rows(before, 7, kind).tolist() == rows(after, 7, kind).tolist()


def test_the_mode_of_a_rule_is_the_rows() -> None:
    books = Rulebooks([documents.parse(OVERRIDDEN)], IDS)
    elsewhere, acme = int(rows(books, 5, PUMP)[0]), int(rows(books, 3, PUMP)[0])
    assert books.mode(elsewhere, Rule.SPEEDING) == "live"
    assert books.mode(elsewhere, Rule.RIGHT_TURN_FAST) == "shadow:default-1"
    assert books.mode(acme, Rule.RIGHT_TURN_FAST) == "live"
    counts = books.counts(np.array([elsewhere, acme]), np.array([Rule.DWELL, Rule.DWELL]))
    assert counts is not None
    assert counts.tolist() == [True, False]


def test_versions_with_and_without_overrides_follow_each_other() -> None:
    """One more version later leaves the rows that are there what they are."""
    first = documents.parse(OVERRIDDEN, valid_from_us=0)
    second = documents.parse(DEFAULT.replace("default-1", "second"), valid_from_us=100)
    third = documents.parse(OVERRIDDEN.replace("default-1", "third"), valid_from_us=200)
    two, three = Rulebooks([first, second], IDS), Rulebooks([third, first, second], IDS)
    for time_us, version in ((0, "default-1"), (100, "second"), (200, "third")):
        row = rows(three, IDS["acme"], MIXER, time_us)
        assert three.version(int(row[0])) == version
        assert three.valid_from_us[row].tolist() == [time_us]
        if time_us < 200:
            assert row.tolist() == rows(two, IDS["acme"], MIXER, time_us).tolist()


@pytest.mark.parametrize(
    ("more", "complaints"),
    [
        (
            "[kind.mixxer]\nspeeding.hold_s = 3",
            ["`kind.mixxer`: there is no such kind of vehicle; there are"],
        ),
        ('[company."a b"]\nspeeding.hold_s = 3', ["`company.a b`: not the code of a company"]),
        ("[kind.mixer]\nspeeding.hold_s = -3", ["`kind.mixer.speeding.hold_s` is -3"]),
        ("[kind.mixer]\nspeeding.holt_s = 3", ["`kind.mixer.speeding.holt_s` is unknown"]),
        ("[kind.mixer]\nlive.horizon_s = 60", ["`kind.mixer.live`: [live] holds for every vehicle alike"]),
        ("[kind.mixer]\nspeedin.hold_s = 60", ["`kind.mixer.speedin` is not a section; there are speeding"]),
        ("[kind]\nmixer = 3", ["`kind.mixer` is a table of sections"]),
        ("[city.x]\nspeeding.hold_s = 3", ["`city.x.companies` is missing"]),
        ('[city.x]\ncompanies = ["a b"]', ["`city.x.companies`: 'a b' is not the code"]),
        (
            '[city.x]\ncompanies = ["acme"]\n[city.y]\ncompanies = ["acme"]',
            ["company 'acme' is in `city.x` and in `city.y`"],
        ),
        ('[mode]\nspeedin = "live"', ["`mode.speedin` is not a rule; there are speeding"]),
        ('[mode]\nspeeding = "loud"', ["`mode.speeding` is 'loud', must be one of live, shadow, off"]),
        ('[mode]\nsite = "off"', ["`mode.site` is not a rule"]),
        ("mode = 3", ["`fence.mode` is unknown"]),
        (
            '[[kind.mixer.speeding.hours]]\nwhen = "nights"\nlimit_kmh = 50',
            ["`kind.mixer.speeding.hours[1].when`: not a window of the week"],
        ),
        (
            '[[kind.mixer.speeding.hours]]\nwhen = "daily 22:00-06:00"\nlimit_kmh = -50',
            ["`kind.mixer.speeding.hours[1].limit_kmh` is -50"],
        ),
        ("[kind.mixer]\nspeeding.hours = 3", ["`kind.mixer.speeding.hours` is a list"]),
        (
            "[kind.mixer]\nright_turn.before_m = 15\n[kind.pump]\nright_turn.min_before_m = 30",
            [
                "`right_turn.min_before_m` is 30, more than `right_turn.before_m`, 25",
                "(where kind.pump applies)",
            ],
        ),
    ],
)
def test_faults_of_overrides_are_named(more: str, complaints: list[str]) -> None:
    with pytest.raises(RulebookError) as error:
        documents.parse(f"{DEFAULT}\n{more}\n")
    for complaint in complaints:
        assert complaint in str(error.value)


def test_each_number_tells_which_layer_it_comes_from() -> None:
    said = documents.parse(OVERRIDDEN).of("acme", "mixer")
    assert [one.place for one in said.overrides] == ["city.jiashan", "company.acme", "kind.mixer"]
    assert said.origin("speeding.tolerance_kmh") == "kind.mixer"
    assert said.origin("mode.right_turn_fast") == "company.acme"
    assert said.origin("mode.dwell") == "city.jiashan"
    assert said.origin("speeding.hold_s") == "default"


def test_of_limits_by_the_hour_the_lowest_rules_in_civil_time() -> None:
    """22:00 in Shanghai is 14:00 UTC."""
    hours = '[[kind.mixer.speeding.hours]]\nwhen = "{}"\nlimit_kmh = {}\n'
    text = DEFAULT + hours.format("daily 22:00-06:00", 50) + hours.format("sat 23:00-24:00", 40)
    books = Rulebooks([documents.parse(text)])
    # 1970-01-01 was a Thursday; Saturday the 3rd.
    minutes = np.array([14 * 60 - 1, 14 * 60, 22 * 60 - 1, 22 * 60, (48 + 15) * 60])
    times_us = minutes * 60 * 1_000_000
    row = books.at(times_us, np.full(5, -1, np.int32), np.full(5, MIXER, np.int16))
    limits = books.hour_limit_kmh(row, times_us)
    assert limits is not None
    assert np.nan_to_num(limits).tolist() == [0, 50, 50, 0, 40]
    assert Rulebooks([documents.default()]).hour_limit_kmh(row, times_us) is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("a." * 100_000 + "b = 1", "line 1 of the rulebook is longer than 10000 characters"),
        ("a." * 200_000 + "b = 1", "400005 characters, and no rulebook is longer than 250000"),
        ("# 1\n" + "k.b" + ".a" * 4_900 + " = 1\n", "line 2 of the rulebook has more than 60 dots"),
        ("a = " + "[\n" * 100_000, "its values nest too deeply"),
        ("a = " + "1" * 9_000, "is not one: Exceeds the limit"),
    ],
    ids=[
        "a key of 100,000 parts",
        "400 kB",
        "many keys of 4,900 parts",
        "100,000 brackets",
        "a number of 9,000 digits",
    ],
)
def test_what_would_take_minutes_to_read_is_refused_at_once(document: str, message: str) -> None:
    with pytest.raises(RulebookError, match=message):
        documents.parse(document)

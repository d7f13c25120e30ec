"""Both languages say the same things, with the same places to fill in."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from alerts.episodes.episodes import ENDED_AS
from alerts.episodes.pairing import Verdict
from alerts.handling.lifecycle import Action, Disposition, Step
from alerts.words.limits import LimitSource
from alerts.words.transitions import Rule
from analytics.ledger import accident as ledger_accident
from analytics.ledger import history as ledger_history
from analytics.ledger.accident import Facts, Injury, Reporter, Responsibility
from analytics.ledger.history import Status
from analytics.ledger.scopes import Scope
from analytics.places.place import POINTS
from analytics.quality.documents import BY
from analytics.quality.figures import DEFINITIONS
from analytics.quality.terminals import Fault
from console.models.session import Role
from console.models.vehicles import VehicleState
from fleet.columns import CameraState, Target
from fleet.kinds import FenceKind, VehicleKind
from fleet.wire.reasons import Reason

SOURCE = Path(__file__).resolve().parents[3] / "console" / "web" / "src"
#: Where rules name their figures, and all the names.
MEASURES_OF = (
    "rules/camera/conflicts.py",
    "live/reporting.py",
    "rules/fence/fence_fold.py",
    "rules/harsh_braking.py",
    "rules/qualification_fold.py",
    "rules/right_turn/right_turn_fold.py",
    "rules/speed_disagrees_fold.py",
    "rules/speeding_fold.py",
)
MEASURES = (
    *("mean_excess_kmh", "above_limit_s", "distance_m"),
    *("fence", "fence_valid_from", "pass", "crossed", "interval_s", "confidence", "found_inside"),
    *("course_change_deg", "entry_kmh", "min_kmh", "max_kmh", "radius_m", "lateral_g", "loaded"),
    *("detections", "too_fast", "no_stop", "evidence", "fault", "driver"),
    *("seen_after_silence", "rejected", "speed_source"),
    *("from_kmh", "to_kmh", "reported_kmh", "positions_kmh"),
)


def texts(language: str) -> dict[str, str]:
    source = (SOURCE / "text" / f"{language}.ts").read_text("utf-8")
    return dict(re.findall(r'^  "([a-zA-Z0-9_.]+)": "(.*)",$', source, re.MULTILINE))


EN, ZH = texts("en"), texts("zh")
#: Of the pages of accidents, which are loaded when one of them is opened.
LEDGER_EN, LEDGER_ZH = texts("accidents.en"), texts("accidents.zh")
FIGURES_EN, FIGURES_ZH = texts("figures.en"), texts("figures.zh")


def test_the_same_keys() -> None:
    assert len(EN) > 100
    assert EN.keys() == ZH.keys()


def test_the_same_places() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    assert {key: places(text) for key, text in EN.items()} == {key: places(text) for key, text in ZH.items()}


def test_chinese_is_chinese() -> None:
    latin = {key for key, text in ZH.items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert latin == {"app.language", "app.language.label", "alert.at", "handling.as"}


def code(*apart: str) -> str:
    """The source without the texts, and without what is apart."""
    sources = sorted(SOURCE.rglob("*.ts"))
    return "".join(path.read_text("utf-8") for path in sources if path.parent.name not in {"text", *apart})


CODE = code("accidents", "figures")
LEDGER_CODE = "".join(path.read_text("utf-8") for path in sorted((SOURCE / "accidents").glob("*.ts")))
ACTIONS = {Action.ACKNOWLEDGE, Action.RESOLVE, Action.REOPEN, Action.COMMENT}
STATES = {"open", "acknowledged", "resolved", "withdrawn", "expired"}
#: Groups of keys of which the page reads one by a code: all that it can be.
GROUPS: dict[str, set[str]] = {
    "severity": {"1", "2", "3", "4"},
    "rule": {rule.name.lower() for rule in Rule},
    "closed": {rule.name.lower() for rule in Rule},
    "ended": set(ENDED_AS.values()),
    "source": {source.name.lower() for source in LimitSource},
    "value": {
        *(target.name.lower() for target in Target),
        *(state.name.lower() for state in CameraState if state not in {CameraState.OK, CameraState.UNKNOWN}),
        "high",
        "low",
        "positions",
        str(Reason.TOO_OLD),
        str(Reason.FUTURE),
    },
    "measure": set(MEASURES),
    "load": {"true", "false"},
    "kind": {kind.word for kind in VehicleKind},
    "fence": set(FenceKind),
    "judged": set(Verdict) | {"provisional"} | {f"{how}.short" for how in (*Verdict, "provisional")},
    "state": STATES,
    "step": {step.value for step in Step},
    "disposition": {one.value for one in Disposition},
    "handling": ACTIONS,
    "handling.done": ACTIONS,
    "vehicle.state": set(get_args(VehicleState)),
    "live": {"live", "connecting", "lost", "old", "unheard", "unread"},
    "health": {"lost", "old", "unheard", "unread"},
    "role": set(get_args(Role)),
    "count": {"moving", "stopped", "grey", "alerting"},
    "app.theme": {"dark", "light"},
    "map": {
        "moving",
        "stopped",
        "grey",
        "alerting",
        "vehicles",
        "severities",
        "track",
        "areas",
        "lost",
        "old",
        "unheard",
        "unread",
    },
    "map.track": {"line", "marked", "spot", "ends"},
}


def of_groups() -> set[str]:
    """Every key that is read by a code."""
    return {f"{group}.{code}" for group, codes in GROUPS.items() for code in codes}


def groups_read() -> set[str]:
    """Every group that the code reads a key of by a code."""
    by_word = re.findall(r'\bword\("([a-z_.]+)"', CODE)
    by_template = re.findall(r"`([a-z_.]+)\.\$\{", CODE)
    return {*by_word, *by_template} - {"kerbsafe"}


def test_every_key_that_the_page_names_is_there() -> None:
    assert groups_read() == GROUPS.keys()
    wanted = {*re.findall(r'\bt\("([a-z0-9_.]+)"', CODE), *of_groups()}
    assert sorted(wanted - EN.keys()) == []


def test_every_key_is_read_by_the_page() -> None:
    """What nobody reads is deleted: it would be translated, and mended, for nobody."""
    read = {*re.findall(r'"([a-z0-9_.]+)"', CODE), *of_groups()}
    assert sorted(EN.keys() - read) == []


def test_measures_are_those_that_rules_give() -> None:
    """The names are found in the engine's source: nothing else lists them."""
    alerts = Path(__file__).resolve().parents[3] / "alerts"
    source = "".join((alerts / name).read_text("utf-8") for name in MEASURES_OF)
    missing = [name for name in MEASURES if f'"{name}"' not in source]
    assert missing == []


def test_severities_are_words() -> None:
    """In China grade I is the worst, and ours is 4: a number would be read the wrong way round."""
    assert [ZH[f"severity.{n}"] for n in (4, 3, 2, 1)] == ["紧急", "严重", "一般", "提示"]
    assert [EN[f"severity.{n}"] for n in (4, 3, 2, 1)] == ["Critical", "Serious", "Moderate", "Notice"]
    assert not [key for key, text in ZH.items() if re.search(r"[ⅠⅡⅢⅣ\d]\s*级", text)]


def test_staff_are_not_told_to_run_a_command() -> None:
    assert not [key for key, text in {**EN, **ZH}.items() if "kerbsafe " in text]


def test_metres_are_written_in_the_language_of_the_page() -> None:
    """Kilometres an hour are km/h in both, as on the signs."""
    assert [(EN[key], ZH[key]) for key in ("unit.m", "unit.km")] == [
        ("{n} m", "{n} 米"),
        ("{n} km", "{n} 公里"),
    ]
    assert 'km/h"' in CODE
    assert not re.search(r"公里/小时|千米", "".join(ZH.values()))


#: Groups of the ledger's keys that are read by a code: all that it can be.
LEDGER_GROUPS: dict[str, set[str]] = {
    "status": set(Status),
    "reason": set(ledger_history.Reason),
    "reporter": set(Reporter),
    "injury": set(Injury),
    "role": set(ledger_accident.Role),
    "share": set(Responsibility),
    "scope": set(Scope),
    "severity": {"three", "493", "1991", "uk"},
    "fact": {each.name for each in fields(Facts)},
    "evidence.stop": {"stopped", "slow", "not_stopped", "not_evaluable"},
    "evidence.camera": {"armed", "faulty"},
}


def test_the_ledger_says_the_same_in_both_languages() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    assert len(LEDGER_EN) > 100
    assert {key: places(text) for key, text in LEDGER_EN.items()} == {
        key: places(text) for key, text in LEDGER_ZH.items()
    }
    assert {key for key, text in LEDGER_ZH.items() if not re.search(r"[\u4e00-\u9fff]", text)} == set()


def test_the_ledger_has_a_word_for_every_code_and_reads_every_key() -> None:
    of_groups = {f"{group}.{word}" for group, words in LEDGER_GROUPS.items() for word in words}
    named = set(re.findall(r'\bsay\("([a-z0-9_.]+)"', LEDGER_CODE))
    assert sorted((of_groups | named) - LEDGER_EN.keys()) == []
    assert set(re.findall(r'\bwordOf\("([a-z_.]+)"', LEDGER_CODE)) <= LEDGER_GROUPS.keys()
    read = {*re.findall(r'"([a-zA-Z0-9_.]+)"', LEDGER_CODE), *of_groups}
    assert sorted(LEDGER_EN.keys() - read) == []


#: On the pages of figures: all that a code can be.
FIGURES_GROUPS: dict[str, set[str]] = {
    "band": {"above", "below", "undecided", "too_few"},
    "heading": set(POINTS),
    "prior": {"no_difference", "no_conflict"},
    "by": set(BY) - {"city"},
    "figure": {one.name for one in DEFINITIONS},
    "fault": set(Fault),
    "todo": set(Fault),
}


def test_the_pages_of_figures_say_the_same_in_both_languages() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    assert {key: places(text) for key, text in FIGURES_EN.items()} == {
        key: places(text) for key, text in FIGURES_ZH.items()
    }
    latin = {key for key, text in FIGURES_ZH.items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert latin == {"quality.part", "quality.made"}
    regulator = {f"figure.{one.name}": one.chinese for one in DEFINITIONS}
    assert {key: text for key, text in regulator.items() if not FIGURES_ZH[key].startswith(text)} == {}
    of_groups = {f"{group}.{word}" for group, words in FIGURES_GROUPS.items() for word in words}
    assert sorted(of_groups - FIGURES_EN.keys()) == []

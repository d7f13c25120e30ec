"""The approved policy: at which probability a target counts as on track, and in which words it is said.

Thresholds are the authority's, approved before the first run. Nothing has a default but the wording: a
threshold nobody wrote down is one nobody approved.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from analytics.statistics.inputs import StatisticsError, read_level, read_positive, read_share
from analytics.statistics.phrasing import forbidden_words
from analytics.statistics.records import Fields, accept, as_is, read_date, read_text, read_whole, read_year

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


class State(StrEnum):
    """What can be said of an indicator."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    SMALL = "small"
    ACHIEVED_CONFIRMED = "achieved_confirmed"
    ACHIEVED_FIGURE_ONLY = "achieved_figure_only"
    NOT_ACHIEVED_CLOSE = "not_achieved_close"
    NOT_ACHIEVED = "not_achieved"
    UNDEFINED = "undefined"


# {p} is the probability, {target} the fall asked for ("下降≥50%"); both avoid percentages on a small base.
WORDING: dict[str, dict[State, str]] = {
    "zh": {
        State.ON_TRACK: "进展符合预期(概率{p})",
        State.AT_RISK: "存在不达标风险(概率{p})",
        State.OFF_TRACK: "预计难以达标(概率{p})",
        State.SMALL: "样本小，仅列件数，不作趋势判断",
        State.ACHIEVED_CONFIRMED: "已达到目标，统计证据充分",
        State.ACHIEVED_FIGURE_ONLY: "统计口径上已达到目标；实际风险{target}的概率为{p}",
        State.NOT_ACHIEVED_CLOSE: "未达到目标，差距在随机波动范围内",
        State.NOT_ACHIEVED: "未达到目标",
        State.UNDEFINED: "基数为零，降幅无法定义；改用多年平均基数",
    },
    "en": {
        State.ON_TRACK: "progress as expected (probability {p})",
        State.AT_RISK: "at risk of missing the target (probability of meeting it {p})",
        State.OFF_TRACK: "unlikely to meet the target (probability {p})",
        State.SMALL: "too few events: counts only, no judgement of a trend",
        State.ACHIEVED_CONFIRMED: "target met, with sufficient statistical evidence",
        State.ACHIEVED_FIGURE_ONLY: (
            "target met by the official figure; probability that the risk itself {target}: {p}"
        ),
        State.NOT_ACHIEVED_CLOSE: "target not met; the gap is within chance variation",
        State.NOT_ACHIEVED: "target not met",
        State.UNDEFINED: (
            "the baseline is zero: no reduction can be defined; use a baseline of several years"
        ),
    },
}


WITHOUT_PROBABILITY = (State.SMALL, State.UNDEFINED)
PLACEHOLDERS = re.compile(r"\{(p|target)\}")


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds of the verdict.

    Attributes
    ----------
    version, approved_by, approved_at
        Identity and approval.
    target_ratio, target_year
        0.5 is a fall by half; by the end of which year.
    on_track, at_risk
        Probabilities of meeting the line from which on the state is ON_TRACK, and below which it is
        OFF_TRACK.
    confirmed, close
        P(ratio ≤ target) from which on an achieved figure is confirmed, and a missed one is close.
    small_total
        Fewer events than this in both periods together are listed, not judged.
    consecutive_runs
        Number of runs in a row that must agree before the published state changes.
    urgent_deaths
        An accident with this many deaths makes a change for the worse immediate.
    prior
        Shape of the Gamma prior of both rates; 0.5 is Jeffreys.
    level
        Level of printed intervals.
    wording
        Text of each state by language.
    """

    version: str
    approved_by: str
    approved_at: date
    target_ratio: float
    target_year: int
    on_track: float
    at_risk: float
    confirmed: float
    close: float
    small_total: int
    consecutive_runs: int
    urgent_deaths: int
    prior: float
    level: float
    wording: Mapping[str, Mapping[State, str]]

    @property
    def text(self) -> str:
        """Every field, in one canonical spelling of JSON: what is hashed, and kept."""
        fields = asdict(self) | {"approved_at": self.approved_at.isoformat()}
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """SHA-256 of the text."""
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()


def read_policy(value: Any, problems: list[str]) -> Policy | None:
    """Read a policy from a JSON object; None if `problems` were found."""
    before = len(problems)
    fields = Fields(value, "policy", problems)
    values = {
        "version": fields.take("version", read_text),
        "approved_by": fields.take("approved_by", read_text),
        "approved_at": fields.take("approved_at", read_date),
        "target_ratio": fields.take("target_ratio", read_share),
        "target_year": fields.take("target_year", read_year),
        "on_track": fields.take("on_track", read_share),
        "at_risk": fields.take("at_risk", read_share),
        "confirmed": fields.take("confirmed", read_share),
        "close": fields.take("close", read_share),
        "small_total": fields.take("small_total", read_whole(1)),
        "consecutive_runs": fields.take("consecutive_runs", read_whole(1)),
        "urgent_deaths": fields.take("urgent_deaths", read_whole(1)),
        "prior": fields.take("prior", _read_prior),
        "level": fields.take("level", read_level),
        "wording": fields.take("wording", _read_wording, WORDING),
    }
    fields.finish()
    problems += _contradictions(values)
    return Policy(**values) if len(problems) == before else None


def policy_from(value: Any) -> Policy:
    """Read a policy, or raise with all its errors."""
    problems: list[str] = []
    return accept(read_policy(value, problems), problems, "the policy")


def _contradictions(values: dict[str, Any]) -> list[str]:
    found = []
    for low, high in (("at_risk", "on_track"), ("close", "confirmed")):
        if values[low] is not None and values[high] is not None and values[low] >= values[high]:
            found.append(f"policy.{low} is {values[low]}: it must be below policy.{high}, {values[high]}")
    return found


def _read_prior(value: Any, name: str) -> float:
    shape = read_positive(value, name)
    if shape > 1:
        raise StatisticsError(f"{name} is {value}: a prior shape above 1 is more than one made-up event")
    return shape


def _read_wording(value: Any, name: str) -> dict[str, dict[State, str]]:
    """Lay the file's texts over the default ones."""
    problems: list[str] = []
    fields = Fields(value, name, problems)
    texts: dict[str, dict[State, str]] = {}
    for language, defaults in WORDING.items():
        own = fields.take(language, as_is, {})
        own_fields = Fields(own, f"{name}.{language}", problems)
        texts[language] = {
            state: own_fields.take(state.value, _read_sentence, text) for state, text in defaults.items()
        }
        own_fields.finish()
        problems += [
            f"{name}.{language}.{state}: no probability belongs to this state, leave {{p}} out"
            for state in WITHOUT_PROBABILITY
            if "{p}" in (texts[language][state] or "")
        ]
    fields.finish()
    if problems:
        raise StatisticsError("; ".join(problems))
    return texts


def _read_sentence(value: Any, name: str) -> str:
    """Return a text that can be filled in and does not mislead."""
    text = read_text(value, name)
    if "{" in PLACEHOLDERS.sub("", text) or "}" in PLACEHOLDERS.sub("", text):
        raise StatisticsError(f"{name} is {text!r}: braces may enclose p or target only")
    if "%" in text:
        raise StatisticsError(
            f"{name} has a fixed percentage: {{p}} and {{target}} know when one may be printed"
        )
    if found := forbidden_words(text):
        raise StatisticsError(f"{name} says {found[0]!r}, which the text rules forbid")
    return text

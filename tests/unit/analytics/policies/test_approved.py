"""Versions of baselines and policies: what can follow what, what is in force when, what a change changes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.policies.approved import (
    Approved,
    PolicyError,
    baseline_in_force,
    policy_in_force,
    require_next_baseline,
    require_next_policy,
)
from analytics.policies.comparison import compare
from analytics.statistics.baseline import read_baseline
from analytics.statistics.policy import State, policy_from
from analytics.statistics.runs import read_case

EXAMPLE = json.loads(Path("docs/examples/verdict.json").read_text("utf-8"))
CASE = read_case(EXAMPLE)
FIRST, POLICY = CASE.baseline, CASE.policy
SECOND = replace(FIRST, version=2, supersedes=1, accidents=24)
NOW = datetime(2020, 9, 10, tzinfo=UTC)
IN_2019, IN_2020 = datetime(2019, 3, 1, tzinfo=UTC), datetime(2020, 3, 1, tzinfo=UTC)
KNOWN = [Approved(FIRST, IN_2019, "wang")]


def test_the_next_version_follows_the_one_before() -> None:
    assert require_next_baseline(FIRST, [], NOW)
    assert require_next_baseline(SECOND, KNOWN, NOW)
    assert not require_next_baseline(FIRST, KNOWN, NOW), "recorded already"
    assert require_next_baseline(replace(FIRST, id="bulk cement alone"), KNOWN, NOW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accidents": 24}, "jiaxing-example 1 is frozen with other values .* version 2 and supersedes 1"),
        ({"version": 3, "supersedes": 1}, "version 3 and supersedes 1: the next one has version 2"),
        ({"version": 2, "supersedes": None}, "supersedes null: the next one has version 2 and supersedes 1"),
        ({"version": 2, "supersedes": 1, "approved_at": date(2020, 9, 11)}, "approved_at is 2020-09-11"),
    ],
)
def test_what_cannot_follow(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        require_next_baseline(replace(FIRST, **change), KNOWN, NOW)


def test_a_policy_is_changed_under_a_name_of_its_own() -> None:
    known = [Approved(POLICY, IN_2019, "wang")]
    assert not require_next_policy(POLICY, known, NOW)
    assert require_next_policy(replace(POLICY, version="2", on_track=0.8), known, NOW)
    with pytest.raises(PolicyError, match="policy example-1 is approved with other values"):
        require_next_policy(replace(POLICY, on_track=0.8), known, NOW)


def test_as_of_an_old_date_the_old_one_is_in_force() -> None:
    known = [*KNOWN, Approved(SECOND, IN_2020, "wang")]
    assert baseline_in_force(known, NOW) == SECOND
    assert baseline_in_force(known, datetime(2019, 12, 31, tzinfo=UTC)) == FIRST
    with pytest.raises(PolicyError, match="no baseline was frozen as of 2019-02-01"):
        baseline_in_force(known, datetime(2019, 2, 1, tzinfo=UTC))
    with pytest.raises(PolicyError, match="no policy was approved as of 2019-02-01"):
        policy_in_force([Approved(POLICY, IN_2019, "wang")], datetime(2019, 2, 1, tzinfo=UTC))
    several = [*known, Approved(replace(FIRST, id="narrow"), IN_2020, "wang")]
    assert baseline_in_force(several, NOW, "narrow").id == "narrow"
    with pytest.raises(PolicyError, match=r"several baselines \(jiaxing-example, narrow\)"):
        baseline_in_force(several, NOW)


def test_every_verdict_under_both() -> None:
    """A stricter policy, and a baseline with more accidents, each change what they must."""
    stricter = read_case(EXAMPLE | {"policy": EXAMPLE["policy"] | {"version": "2", "at_risk": 0.6}})
    july, august = compare(CASE, stricter)
    assert (july.last, august.last) == (date(2020, 7, 31), date(2020, 8, 31))
    assert august.old is not None
    assert august.new is not None
    assert (august.old.accidents, august.new.accidents) == (State.AT_RISK, State.OFF_TRACK)
    assert july.old is not None
    assert july.old.deaths is State.SMALL
    more = SECOND
    document = json.loads(more.text) | {"hash": more.hash}
    assert all(row.differs for row in compare(CASE, read_case(EXAMPLE | {"baseline": document})))
    assert compare(None, CASE)[0].old is None


def test_the_worked_example_has_the_volumes_of_the_plan(shared_data: Path) -> None:
    """And says of its counts that they are invented."""
    problems: list[str] = []
    document = json.loads(Path("docs/examples/baseline.json").read_text("utf-8"))
    found = read_baseline(document, problems)
    assert problems == []
    assert found is not None
    with (shared_data / "data" / "jiaxing" / "volumes.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["product"], row["year"]) == ("concrete", "2015")]
    assert len(rows) == 7
    assert found.exposure == pytest.approx(10_000 * sum(float(row["supplied"]) for row in rows))
    assert all(f"{row['county']}{row['supplied']}" in found.source for row in rows)
    assert "虚构" in found.source
    assert "invented" in found.source
    assert "无人批准" in found.approved_by
    policy_from(json.loads(Path("docs/examples/policy.json").read_text("utf-8")))

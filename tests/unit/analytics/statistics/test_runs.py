"""The verdict file: everything that can be wrong with it is said, all of it at once."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics.answers import verdict
from analytics.statistics.inputs import StatisticsError
from analytics.statistics.policy import WORDING, State, policy_from
from analytics.statistics.runs import Phase, read_case
from tests.unit.analytics.statistics import cases


def refusal(value: Any) -> str:
    with pytest.raises(StatisticsError) as caught:
        read_case(value)
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestPolicy:
    def test_unknown_keys_are_refused_with_a_hint(self) -> None:
        text = refusal(cases.file(cases.run(), policy=cases.POLICY | {"on_trak": 0.9, "colour": "red"}))
        assert "policy.on_trak is not a known key; did you mean on_track?" in text
        assert "policy.colour is not a known key" in text

    @pytest.mark.parametrize("name", [key for key in cases.POLICY if key != "wording"])
    def test_nothing_has_a_default(self, name: str) -> None:
        """A threshold nobody wrote down is one nobody approved."""
        value = {key: each for key, each in cases.POLICY.items() if key != name}
        assert f"policy.{name} is missing" in refusal(cases.file(cases.run(), policy=value))

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"target_ratio": 1.5}, "policy.target_ratio is 1.5: it must lie between 0 and 1"),
            ({"level": 0}, "policy.level is 0: a confidence level lies between 0 and 1"),
            ({"on_track": "high"}, "policy.on_track is 'high': give a number"),
            ({"at_risk": 0.8}, "policy.at_risk is 0.8: it must be below policy.on_track"),
            ({"close": 0.95}, "policy.close is 0.95: it must be below policy.confirmed"),
            ({"small_total": 0}, "policy.small_total is 0: give a whole number, 1 or more"),
            ({"consecutive_runs": 2.5}, "policy.consecutive_runs is 2.5: give a whole number"),
            ({"prior": 2}, "policy.prior is 2: a prior shape above 1"),
            ({"approved_at": "last May"}, "policy.approved_at is 'last May': give a date as YYYY-MM-DD"),
            ({"approved_by": " "}, "policy.approved_by is ' ': give a text"),
            ({"target_year": 2015}, "policy.target_year 2015 must come after baseline.year 2015"),
            ({"target_year": True}, "policy.target_year is True: give a calendar year"),
        ],
    )
    def test_bad_values(self, changes: dict[str, Any], says: str) -> None:
        assert says in refusal(cases.file(cases.run(), policy=cases.POLICY | changes))

    def test_all_errors_at_once(self) -> None:
        text = refusal(cases.file(cases.run(), policy={"on_track": 2, "version": 3}))
        assert text.count("is missing") == 13 - 1
        assert "policy.on_track is 2" in text
        assert "policy.version is 3" in text

    def test_own_wording_replaces_the_default(self) -> None:
        own = {"zh": {"on_track": "按计划推进(概率{p})"}}
        policy = policy_from(cases.POLICY | {"wording": own})
        assert policy.wording["zh"][State.ON_TRACK] == "按计划推进(概率{p})"
        assert policy.wording["zh"][State.AT_RISK] == WORDING["zh"][State.AT_RISK]
        assert policy.hash != cases.policy().hash

    @pytest.mark.parametrize(
        ("wording", "says"),
        [
            ({"zh": {"on_trac": "x"}}, "did you mean on_track"),
            ({"de": {}}, "policy.wording.de is not a known key"),
            ({"zh": {"on_track": "事故率显著下降(概率{p})"}}, "the text rules forbid"),
            ({"en": {"off_track": "the worst year (probability {p})"}}, "the text rules forbid"),
            ({"en": {"on_track": "down 50%"}}, "fixed percentage"),
            ({"en": {"on_track": "probability {probability}"}}, "braces may enclose p or target only"),
            ({"en": {"on_track": "probability {p:>999999999}"}}, "braces may enclose p or target only"),
            ({"en": {"on_track": "probability {p"}}, "braces may enclose p or target only"),
            ({"zh": {"small": "样本小(概率{p})"}}, "no probability belongs to this state"),
            ({"zh": {"small": ""}}, "give a text"),
            ("zh", "must be an object"),
        ],
    )
    def test_wording_that_cannot_be_used(self, wording: Any, says: str) -> None:
        assert says in refusal(cases.file(cases.run(), policy=cases.POLICY | {"wording": wording}))


class TestBaseline:
    def test_a_changed_record_is_noticed(self) -> None:
        changed = cases.BASELINE | {"accidents": 30}
        assert "someone changed the record" in refusal(cases.file(cases.run(), baseline=changed))

    def test_a_missing_hash_is_told(self) -> None:
        without = {key: value for key, value in cases.BASELINE.items() if key != "hash"}
        assert cases.BASELINE["hash"] in refusal(cases.file(cases.run(), baseline=without))

    def test_spelling_does_not_change_the_hash(self) -> None:
        """15958000 and 15958000.0, any order of keys."""
        same = dict(reversed(list((cases.BASELINE | {"exposure": 15_958_000.0}).items())))
        read_case(cases.file(cases.run(), baseline=same))

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"fatal_accidents": 21, "deaths": 21}, "21 fatal accidents among 20 accidents"),
            ({"deaths": 4}, "4 deaths in 5 fatal accidents"),
            ({"fatal_accidents": 0}, "6 deaths without a fatal accident"),
            ({"exposure": 0}, "baseline.exposure is 0: a rate needs an exposure above zero"),
            ({"accidents": -1}, "baseline.accidents is -1"),
            ({"accidents": 20.5}, "whole numbers"),
            ({"death_window_days": 14}, "deaths are counted within 7 or within 30 days"),
            ({"death_window_days": True}, "deaths are counted within 7 or within 30 days"),
            ({"denominator": "tonnes"}, "choose one of vehicle_years, km, m3, loads"),
            ({"supersedes": 0}, "give a whole number, 1 or more"),
            ({"approved_by": None}, "give a text"),
            ({"scope": "all\nvehicles"}, "give a text of one line"),
            ({"scope": "\ud800"}, "give a text of one line"),
            ({"a\nb": 1}, r"baseline.'a\nb' is not a known key"),
        ],
    )
    def test_bad_values(self, changes: dict[str, Any], says: str) -> None:
        assert says in refusal(cases.file(cases.run(), baseline=cases.BASELINE | changes))


class TestRuns:
    @pytest.mark.parametrize(
        ("current", "says"),
        [
            (cases.run(fatal_accidents=9), "current: 9 fatal accidents among 8 accidents"),
            (cases.run(scope="mixers only"), "current.scope is 'mixers only', the baseline's is"),
            (
                cases.run(death_window_days=30),
                "current.death_window_days is 30, the baseline's is 7: not comparable",
            ),
            (cases.run(denominator="km"), "current.denominator is 'km'"),
            (cases.run(to="2020-13-01"), "give a date"),
            (cases.run(to="2019-12-31"), "the period ends before it begins"),
            (cases.run(as_of="2020-08-30"), "as_of is before the end of the period"),
            (cases.run(exposure_remaining=None), "exposure_remaining is None: give a number"),
            (cases.run(exposure_remaining=-1), "exposure above zero"),
            (cases.run(**{"from": "2020-02-01"}), "in the target year count from 1 January"),
            (cases.run(to="2021-01-31", as_of="2021-03-01"), "the period ends after the target year 2020"),
            (cases.run(final=True), "final data are those of the whole target year 2020"),
            (cases.run(final="yes"), "give true or false"),
            (cases.run(most_deaths_in_one_accident=3), "more deaths in one accident than in all"),
            (cases.run(extra=1), "current.extra is not a known key"),
            (
                cases.earlier_year(2018, exposure_remaining=1) | {"exposure_remaining": 1},
                "belongs to the target year",
            ),
            (cases.earlier_year(2015), "begins in or before the baseline year 2015"),
            ([], "current must be an object with named values, not list"),
        ],
    )
    def test_bad_values(self, current: Any, says: str) -> None:
        assert says in refusal(cases.file(current))

    def test_a_running_year_needs_what_remains(self) -> None:
        value = cases.run()
        del value["exposure_remaining"]
        assert "exposure_remaining is missing: the year is under way" in refusal(cases.file(value))

    def test_earlier_runs_stand_in_order(self) -> None:
        assert "oldest first" in refusal(cases.file(cases.run(), cases.run()))
        assert "earlier is 'none'" in refusal(cases.file(cases.run()) | {"earlier": "none"})

    @pytest.mark.parametrize("value", [None, 3, "x", [], {}])
    def test_not_a_file_at_all(self, value: Any) -> None:
        assert "the file cannot be used" in refusal(value)

    def test_phases(self) -> None:
        case = cases.case(cases.final_run(), cases.earlier_year(2018), cases.run())
        assert [r.phase for r in case.runs] == [Phase.BEFORE, Phase.RUNNING, Phase.FINAL]
        assert case.runs[0].middle == pytest.approx(2018.5, abs=1e-9)
        assert case.runs[1].as_of == date(2020, 9, 5)

    @given(st.data())
    def test_any_damage_is_a_sentence_or_a_verdict(self, data: st.DataObject) -> None:
        """One value of the file replaced by anything JSON can hold."""
        value = copy.deepcopy(json.loads(cases.EXAMPLE.read_text("utf-8")))
        places = [value, value["baseline"], value["policy"], value["current"], value["earlier"][0]]
        place = data.draw(st.sampled_from(places))
        rubbish = st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=20),
            st.just([]),
            st.just({}),
            st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
        )
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(rubbish)
        with contextlib.suppress(StatisticsError):  # a sentence for people; anything else is a fault of ours
            json.dumps(verdict(value), allow_nan=False)

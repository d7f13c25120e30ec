"""`kerbsafe rates`: JSON alone on stdout, null with a reason, and a sentence for whatever cannot be used."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.statistics import answers
from analytics.statistics.inputs import StatisticsError
from fleet.errors import KerbsafeError
from kerbsafe.cli import main
from kerbsafe.json_files import read_json
from tests.unit.analytics.statistics import cases

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
COMPARE = "compare --count {} --exposure {} --baseline-count {} --baseline-exposure {}"


def ask(capsys: Capture, line: str) -> dict[str, Any]:
    """Run with --json; the whole of stdout must be one object without NaN."""
    assert main(["rates", *line.split(), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""

    def refuse(name: str) -> None:
        pytest.fail(f"{name} in {out}")

    found: dict[str, Any] = json.loads(out, parse_constant=refuse)
    return found


def pipe(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(value if isinstance(value, str) else json.dumps(value)))


class TestAnswers:
    def test_one(self, capsys: Capture) -> None:
        found = ask(capsys, "one --count 14 --exposure 400")
        assert [found[k] for k in ("rate", "lower", "upper")] == pytest.approx(
            [0.035, 0.019135, 0.058724], abs=1e-6
        )

    def test_one_in_a_unit_for_people(self, capsys: Capture) -> None:
        found = ask(capsys, "one --count 20 --exposure 15958000 --unit m3 --method midp --level 0.9")
        assert found["rate"] == pytest.approx(1.2533, abs=5e-5)
        assert (found["per"], found["method"], found["level"]) == (1e6, "midp", 0.9)

    def test_compare(self, capsys: Capture) -> None:
        found = ask(capsys, COMPARE.format(12, 20.0, 20, 15.958))
        expected = {
            "ratio": 0.4787,
            "lower": 0.2134,
            "upper": 1.0283,
            "p_two_sided": 0.0600,
            "p_target_one_sided": 0.5305,
            "p_half": 0.5417,
            "p_any": 0.9802,
        }
        assert {k: found[k] for k in expected} == pytest.approx(expected, abs=6e-5)
        assert "reason" not in found

    def test_compare_midp_with_another_target(self, capsys: Capture) -> None:
        found = ask(capsys, COMPARE.format(12, 20.0, 20, 15.958) + " --method midp --target 0.7")
        assert (found["lower"], found["upper"]) == pytest.approx((0.2270, 0.9762), abs=6e-5)
        assert found["p_half"] == pytest.approx(0.5417, abs=6e-5)
        assert found["p_target"] > found["p_half"]
        assert found["p_target_one_sided"] < 0.4588

    def test_test(self, capsys: Capture) -> None:
        counts = "--count 41 --exposure 28010 --baseline-count 15 --baseline-exposure 19017"
        found = ask(capsys, f"test {counts} --ratio 1.5 --alternative greater")
        assert (found["p_exact"], found["p_midp"]) == pytest.approx((0.2913, 0.2450), abs=5e-4)

    def test_cusum(self, capsys: Capture) -> None:
        assert ask(capsys, "cusum --mean 0.25 --k 0.25 --h 10")["arl"] == pytest.approx(438, abs=0.6)
        fast = ask(capsys, "cusum --mean 0.25 --k 0.25 --h 10 --head-start 5")
        assert fast["arl"] == pytest.approx(333, abs=0.6)

    def test_joint(self, capsys: Capture) -> None:
        base = "--baseline-fatal 5 --baseline-other 15 --baseline-exposure 15.958"
        found = ask(capsys, f"joint --fatal 2 --other 8 --exposure 20 {base}")
        assert list(found) == ["p_accidents", "p_deaths", "p_joint"]
        assert list(found.values()) == pytest.approx([0.717, 0.705, 0.570], abs=1e-3)

    def test_eb(self, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        given_ = {"expected": 0.972, "observed": 6, "b": 2 / 0.81, "exposure_before": 1.2}
        pipe(monkeypatch, given_)
        assert ask(capsys, "eb") == pytest.approx({"weight": 0.673, "estimate": 2.616, "sd": 0.925}, abs=6e-4)
        pipe(monkeypatch, given_ | {"exposure_after": 1.3, "observed_after": 2})
        found = ask(capsys, "eb")
        assert (found["theta"], found["theta_se"]) == pytest.approx((0.627, 0.441), abs=6e-4)

    def test_verdict(self, capsys: Capture) -> None:
        found = ask(capsys, f"verdict {cases.EXAMPLE}")
        assert found["state"] == "at_risk"
        assert found["wording"] == {
            "zh": "存在不达标风险(概率54%)",
            "en": "at risk of missing the target (probability of meeting it 54%)",
        }
        assert found["accidents"]["p_line"] == pytest.approx(0.541, abs=6e-4)
        assert found["accidents"]["forecast"]["interval80"] == [9, 16]
        assert found["deaths"]["state"] == "small"
        assert found["deaths"]["p_line"] is None
        assert "counts alone" in found["deaths"]["reason"]
        assert found["baseline"]["hash"] == cases.BASELINE["hash"]
        assert found["policy"]["hash"] == cases.policy().hash

    def test_verdict_with_a_policy_file(self, capsys: Capture, tmp_path: Path) -> None:
        """A stricter policy makes the same data off track; a second one beside the file's is refused."""
        file, policy = tmp_path / "verdict.json", tmp_path / "policy.json"
        policy.write_text(json.dumps(cases.POLICY | {"on_track": 0.9, "at_risk": 0.8}), "utf-8")
        file.write_text(
            json.dumps({k: v for k, v in cases.file(cases.run()).items() if k != "policy"}), "utf-8"
        )
        assert ask(capsys, f"verdict {file} --policy {policy}")["accidents"]["state"] == "off_track"
        assert main(["rates", "verdict", str(cases.EXAMPLE), "--policy", str(policy)]) == 2
        assert "holds a policy of its own" in capsys.readouterr().err


class TestReadable:
    def test_a_line(self, capsys: Capture) -> None:
        assert main(["rates", "one", "--count", "14", "--exposure", "400"]) == 0
        assert (
            capsys.readouterr().out
            == "rate 0.035  lower 0.0191348  upper 0.0587241  per 1  level 0.95  method exact\n"
        )

    def test_the_undefined_in_words(self, capsys: Capture) -> None:
        assert main(["rates", *COMPARE.format(3, 1, 0, 1).split()]) == 0
        out = capsys.readouterr().out
        assert out.startswith("ratio undefined ")
        assert "reason the baseline count is zero" in out

    def test_a_verdict_is_text_in_both_languages(self, capsys: Capture) -> None:
        assert main(["rates", "verdict", str(cases.EXAMPLE)]) == 0
        out = capsys.readouterr().out
        assert out.startswith("总体：存在不达标风险(概率54%)。\n")
        assert "\n\nOverall: at risk" in out


class TestUndefined:
    @pytest.mark.parametrize(
        ("counts", "nulls"),
        [((3, 1, 0, 1), {"ratio", "upper"}), ((0, 1, 0, 1), {"ratio", "upper"}), ((0, 1, 3, 1), set())],
    )
    def test_compare(self, capsys: Capture, counts: tuple[int, ...], nulls: set[str]) -> None:
        found = ask(capsys, COMPARE.format(*counts))
        assert {k for k, v in found.items() if v is None} == nulls
        assert ("reason" in found) == bool(nulls)

    def test_no_event_in_either_period(self, capsys: Capture) -> None:
        """Nothing is undefined, and nothing is known either: that is said."""
        counts = "--count 0 --exposure 2 --baseline-count 0 --baseline-exposure 3"
        found = ask(capsys, f"test {counts} --ratio 0.5 --alternative less")
        assert (found["p_exact"], found["reason"]) == (1, answers.NOTHING_TESTED)
        rest = "--exposure 2 --baseline-fatal 0 --baseline-other 0 --baseline-exposure 3"
        assert ask(capsys, f"joint --fatal 0 --other 0 {rest}")["reason"] == answers.NO_ACCIDENT
        assert ask(capsys, f"joint --fatal 0 --other 4 {rest}")["reason"] == answers.NO_FATAL
        assert "reason" not in ask(capsys, f"joint --fatal 1 --other 4 {rest}")

    def test_cusum_that_never_alarms(self, capsys: Capture) -> None:
        for chart in ("--mean 0 --k 1 --h 3", "--mean 0.001 --k 3 --h 10"):
            found = ask(capsys, f"cusum {chart}")
            assert found["arl"] is None
            assert "never alarms" in found["reason"]

    def test_eb_with_nothing_after(self, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        pipe(
            monkeypatch,
            {
                "expected": 1,
                "observed": 3,
                "weight": 0.5,
                "exposure_before": 1,
                "exposure_after": 1,
                "observed_after": 0,
            },
        )
        found = ask(capsys, "eb")
        assert (found["theta"], found["theta_se"]) == (0, None)
        assert "0 by construction" in found["reason"]

    @given(
        st.integers(0, 10**8),
        st.floats(1e-9, 1e15),
        st.integers(0, 10**8),
        st.floats(1e-9, 1e15),
        st.floats(0.001, 0.999),
        st.sampled_from(answers.METHODS),
    )
    def test_nothing_but_finite_numbers_null_and_text(
        self, x1: int, e1: float, x0: int, e0: float, level: float, method: str
    ) -> None:
        counts: dict[str, Any] = {
            "count": x1,
            "exposure": e1,
            "baseline_count": x0,
            "baseline_exposure": e0,
        }
        found = answers.compare(**counts, level=level, method=method)
        for each in (
            found,
            answers.one(count=x1, exposure=e1, level=level, method=method),
            answers.test(**counts, ratio=0.5, alternative="less"),
            answers.joint(
                fatal=x1, other=x0, exposure=e1, baseline_fatal=x0, baseline_other=x1, baseline_exposure=e0
            ),
        ):
            json.dumps(each, allow_nan=False)
        for name in ("p_two_sided", "p_target_one_sided", "p_half", "p_any"):
            assert 0 <= found[name] <= 1


BAD = [
    ("one --count -3 --exposure 2", "count is -3: a number of events cannot be negative"),
    ("one --count 3.5 --exposure 2", "count is 3.5: events are counted in whole numbers"),
    ("one --count 1e12 --exposure 2", "count is 1e12: more than 100,000,000 events"),
    ("one --count 1e30 --exposure 2", "count is 1e30: more than 100,000,000 events"),
    ("one --count x --exposure 2", "count is 'x': give a number"),
    ("one --count 3 --exposure 0", "exposure is 0: a rate needs an exposure above zero"),
    ("one --count 3 --exposure nan", "exposure is 'nan': give a finite number"),
    ("one --count 3 --exposure 2 --level 1", "level is 1: a confidence level lies between 0 and 1"),
    ("one --count 3 --exposure 2 --level 95", "level is 95"),
    ("one --count 3 --exposure 2 --method wald", "method is 'wald': choose one of exact, midp"),
    ("one --count 3 --exposure 2 --unit tonnes", "unit is 'tonnes': choose one of vehicle_years"),
    (COMPARE.format(3, 1, 2, 0), "baseline exposure is 0"),
    (COMPARE.format(3, 1, -2, 1), "baseline count is -2"),
    (COMPARE.format(3, 1, 2, 1) + " --target 1", "target is 1: it must lie between 0 and 1"),
    (COMPARE.format(3, 1, 2, 1) + " --target 0", "target is 0"),
    (COMPARE.format(3, 1, 2, 1).replace("compare", "test") + " --ratio 0 --alternative less", "ratio is 0"),
    (
        COMPARE.format(3, 1, 2, 1).replace("compare", "test") + " --ratio 1 --alternative two",
        "alternative is 'two'",
    ),
    (
        COMPARE.format(3, 1, 2, 1).replace("compare", "test") + " --ratio 1e-310 --alternative less",
        "ratio is 1e-310: outside 1e-100 to 1e+100",
    ),
    ("cusum --mean -1 --k 1 --h 2", "mean is -1"),
    ("cusum --mean 1 --k 1e300 --h 2", "k is 1e+300: no chart of accidents"),
    ("cusum --mean 1 --k 1 --h 2 --head-start 2", "head start is 2: it must lie in [0, h)"),
    (
        "joint --fatal 1 --other -1 --exposure 1 --baseline-fatal 1 --baseline-other 1 --baseline-exposure 1",
        "other accidents is -1",
    ),
    ("verdict /no/such/file.json", "/no/such/file.json cannot be read"),
    ("figure pie docs/examples/verdict.json x.svg", "figure is 'pie': choose one of"),
]


class TestBadInput:
    @pytest.mark.parametrize(("line", "says"), BAD)
    def test_one_sentence_and_exit_code_two(self, capsys: Capture, line: str, says: str) -> None:
        assert main(["rates", *line.split()]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert says in err
        assert err.startswith("kerbsafe: ")
        assert err.count("\n") == 1

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "standard input is not JSON"),
            ("[1, 2", "standard input is not JSON"),
            ("[" * 100_000, "standard input is not JSON"),
            ('{"expected": NaN}', "NaN is not a number"),
            ('{"expected": 1, "expected": 2}', "the key 'expected' stands twice"),
            ("3", "input must be an object with named values, not int"),
            ("{}", "input.expected is missing; input.observed is missing"),
            ('{"expected": 1, "observed": 1}', "give either b or weight"),
            ('{"expected": 1, "observed": 1, "b": 1, "weight": 0.5}', "give either b or weight"),
            ('{"expected": 0, "observed": 1, "b": 1}', "input.expected is 0: it must be above zero"),
            ('{"expected": 1, "observed": 1, "weight": 2}', "weight is 2"),
            ('{"expected": 1e200, "observed": 1, "b": 2}', "input.expected is 1e+200: an expected number"),
            ('{"expected": 1, "observed": 1e30, "b": 2}', "input.observed is 1e+30: more than"),
            ('{"expected": 1, "observed": -1, "b": 2}', "input.observed is -1"),
            ('{"expected": 1, "observed": 1.5, "b": 2}', "input.observed is 1.5"),
            ('{"expected": 1, "observed": 1, "weigth": 0.5}', "did you mean weight?"),
            ('{"expected": 1, "observed": 1, "b": 1, "observed_after": 1}', "an effect needs both"),
            (
                '{"expected": 1, "observed": 1, "b": 1, "observed_after": 1, "exposure_after": 1}',
                "an effect needs exposure_before",
            ),
        ],
    )
    def test_standard_input_of_eb(
        self, capsys: Capture, monkeypatch: pytest.MonkeyPatch, text: str, says: str
    ) -> None:
        pipe(monkeypatch, text)
        assert main(["rates", "eb"]) == 2
        assert says in capsys.readouterr().err

    def test_a_file_that_is_no_text(self, capsys: Capture, tmp_path: Path) -> None:
        path = tmp_path / "verdict.json"
        path.write_bytes(b"\xff\xfe\x00")
        assert main(["rates", "verdict", str(path)]) == 2
        assert "is not UTF-8 text" in capsys.readouterr().err

    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
    @given(st.binary(max_size=200))
    def test_any_bytes_in_the_file(self, tmp_path: Path, rubbish: bytes) -> None:
        path = tmp_path / "verdict.json"
        path.write_bytes(rubbish)
        with pytest.raises(KerbsafeError):
            answers.verdict(read_json(str(path)))

    @given(st.text(max_size=12), st.text(max_size=12))
    def test_any_text_as_a_number(self, count: str, exposure: str) -> None:
        try:
            found = answers.one(count=count, exposure=exposure)
        except StatisticsError:
            return
        assert math.isfinite(found["rate"])

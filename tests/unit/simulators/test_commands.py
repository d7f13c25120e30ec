"""`kerbsafe simulate` and `kerbsafe score`, as people type them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from fleet.trackfile import Recording, parse
from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "messages.ndjson", "truth.ndjson", "faults.ndjson", "registry.json", "fences.geojson", "streets.geojson",
}  # fmt: skip


def simulate(out: Path, *options: str) -> int:
    return main(["simulate", "--trucks", "4", "--hours", "0.1", "--out", str(out), *options])


def fingerprint(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_simulate_writes_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert simulate(tmp_path / name, "--scenario", "storm", "--seed", "3") == 0
    assert simulate(tmp_path / "c", "--scenario", "storm", "--seed", "4") == 0
    assert set(fingerprint(tmp_path / "a")) == FILES
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    assert fingerprint(tmp_path / "a")["messages.ndjson"] != fingerprint(tmp_path / "c")["messages.ndjson"]


def test_messages_can_be_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(tmp_path, "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    recording = parse("messages.ndjson", (tmp_path / "messages.ndjson").read_bytes())
    assert isinstance(recording, Recording)
    assert len(recording.messages) == counts["messages"] > 1_000
    assert recording.messages[0].topic.startswith("kerbsafe/v1/co01/")


def test_streets_of_one_city_can_be_driven_on_again(tmp_path: Path) -> None:
    assert simulate(tmp_path / "a") == 0
    assert simulate(tmp_path / "b", "--streets", str(tmp_path / "a" / "streets.geojson")) == 0


def test_score_of_the_truth_itself_is_perfect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["simulate", "--trucks", "30", "--hours", "0.3", "--seed", "2", "--out", str(tmp_path), "--json"])
    truth = [json.loads(line) for line in (tmp_path / "truth.ndjson").read_text().splitlines()]
    lines = [
        json.dumps({**row, "started_s": row["started_us"] / 1e6 + 60, "ended_s": row["ended_us"] / 1e6 + 60})
        for row in truth
    ]
    (tmp_path / "detected.ndjson").write_text("\n".join(lines))
    capsys.readouterr()
    arguments = ["score", str(tmp_path / "truth.ndjson"), str(tmp_path / "detected.ndjson"), "--shift", "60"]
    assert main([*arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["not_scored"] == []
    for row in figures["kinds"].values():
        assert row["missed"] == row["false"] == row["split"] == 0
    assert main(arguments) == 0
    assert "right_turn" in capsys.readouterr().out


def test_each_miss_is_named_with_its_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two of three are missed, one of them critical; one unit was silent."""
    at_us = 1_772_402_400_000_000
    rows = [
        {
            "kind": "speeding",
            "vehicle": name,
            "started_us": at_us,
            "ended_us": at_us + 9_000_000,
            "critical": grave,
        }
        for name, grave in (("a", True), ("b", True), ("c", False))
    ]
    found = {"kind": "speeding", "vehicle": "a", "started_s": at_us / 1e6, "ended_s": at_us / 1e6 + 9}
    (tmp_path / "truth.ndjson").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "detected.ndjson").write_text(json.dumps(found))
    (tmp_path / "faults.ndjson").write_text(
        json.dumps({"kind": "sparse", "vehicle": "c", "interval_s": 40.0})
    )
    assert main(["score", str(tmp_path / "truth.ndjson"), str(tmp_path / "detected.ndjson")]) == 0
    printed = capsys.readouterr().out
    assert "missed: b 2026-03-01T22:00:00.000Z, unexplained" in printed
    assert "missed: c 2026-03-01T22:00:00.000Z, sparse" in printed
    assert "critical, of all kinds: 1 of 2, 0.500 (0.095-0.905)" in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["simulate", "--trucks", "0", "--out", "{tmp}/x"], "needs trucks"),
        (["simulate", "--hours", "-1", "--out", "{tmp}/x"], "needs trucks, time"),
        (["simulate", "--hours", "nan", "--out", "{tmp}/x"], "needs trucks, time"),
        (["simulate", "--hours", "745", "--out", "{tmp}/x"], "at most 744 hours"),
        (["simulate", "--hours", "720", "--scenario", "month", "--out", "{tmp}/x"], "at most 675 hours"),
        (["simulate", "--start", "0001-01-01T00:00:00Z", "--out", "{tmp}/x"], "not of our time"),
        (["simulate", "--start", "yesterday", "--out", "{tmp}/x"], "is no time"),
        (["simulate", "--start", "2026-01-01T00:00:00", "--out", "{tmp}/x"], "no offset"),
        (["simulate", "--streets", "{tmp}/none", "--out", "{tmp}/x"], "cannot read"),
        (["simulate", "--streets", "{tmp}/broken", "--out", "{tmp}/x"], "not JSON"),
        (["simulate", "--streets", "{tmp}/list", "--out", "{tmp}/x"], "FeatureCollection"),
        (["simulate", "--trucks", "1", "--hours", "0.01", "--out", "{tmp}/broken"], "cannot write"),
        (["score", "{tmp}/none", "{tmp}/list"], "cannot read"),
        (["score", "{tmp}/broken", "{tmp}/list"], "line 1: not JSON"),
        (["score", "{tmp}/list", "{tmp}/list"], "not a JSON object"),
        (["score", "{tmp}/object", "{tmp}/object"], "row 1 is no truth"),
        (["score", "{tmp}/words", "{tmp}/truth"], "row 1 is no truth"),
        (["score", "{tmp}/truth", "{tmp}/list"], "not a JSON object"),
        (["score", "{tmp}/truth", "{tmp}/truth"], "detection 1 lacks"),
        (["score", "{tmp}/truth", "{tmp}/words"], "detection 1 lacks"),
        (["score", "{tmp}/truth", "{tmp}/nan"], "line 1: not JSON"),
        (["score", "{tmp}/truth", "/dev/null", "--faults", "{tmp}/object"], "row 1 is no fault"),
        (["score", "{tmp}/truth", "/dev/null", "--faults", "{tmp}/words"], "row 1 is no fault"),
        (["score", "{tmp}/truth", "/dev/null", "--kinds", "speeeding"], "nothing is of kind 'speeeding'"),
        (["score", "{tmp}/truth", "/dev/null", "--shift", "nan"], "no number of seconds"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (tmp_path / "broken").write_text("{")
    (tmp_path / "list").write_text("[1]")
    (tmp_path / "object").write_text('{"a": 1}')
    (tmp_path / "nan").write_text('{"kind": "speeding", "vehicle": "a", "started_s": NaN}')
    named = {"kind": "speeding", "vehicle": "a"}
    (tmp_path / "truth").write_text(json.dumps({**named, "started_us": 1, "ended_us": 2}))
    (tmp_path / "words").write_text(json.dumps({**named, "started_us": "x", "started_s": "x"}))
    assert main([word.replace("{tmp}", str(tmp_path)) for word in arguments]) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""

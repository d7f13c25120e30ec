"""`kerbsafe replay` from the store: as arrived and settled, what differs, what rules in shadow would cost."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from alerts.in_force.rulebooks import Rulebooks
from alerts.rulebook import documents
from fleet.units import MICROSECONDS, to_datetime
from kerbsafe.cli import main
from tests.integration.bench import NOW_US, arriving, batch, drive

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.integration.bench import Bench

    Lines = Callable[..., Awaitable[list[dict[str, Any]]]]

SPEEDING = drive((20, 50), (30, 80), (20, 50), start_s=-200)
#: The drawn drive changes its speed at once: without the rules on trial.
MODES = '\n[mode]\nharsh_braking = "off"\n'
DEFAULT = documents.DEFAULT_PATH.read_text("utf-8") + MODES
SHADOW = DEFAULT.replace("default-1", "candidate") + 'speeding = "shadow"\n'


def moment(at_s: float) -> str:
    return to_datetime(NOW_US + round(at_s * MICROSECONDS)).isoformat()


WINDOW = ("--from", moment(-3600), "--to", moment(3600))


@pytest.fixture
def lines(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lines:
    """Run `kerbsafe replay ... --json` over two hours around NOW; return what it prints."""
    monkeypatch.setenv("KERBSAFE_DSN", database)

    async def run(*words: str, window: tuple[str, ...] = WINDOW) -> list[dict[str, Any]]:
        assert await asyncio.to_thread(main, ["replay", *window, *words, "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


async def test_both_ways_of_replay_find_what_was_raised(bench: Bench, lines: Lines) -> None:
    await bench.push(*arriving(SPEEDING))
    (arrived,) = await lines("--as-arrived", "--vehicle", "T1")
    began_s = NOW_US / MICROSECONDS - 180
    assert arrived == {
        "kind": "speeding",
        "track": "T1",
        "vehicle": "T1",
        "started_s": began_s,
        "ended_s": began_s + 30,
        "peak": 80.0,
        "limit": 60.0,
        "limit_source": "class",
    }
    assert await lines("--as-arrived", "--compare") == []
    await bench.drain()
    assert await lines("--settled") == [arrived]
    assert await lines("--compare") == []
    assert await lines("--compare", "live") == []
    assert await lines("--vehicle", "T2") == []


async def test_a_segment_is_judged_whole_wherever_the_window_begins(bench: Bench, lines: Lines) -> None:
    """The window begins in the middle of the drive, after the truck began to speed."""
    await bench.push(*arriving(drive((20, 50), (30, 80), (20, 50), (30, 90), (10, 50), start_s=-200)))
    window = ("--from", moment(-170), "--to", moment(3600))
    for way in ("--settled", "--as-arrived"):
        (second,) = await lines(way, window=window)
        assert (second["started_s"], second["peak"]) == (NOW_US / MICROSECONDS - 130, 90)
        assert await lines(way, "--compare", window=window) == []


async def test_late_data_makes_the_difference_between_live_and_settled(bench: Bench, lines: Lines) -> None:
    """Live sees the first half; the unit sends the rest when it is out of the tunnel."""
    run = drive((60, 50), (40, 90), (200, 50), (60, 90), (20, 50), start_s=-400)
    buffered = run[55:105]
    await bench.push(*arriving([f for f in run if f not in buffered]), batch(0, buffered, kind="history"))
    assert await lines("--as-arrived", "--compare") == []
    await bench.drain()
    (added,) = await lines("--compare", "live")
    assert (added["difference"], added["kind"], added["started_s"]) == (
        "added",
        "speeding",
        NOW_US / MICROSECONDS - 340,
    )
    assert await lines("--compare") == []
    assert await lines("--as-arrived", "--compare") == []


async def test_what_another_rulebook_would_have_said(bench: Bench, lines: Lines, tmp_path: Path) -> None:
    await bench.push(*arriving(SPEEDING))
    await bench.drain()
    path = tmp_path / "rules.toml"
    path.write_text(DEFAULT.replace("default-1", "b").replace("clear_s = 5", "clear_s = 30", 1), "utf-8")
    (changed,) = await lines("--compare", "--rules", str(path))
    assert changed["difference"] == "changed"
    assert set(changed["fields"]) == {"ended_s", "ended_as"}
    assert changed["fields"]["ended_as"] == ["closed", "lost"]
    path.write_text(DEFAULT.replace("default-1", "b").replace("hold_s = 10", "hold_s = 60", 1), "utf-8")
    (missing,) = await lines("--compare", "--rules", str(path))
    assert (missing["difference"], missing["peak"]) == ("missing", 80)


async def test_a_rule_in_shadow_alerts_nobody_and_has_a_budget(
    bench: Bench, lines: Lines, tmp_path: Path
) -> None:
    """One in two hours, before two monitors: a quarter of an alert an operator-hour."""
    book = documents.parse(SHADOW)
    bench.context = bench.context._replace(rulebooks=Rulebooks([book]))
    await bench.push(*arriving(SPEEDING))
    raised = [("shadow:candidate", "provisional")]
    assert await bench.rows("select mode, status from episode") == raised
    await bench.drain()
    assert await bench.rows("select mode, status from episode") == [("shadow:candidate", "settled")]
    for table in ("alert", "alert_feed", "outbox"):
        assert await bench.rows(f"select count(*) from {table}") == [(0,)]
    path = tmp_path / "rules.toml"
    path.write_text(SHADOW, "utf-8")
    episode, budget = await lines("--rules", str(path))
    assert (episode["kind"], episode["mode"]) == ("speeding", "shadow:candidate")
    assert budget == {
        "kind": "alert_budget",
        "rule": "speeding",
        "mode": "shadow:candidate",
        "alerts": 1,
        "vehicles": 2,
        "hours": 2.0,
        "monitors": 2,
        "alerts_per_operator_hour": 0.25,
    }
    (budget,) = await lines("--compare", "--rules", str(path))
    assert budget["kind"] == "alert_budget"


async def test_shadows_are_forgotten_after_90_days(bench: Bench) -> None:
    bench.context = bench.context._replace(rulebooks=Rulebooks([documents.parse(SHADOW)]))
    await bench.push(*arriving(SPEEDING))
    for days, left in ((89, 1), (91, 0)):
        now_us = NOW_US + days * 86_400 * MICROSECONDS
        await bench.connection.execute(store_queries()["purge_shadows"], to_datetime(now_us))
        assert await bench.rows("select count(*) from episode") == [(left,)]


def store_queries() -> Any:
    from alerts.store.store import QUERIES  # noqa: PLC0415 - beside its only use

    return QUERIES


async def test_a_vehicle_that_nobody_knows_is_one_line(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", database)
    assert await asyncio.to_thread(main, ["replay", *WINDOW, "--vehicle", "nobody"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        "kerbsafe: no vehicle 'nobody' in the registry: see `kerbsafe registry list`, or import it\n",
    )

"""`kerbsafe rejects`: what was refused is taken in once its cause is mended; each says what became of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from alerts.in_force.context import Context
from alerts.rulebook.rulebook_store import load_rulebooks
from fleet.entities import Company, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry import load_directory, register
from ingest.pipeline.rejects import WHOLE_BYTES_OF_SENDER
from kerbsafe.cli import main
from tests.integration.bench import NOW_US, batch, drive, fix

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.bench import Bench

    Run = Callable[..., Awaitable[tuple[int, str, str]]]

#: A quarter of an hour in a tunnel: much more than 4 KiB.
KEPT = [fix(-4000 + i) for i in range(900)]


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("KERBSAFE_DSN", database)

    async def rejects(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["rejects", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return rejects


async def registered(bench: Bench, code: str) -> None:
    vehicle = Vehicle(code=code, company="acme", kind=VehicleKind.MIXER, limit_kmh=60)
    await register(bench.connection, Company(code="acme"), [vehicle])
    bench.directory = await load_directory(bench.connection, NOW_US)
    bench.context = Context(await load_rulebooks(bench.connection, NOW_US), bench.directory.facts)


async def told(run: Run, *words: str) -> dict[str, Any]:
    code, out, err = await run(*words, "--json")
    assert (code, err) == (0, "")
    return dict(json.loads(out))


async def test_a_vehicle_that_was_forgotten_in_the_registry(bench: Bench, run: Run) -> None:
    camera = {**fix(-3990), "id": "e1", "side": "right", "phase": "single"}
    await bench.push(
        batch(-60, KEPT, vehicle="T9", kind="history"),
        batch(-59, fix(-59.5), vehicle="T9"),
        batch(-58, camera, vehicle="T9", kind="camera"),
        batch(-57, fix(-57.5), vehicle="T1"),
    )
    assert bench.receipts[0].rejected == {"unknown_vehicle": 900}
    listed = await told(run, "list")
    assert listed["reasons"] == [
        {"reason": "unknown_vehicle", "observations": 902, "retriable": 902, "retried": 0}
    ]

    before = await told(run, "retry")
    assert before["total"] == {
        "observations": 0, "stored": 0, "duplicates": 0, "refused": {"unknown_vehicle": 902}
    }  # fmt: skip

    await registered(bench, "T9")
    dry = await told(run, "retry", "--dry-run")
    assert dry["total"] == {"observations": 902, "stored": 0, "duplicates": 0, "refused": {}}
    done = await told(run, "retry", "--vehicle", "T9")
    assert [(one["topic"], one["taken"], one["refused"]) for one in done["rejects"]] == [
        ("kerbsafe/v1/acme/T9/history", 900, {}),
        ("kerbsafe/v1/acme/T9/fix", 1, {}),
        ("kerbsafe/v1/acme/T9/camera", 1, {}),
    ]
    assert done["total"] == {"observations": 902, "stored": 902, "duplicates": 0, "refused": {}}
    counts = (
        "select (select count(*) from fix), (select count(*) from camera_event), (select count(*) from dirty)"
    )
    assert await bench.rows(counts) == [(902, 1, 2)]
    # One line of the ledger, which adds up, and no reject twice.
    ledger = "select source, received, stored, duplicates, rejected, judged from batch"
    assert await bench.rows(f"{ledger} order by batch_id desc limit 1") == [("history", 902, 902, 0, 0, 0)]
    assert await bench.rows("select count(*), count(retried_at) from reject") == [(3, 3)]

    code, out, _ = await run("retry")
    assert (code, out) == (
        0,
        "nothing that was refused can be taken in again; `kerbsafe rejects list` shows what there is\n",
    )
    assert (await told(run, "list"))["reasons"] == [
        {"reason": "unknown_vehicle", "observations": 902, "retriable": 0, "retried": 902}
    ]


async def test_what_is_refused_again_stays_and_what_is_stored_is_a_duplicate(bench: Bench, run: Run) -> None:
    await bench.push(
        batch(-60, fix(-60.5), vehicle="T9"),
        batch(-59, [fix(-59.5), {"time": 1}, fix(-58.5)], vehicle="T9"),
        batch(-58, b"{", vehicle="T1"),
        batch(-57, fix(-40 * 86_400, lat=30.7), vehicle="T1"),
    )
    await registered(bench, "T9")
    await bench.push(batch(-50, fix(-60.5), vehicle="T9"))  # the unit had kept it, and sent it again
    code, out, err = await run("retry")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "#1  kerbsafe/v1/acme/T9/fix: 1 taken in",
        "#2  kerbsafe/v1/acme/T9/fix: 2 taken in; refused again: 1 missing_field",
        "#3  kerbsafe/v1/acme/T1/fix: refused again: 1 malformed_json",
        "#4  kerbsafe/v1/acme/T1/fix: refused again: 1 too_old",
        (
            "4 tried: 2 observations stored, 1 were there already; the worker settles them; "
            "refused again: 1 missing_field, 1 malformed_json, 1 too_old"
        ),
    ]
    assert await bench.rows("select reject_id, retried_at is not null from reject order by 1") == [
        (1, True), (2, False), (3, False), (4, False)
    ]  # fmt: skip
    again = await told(run, "retry")
    assert again["total"] == {
        "observations": 2,
        "stored": 0,
        "duplicates": 2,
        "refused": {"missing_field": 1, "malformed_json": 1, "too_old": 1},
    }
    only = await told(run, "retry", "--reason", "too_old")
    assert [one["reject_id"] for one in only["rejects"]] == [4]


async def test_what_was_taken_in_is_settled_like_everything_else(bench: Bench, run: Run) -> None:
    fast = drive((60, 50), (30, 80), (60, 50), start_s=-4000)
    await bench.push(batch(-60, fast, vehicle="T9", kind="history"))
    await registered(bench, "T9")
    await run("retry")
    assert await bench.drain() == {"added": 1}
    assert await bench.rows("select rule, late from alert join episode on episode_id = alert_id") == [
        ("speeding", True)
    ]


async def test_what_was_not_kept_in_full_is_not_taken_in(bench: Bench, run: Run) -> None:
    """A megabyte of spaces behind a fix, until the hour's room is used up; then the beginning is kept."""
    large = json.dumps(fix(-60)).encode().ljust(1 << 20)
    count = WHOLE_BYTES_OF_SENDER // len(large) + 1
    await bench.push(*(batch(-60, large, vehicle="T9", kind="history") for _ in range(count)))
    listed = await told(run, "list")
    assert [row["retriable"] for row in listed["rejects"]] == [False, *[True] * (count - 1)]
    code, out, _ = await run("list", "--limit", "1")
    assert code == 0
    assert "[not kept in full]" in out
    assert out.endswith(
        f"unknown_vehicle: {count} observations; of them {count - 1} can be taken in again, 0 have been\n"
    )


async def test_a_reason_that_does_not_exist_is_named(run: Run, bench: Bench) -> None:  # noqa: ARG001
    code, out, err = await run("list", "--reason", "unknown_truck")
    assert (code, out) == (2, "")
    assert err.startswith("kerbsafe: no reason 'unknown_truck': the reasons are unknown_topic, bad_code, ")
    assert await run("list", "--vehicle", "T1") == (0, "nothing of that kind was refused\n", "")

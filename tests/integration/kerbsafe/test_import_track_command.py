"""`kerbsafe import-track`: an old drive becomes history, is settled, pages nobody, and is accounted for."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from fleet.units import MICROSECONDS, to_datetime
from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.integration.bench import Bench

    Run = Callable[..., Awaitable[tuple[int, str, str]]]

NOW_US = int(time.time()) * MICROSECONDS
DAY_S = 86_400
#: Speeds of a drive at 1 Hz, 50 km/h but for half a minute.
SPEEDS = [50] * 20 + [100] * 30 + [50] * 20


def csv(*days_ago: float, missing: int = 0) -> str:
    """Drives, each begun so many days ago; of the last the first lines have no coordinates."""
    lines = ["time,lat,lon,speed_kmh"]
    for days in days_ago:
        for s, speed in enumerate(SPEEDS):
            at = to_datetime(NOW_US - round(days * DAY_S - s) * MICROSECONDS)
            place = "," if s < missing else f"{30.7 + s * 2e-4:.6f},120.7"
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{place},{speed}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def run(
    bench: Bench,  # noqa: ARG001 - has registered T1 and T2
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.setenv("KERBSAFE_DSN", database)

    async def import_track(text: str | bytes, *words: str, name: str = "drive.csv") -> tuple[int, str, str]:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        options = words or ("--vehicle", "T1")
        code = await asyncio.to_thread(main, ["import-track", str(tmp_path / name), *options])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return import_track


async def test_an_old_drive_is_history_settled_and_silent(bench: Bench, run: Run) -> None:
    code, out, err = await run(csv(3, missing=2))
    assert (code, out.partition(",")[0]) == (0, "T1: 68 received = 68 stored + 0 duplicate + 0 rejected")
    assert "drive.csv: 2 lines without coordinates left out (first in line 2)" in err
    assert await bench.rows("select source, received, stored, duplicates, rejected, judged from batch") == [
        ("history", 68, 68, 0, 0, 0)
    ]
    assert await bench.rows("select count(*) from episode") == [(0,)]
    (marked,) = await bench.rows("select extract(epoch from until - time)::int from dirty")
    assert marked == (67,)

    await bench.drain()
    assert await bench.rows("select peak, limit_value, status, settled_as from episode") == [
        (100.0, 60.0, "settled", "added")
    ]
    assert await bench.rows("select late from alert") == [(True,)]
    assert await bench.rows("select count(*) from outbox") == [(0,)]

    _, again, _ = await run(csv(3, missing=2))
    assert again.startswith("T1: 68 received = 0 stored + 68 duplicate + 0 rejected")
    assert await bench.rows("select count(*) from fix") == [(68,)]


async def test_what_is_too_old_within_a_drive_is_rejected_and_counted(bench: Bench, run: Run) -> None:
    code, out, _ = await run(csv(40, 2), "--vehicle", "T2", "--json")
    done: dict[str, Any] = json.loads(out)
    assert code == 0
    assert {name: done[name] for name in ("vehicle", "received", "stored", "duplicates", "rejected")} == {
        "vehicle": "T2", "received": 140, "stored": 70, "duplicates": 0, "rejected": 70,
    }  # fmt: skip
    assert done["rejected_as"] == {"too_old": 70}
    assert await bench.rows(
        "select reason, sum(observations)::int, count(payload) > 0 from reject group by reason"
    ) == [("too_old", 70, True)]


async def test_a_drive_of_many_parts(bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.history.importing._AT_ONCE", 25)
    _, out, _ = await run(csv(3))
    assert out.startswith("T1: 70 received = 70 stored + 0 duplicate + 0 rejected")
    assert await bench.rows("select stored from batch order by batch_id") == [(25,), (25,), (20,)]
    await bench.drain()
    assert await bench.rows("select peak from episode") == [(100.0,)]


async def test_a_recording_of_one_vehicle_under_another_code(bench: Bench, run: Run) -> None:
    at = to_datetime(NOW_US - 2 * DAY_S * MICROSECONDS)
    line = {
        "at": at.isoformat(),
        "topic": "kerbsafe/v1/elsewhere/X9/fix",
        "payload": {"time": at.isoformat(), "lat": 30.7, "lon": 120.7},
    }
    broken = {**line, "payload": {"time": at.isoformat(), "lat": 99, "lon": 120.7}}
    text = "\n".join(map(json.dumps, (line, broken)))
    code, out, err = await run(text, name="day.ndjson")
    assert (code, out.partition(",")[0]) == (0, "T1: 1 received = 1 stored + 0 duplicate + 0 rejected")
    assert "1 observation refused as out_of_range left out" in err
    assert await bench.rows("select code from fix join vehicle using (vehicle_id)") == [("T1",)]
    other = {**line, "topic": "kerbsafe/v1/elsewhere/X8/fix"}
    code, _, err = await run("\n".join(map(json.dumps, (line, other))), name="day.ndjson")
    assert code == 2
    assert "holds several vehicles (X9, X8); make a file of each" in err


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (
            csv(40),
            (),
            "more than 35 days ago, which is not taken: history is settled for so long. Judge",
        ),
        (csv(-0.1), (), "which is not yet 0:02:00 h:min:s ago; import it later"),
        (
            csv(3),
            ("--vehicle", "nobody"),
            "no vehicle 'nobody' in the registry: see `kerbsafe registry list`",
        ),
        (
            "t_s,lat,lon\n1,2,3\n",
            (),
            "counts seconds from its beginning (t_s) and does not say when that was",
        ),
        ("time,lat,lon\n2026-03-02 08:00:00,2,3\n", (), "say --timezone Asia/Shanghai, or --timezone UTC"),
    ],
    ids=["too old", "not over", "unknown vehicle", "no times", "no offset"],
)
async def test_what_cannot_be_imported_is_one_sentence(
    bench: Bench, run: Run, text: str, words: tuple[str, ...], says: str
) -> None:
    code, out, err = await run(text, *words)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert await bench.rows("select count(*) from batch") == [(0,)]


async def test_in_chinese_where_the_environment_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    text = csv(3, missing=1).replace("time,lat,lon,speed_kmh", "时间,纬度,经度,速度").encode("gb18030")
    code, out, err = await run(text)
    assert (code, out.partition("，")[0]) == (0, "T1：收到 69 = 存入 69 + 重复 0 + 拒收 0")
    assert [line.partition("drive.csv：")[2] for line in err.splitlines()] == [
        "按 GB18030 编码读入；若不是，请用 --encoding 指明",
        "读入的列：时间=time、纬度=lat、经度=lon、速度=speed_kmh",
        "1 行没有坐标，已舍去（首见第 2 行）",
    ]
    code, _, err = await run(csv(40))
    assert code == 2
    assert "早于 35 天前，不予导入" in err


async def test_ctrl_c_right_after_the_commit_says_that_it_is_written(
    bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_done: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kerbsafe.drives.track_import.sentence", interrupted)
    assert await run(csv(2)) == (
        130,
        "",
        "kerbsafe: interrupted; what was written until then stays written\n",
    )
    assert await bench.rows("select count(*) from fix") == [(len(SPEEDS),)]

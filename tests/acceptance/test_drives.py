"""Recorded drives that nobody here made, over MQTT, stored once, judged live, settled, equal to replay."""

from __future__ import annotations

import json
import time
from datetime import datetime
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import Installation, kill

if TYPE_CHECKING:
    from pathlib import Path

#: Short ones with speeding at 90 km/h in them, and one with none.
FOUR = ("00000006", "00000012", "00000014", "00000024")


#: All the drives take 157 s at 60 times their pace.
PLAY_TIMEOUT_S = 600


def fixes_in(files: list[Path]) -> int:
    return sum(len(file.read_text("utf-8").splitlines()) - 1 for file in files)


def as_replayed(row: dict[str, object]) -> tuple[object, ...]:
    return row["track"], round(row["ended_s"] - row["started_s"], 3), row["peak"], row["limit"]


def as_alerted(alert: dict[str, object]) -> tuple[object, ...]:
    started, ended = (datetime.fromisoformat(alert[name]) for name in ("started_at", "ended_at"))
    return alert["vehicle"], round((ended - started).total_seconds(), 3), alert["peak"], alert["limit"]


def speeding(installation: Installation) -> list[dict[str, object]]:
    alerts = installation.json("alerts", "--rule", "speeding", "--limit", 100_000)
    return [alert for alert in alerts if alert["status"] == "settled"]


def stored_window(installation: Installation) -> list[str]:
    """All the time of which there are fixes, as words of `kerbsafe replay`."""
    ((first, last),) = installation.rows("select min(time), max(time) + interval '1 s' from fix")
    return ["--from", first.isoformat(), "--to", last.isoformat()]


def turns(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Right turns, by drive and time."""
    found = [row for row in rows if row["kind"] == "right_turn"]
    return sorted(found, key=lambda row: (row["track"], row["entered_s"]))


def with_short_gaps(file: Path, folder: Path) -> Path:
    """A drive as the player drives it: after a minute without a fix the next one comes."""
    header, *lines = file.read_text("utf-8").splitlines()
    rows = [line.partition(",") for line in lines]
    gaps_s = (float(later) - float(time_s) for (time_s, *_), (later, *_) in pairwise(rows))
    moved_s = accumulate((min(gap_s, 60.0) for gap_s in gaps_s), initial=0.0)
    moved = [f"{time_s:.6f},{rest}" for time_s, (*_, rest) in zip(moved_s, rows, strict=True)]
    made = folder / file.name
    made.write_text("\n".join([header, *moved]), "utf-8")
    return made


def check_turns(stored: list[dict[str, object]], of_files: list[dict[str, object]]) -> None:
    """As many, and the same but for the moment of each drive's start.

    Files of tracks say nothing of cameras; a store without their reports knows that none was armed.
    """
    of_store_alone = {"vehicle": None, "outcome": None}
    for own, other in zip(turns(stored), turns(of_files), strict=True):
        took_s, takes_s = (row.pop("exited_s") - row.pop("entered_s") for row in (own, other))
        assert took_s == pytest.approx(takes_s, abs=0.01)
        assert own | of_store_alone == other | of_store_alone


def check_play(installation: Installation, files: list[Path], speedup: int) -> None:
    """Play, drain, and compare with replay from the files."""
    with installation.process("ingest"):
        summary = installation.json(
            "play", *files, "--speedup", speedup, "--limit-kmh", 90, timeout_s=PLAY_TIMEOUT_S
        )
        installation.wait_until("select sum(received)::int from batch", summary["messages"])
    assert summary["messages"] == fixes_in(files)
    window = stored_window(installation)
    assert installation.lines("replay", *window, "--as-arrived", "--compare") == []
    drained = installation.json("worker", "--drain")
    assert installation.lines("replay", *window, "--settled", "--compare") == []
    ledger = installation.rows("select sum(stored), sum(duplicates), sum(rejected) from batch")
    assert ledger == [(summary["messages"], 0, 0)]
    assert installation.value("select count(*) from fix") == summary["messages"]
    assert installation.value("select sum(judged)::float8 / sum(stored) from batch") >= 0.99
    replayed = [r for r in installation.lines("replay", *files, "--limit-kmh", 90) if r["kind"] == "speeding"]
    assert sorted(map(as_alerted, speeding(installation))) == sorted(map(as_replayed, replayed))
    assert drained["withdrawn"] == 0
    driven = [with_short_gaps(file, installation.folder) for file in files]
    check_turns(installation.lines("replay", *window), installation.lines("replay", *driven))


@pytest.mark.timeout(600)  # a minute on a machine that has nothing else to do
def test_four_drives_played_over_mqtt_are_judged_as_replay_judges_them(
    installation: Installation, shared_data: Path
) -> None:
    files = [shared_data / f"data/tracks/turns/{name}.csv" for name in FOUR]
    # The horizon of 120 s is two seconds of real time here: the machine may be busy.
    check_play(installation, files, speedup=60)
    assert len(speeding(installation)) >= 2


@pytest.mark.long
def test_all_drives_played_over_mqtt(installation: Installation, shared_data: Path) -> None:
    """All 39, 84,791 fixes, at 60 times their pace."""
    files = sorted((shared_data / "data/tracks/turns").glob("*.csv"))
    check_play(installation, files, speedup=60)


@pytest.mark.timeout(600)  # half a minute on a machine that has nothing else to do
def test_ingest_killed_in_the_middle_of_a_play_loses_nothing_and_stores_nothing_twice(
    installation: Installation, shared_data: Path
) -> None:
    """Killed twice and restarted; the settled alerts are those that replay finds in the files."""
    files = [shared_data / f"data/tracks/turns/{name}.csv" for name in FOUR]
    player = None
    for kills in range(3):
        with installation.process("ingest") as ingest:
            if player is None:
                player = installation.start_play(*files, "--speedup", 100, "--limit-kmh", 90, "--json")
            if kills < 2:
                seen = installation.value("select count(*) from fix")
                while installation.value("select count(*) from fix") < seen + 700:
                    time.sleep(0.01)
                kill(ingest)
                continue
            out, errors = player.communicate(timeout=120)
            assert player.returncode == 0, errors[-1000:]
            sent = json.loads(out)["messages"]
            installation.wait_until("select count(*) from fix", sent)
    assert installation.value("select sum(received - stored - duplicates - rejected)::int from batch") == 0
    assert installation.rows("select sum(stored), sum(rejected) from batch") == [(sent, 0)]
    installation.json("worker", "--drain")
    replayed = [r for r in installation.lines("replay", *files, "--limit-kmh", 90) if r["kind"] == "speeding"]
    assert sorted(map(as_alerted, speeding(installation))) == sorted(map(as_replayed, replayed))


def test_a_second_ingest_names_the_first_and_ends(installation: Installation) -> None:
    with installation.process("ingest"):
        refused = installation.kerbsafe("ingest", expect=2)
    assert "another ingest runs on this database: 'kerbsafe ingest'" in refused.stderr.splitlines()[-1]


def recorded(trip: Path) -> list[dict[str, object]]:
    """A real truck's trip as recorded messages: what the unit measured, and when each message came."""
    messages = []
    for event in json.loads(trip.read_text("utf-8")):
        if (position := event["ev"].get("pos")) is not None and "receivedTs" in event["ev"]:
            payload = {
                "time": position["posTime"].replace("+0000", "Z"),
                "lat": position["latlon"]["lat"],
                "lon": position["latlon"]["lng"],
                "speed_kmh": position["speed"],
                "course_deg": position["azimuth"] % 360,
                "altitude_m": position["altitude"],
            }
            at = event["ev"]["receivedTs"].replace("+0000", "Z")
            messages.append({"at": at, "topic": "kerbsafe/v1/tajo/truck-1/fix", "payload": payload})
    return sorted(messages, key=lambda message: str(message["at"]))


@pytest.mark.parametrize(("trip", "speedup"), [(1, 400), (2, 400)])
def test_a_real_trucks_trip_with_its_duplicates_and_lateness(
    installation: Installation, shared_data: Path, tmp_path: Path, trip: int, speedup: int
) -> None:
    """Duplicates, steps back in time and minutes of lateness, settled as replay settles the file."""
    messages = recorded(shared_data / f"data/fleet/tajo_truck_vehicle1-trip{trip}.json")
    file = tmp_path / "truck.ndjson"
    file.write_text("".join(json.dumps(message) + "\n" for message in messages), "utf-8")
    contents = {json.dumps(message["payload"], sort_keys=True) for message in messages}
    keys = {message["payload"]["time"] for message in messages}
    times = [message["payload"]["time"] for message in messages]
    assert len(keys) == len(contents) < len(messages)  # the trip has duplicates, and no conflicts
    assert any(later < earlier for earlier, later in pairwise(times))  # and steps back in time

    with installation.process("ingest"):
        # Gaps stay: shortening them would part the copies of one fix.
        played = installation.json(
            "play", file, "--speedup", speedup, "--limit-kmh", 40, "--max-gap", 100_000
        )
        installation.wait_until("select sum(received)::int from batch", len(messages))
    assert played["messages"] == len(messages)
    assert installation.value("select count(*) from fix") == len(keys)
    ledger = installation.rows("select sum(stored), sum(duplicates), sum(rejected) from batch")
    assert ledger == [(len(keys), len(messages) - len(keys), 0)]
    installation.json("worker", "--drain")

    replayed = [r for r in installation.lines("replay", file, "--limit-kmh", 40) if r["kind"] == "speeding"]
    shift_s = played["shift_s"]["truck"]
    found = [
        (round(_epoch_s(alert["started_at"]) - shift_s, 2), round(_epoch_s(alert["ended_at"]) - shift_s, 2))
        for alert in speeding(installation)
    ]
    assert sorted(found) == [(round(r["started_s"], 2), round(r["ended_s"], 2)) for r in replayed]
    assert len(found) > 0


def _epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()

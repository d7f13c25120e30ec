"""`kerbsafe jt808`: hexadecimal digits in, JSON alone out; the page is that of the tables."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from fleet.wire.jt808 import MESSAGES, Sender
from kerbsafe import cli
from kerbsafe.bench import decoding
from kerbsafe.jt808 import jt808_page
from tests.unit.fleet.wire.jt808.frames import HEARTBEAT, NEW_PHONE, RIGHT_REAR

PAGE = Path(__file__).resolve().parents[3] / "docs" / "jt808.md"
GOOD = "7e000200000139123456780005377e"
FIELDS = ["message_id", "version", "phone", "serial", "checksum_ok", "errors", "positions", "safety", "body"]


def decoded(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[dict[str, Any]], str]:
    """The objects on standard output, and what is on standard error."""
    assert cli.main(["jt808", "decode", "--json", *arguments]) == 0
    shown = capsys.readouterr()
    return [json.loads(line) for line in shown.out.splitlines()], shown.err


def test_a_frame(capsys: pytest.CaptureFixture[str]) -> None:
    (said,), err = decoded(capsys, RIGHT_REAR)
    assert list(said) == FIELDS
    assert (said["message_id"], said["version"], said["phone"]) == ("0x0200", 2013, "13912345678")
    assert list(said["positions"][0]) == [
        "time",
        "lat",
        "lon",
        "altitude_m",
        "speed_kmh",
        "course_deg",
        "valid",
        "alarms",
        "status",
        "items",
    ]
    assert list(said["safety"][0]) == ["item", "type", "flag", "speed_kmh", "lat", "lon", "time", "status"]
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "serials", "err"),
    [
        ([HEARTBEAT, GOOD], [76, 5], ""),
        ([HEARTBEAT + GOOD[2:]], [76, 5], ""),
        ([" ".join(HEARTBEAT[at : at + 2] for at in range(0, len(HEARTBEAT), 2))], [76], ""),
        ([HEARTBEAT[at : at + 2] for at in range(0, len(HEARTBEAT), 2)], [76], ""),
        ([HEARTBEAT.upper()], [76], ""),
        (["aabb" + HEARTBEAT + "cc" + GOOD], [76, 5], "kerbsafe: 3 bytes outside of frames were skipped\n"),
        (["28373433", GOOD], [None, 5], ""),
        (["7e00020000"], [None], ""),
    ],
)
def test_streams(
    arguments: list[str], serials: list[int | None], err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said, told = decoded(capsys, *arguments)
    assert [one["serial"] for one in said] == serials
    assert told == err


def test_bytes_without_a_frame_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    (said,), _ = decoded(capsys, "28373433")
    assert said["errors"] == ["no_frame: 4 bytes, and no frame between two 7e"]
    assert (said["message_id"], said["checksum_ok"]) == (None, None)


@pytest.mark.parametrize("arguments", [["-"], []])
def test_standard_input_is_one_stream(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines as `xxd -p` writes them, in the middle of bytes too."""
    text = HEARTBEAT + GOOD
    lines = "\n".join(text[at : at + 7] for at in range(0, len(text), 7))
    monkeypatch.setattr("sys.stdin", io.StringIO(lines + "\n"))
    said, _ = decoded(capsys, *arguments)
    assert [one["serial"] for one in said] == [76, 5]


def test_fragments_are_joined(capsys: pytest.CaptureFixture[str]) -> None:
    frames = Sender(2019, NEW_PHONE).build(0x0900, {"type": 1, "hex": "aa" * 1500})
    said, _ = decoded(capsys, "".join(frame.hex() for frame in frames))
    assert said[0]["body"] == {"fragment": {"total": 2, "index": 1, "bytes": 1023}}
    assert said[1]["body"] == {"type": 1, "hex": "aa" * 1500}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["7e0x"], "'x' in '7e0x' is no hexadecimal digit"),
        (["7e0"], "an odd number of hexadecimal digits: 0 is half a byte"),
        (["--model", "none", HEARTBEAT], "no tables of a device model 'none'; there are aovx"),
    ],
)
def test_what_is_no_frame_at_all(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jt808", "decode", "--json", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("kerbsafe: ")
    assert says in shown.err


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jt808", "decode", RIGHT_REAR, "28373433", GOOD.replace("37", "00")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0x0200 location report  2013, phone 13912345678, serial 1"
    assert lines[1] == "    2026-03-15T02:15:30Z  31.234567 121.456789  25.3 km/h  88 deg  12 m"
    assert "right_rear_approach" in lines[8]
    assert lines[9] == "------ no frame"
    assert lines[-1] == "    wrong: checksum: frame 0x00, computed 0x37"


def test_the_tables_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jt808", "models", "--json"]) == 0
    names = [one["name"] for one in json.loads(capsys.readouterr().out)["models"]]
    assert {"su", "yue"} <= set(names)
    assert cli.main(["jt808", "models"]) == 0
    assert "T/JSATL 12-2017" in capsys.readouterr().out


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == jt808_page.page(), (
        "make it again: kerbsafe jt808 document > docs/jt808.md"
    )


def test_the_page_lists_every_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jt808", "document"]) == 0
    page = capsys.readouterr().out
    assert [number for number in MESSAGES if f"| 0x{number:04x} |" not in page] == []


def test_the_bench_and_its_naive_peer_read_the_same() -> None:
    data = decoding.traffic(500)
    assert decoding._naive(data)["sums"] == decoding.sums(decoding._read(data))

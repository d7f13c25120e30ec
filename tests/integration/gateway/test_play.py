"""`kerbsafe play --jt808`: recorded drives as terminals tell them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.gateway.conftest import Gateway, Reader

DRIVE = "t_s,lat,lon,speed_kmh\n0,30.7,120.7,50\n1,30.7001,120.7,51.2\n"


async def test_a_drive_is_told_as_a_terminal_does(
    gateway: Gateway,
    reader: Reader,
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", store)
    file = tmp_path / "T2.csv"
    file.write_text(DRIVE, "ascii")
    words = ["play", "--jt808", f"127.0.0.1:{gateway.port}", "--company", "acme", str(file), "--json"]
    assert await asyncio.to_thread(main, words) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == 2
    fixes = reader.of("fix", "T2")
    assert [(fix["lat"], fix["lon"], fix["speed_kmh"]) for fix in fixes] == [
        (30.7, 120.7, 50.0),
        (30.7001, 120.7, 51.2),
    ]


@pytest.mark.parametrize("more", [["--speedup", "10"], ["--start", "2026-05-01T08:00:00Z"]])
def test_a_gateway_goes_by_no_other_clock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    file = tmp_path / "T2.csv"
    file.write_text(DRIVE, "ascii")
    assert main(["play", "--jt808", "127.0.0.1:9", str(file), *more]) == 2
    assert "with --jt808" in capsys.readouterr().err

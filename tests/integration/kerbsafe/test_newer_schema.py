"""A database that a newer Kerbsafe has migrated is left alone by every command."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import asyncpg
import pytest

from kerbsafe.cli import main

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = "at version 9999, this Kerbsafe knows only"


@pytest.fixture
def settings(database: str) -> dict[str, str]:
    """Of a database whose last migration is not known here, and of a broker that nobody is to ask."""
    asyncio.run(_migrate_by_tomorrow(database))
    return {"KERBSAFE_DSN": database, "KERBSAFE_BROKER": "mqtt://127.0.0.1:1", "KERBSAFE_HTTP_PORT": "0"}


async def _migrate_by_tomorrow(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("insert into migration (version, name, sha256) values (9999, 'of_tomorrow', '')")
    await connection.close()


def test_no_command_works_on_it(
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    fleet, drive = tmp_path / "fleet.csv", tmp_path / "drive.csv"
    fleet.write_text("code,name\nJX-1,A\n", "utf-8")
    drive.write_text("t_s,lat,lon\n0,30,120\n", "utf-8")
    for call in (
        ["migrate"],
        ["alerts"],
        ["registry", "import", str(fleet)],
        ["device", "add", "T1"],
        ["play", str(drive)],
        ["replay", "--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23T00:00:00Z"],
    ):
        assert main(call) == 2, call
        (line,) = capsys.readouterr().err.splitlines()
        assert REFUSED in line, call


def test_no_process_starts_on_it(settings: dict[str, str]) -> None:
    calls = (["ingest"], ["worker"], ["console", "--port", "0"])
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "kerbsafe", *call],
            env=os.environ | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for call in calls
    ]
    for call, process in zip(calls, started, strict=True):
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2, call
        assert REFUSED in said.splitlines()[-1], call
        assert "Traceback" not in said, call

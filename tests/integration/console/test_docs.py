"""What docs/console.md tells programs to do, done."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import accounts
from fleet.units import to_us
from kerbsafe.parts import free_port

if TYPE_CHECKING:
    from tests.integration.console.conftest import Store

PAGE = Path(__file__).resolve().parents[3] / "docs" / "console.md"


async def test_the_program_of_the_page_follows_the_feed_over_a_restart(store: Store, serve: Any) -> None:
    """It prints every change once: those before it lost the console, meanwhile, and after."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    token = await accounts.add_token(store.connection, "board", to_us(datetime.now(UTC)), 1)
    port = free_port()
    environment = {"KERBSAFE_TOKEN": token, "KERBSAFE_CONSOLE": f"http://127.0.0.1:{port}"}
    alert_id = await store.alert("mx00001")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=os.environ | environment
    )
    try:
        async with serve(store.dsn, demo=False, port=port) as console:
            async with asyncio.timeout(60):
                while not console.console.desk.listeners:  # noqa: ASYNC110 - it has no event for a test
                    await asyncio.sleep(0.05)
            await store.tell(alert_id)
            assert await _line(process) == "opened speeding mx00001"
        await store.tell(alert_id, "updated")
        async with serve(store.dsn, demo=False, port=port):
            assert await _line(process) == "updated speeding mx00001"
            await store.tell(alert_id, "closed")
            assert await _line(process) == "closed speeding mx00001"
    finally:
        process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()

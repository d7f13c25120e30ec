"""The server does what its OpenAPI document says, whatever it is sent: schemathesis against the real API."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alerts.rulebook.documents import DEFAULT_PATH
from console import accounts
from console.server import OPERATIONS
from fleet.units import to_us

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

#: What a schema cannot say: a cursor belongs to its own sort, and a track has a day or both ends of a span.
UNSAID = "positive_data_acceptance"


@pytest.mark.timeout(600)  # half a minute on a machine that has nothing else to do
async def test_the_api_keeps_to_its_document(closed: Client, store: Store, tmp_path: Path) -> None:
    """Statuses, types and bodies are as described; what is wrong is refused, with and without a login."""
    for severity in range(1, 5):
        await store.alert(severity=severity, ended=severity > 2)
    await store.connection.execute(
        "insert into rulebook values ('default-1', '1970-01-01Z', $1)", DEFAULT_PATH.read_text("utf-8")
    )
    token = await accounts.add_token(store.connection, "schemathesis", to_us(datetime.now(UTC)), 1, "act")
    command = Path(sys.executable).with_name("st")
    process = await asyncio.create_subprocess_exec(
        command,
        "run",
        f"{closed.address}/api/v1/openapi.json",
        *("--header", f"Authorization: Bearer {token}"),
        *("--exclude-operation-id", "live"),  # a WebSocket; it has tests of its own
        *("--exclude-checks", UNSAID),
        *("--max-examples", "10"),
        *("--suppress-health-check", "too_slow", "--request-timeout", "60"),  # on a busy machine
        *("--generation-deterministic", "--no-color", "--warnings", "off"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
    assert f"Tested: {len(OPERATIONS) - 1}" in output.decode()

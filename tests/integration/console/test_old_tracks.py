"""A track that has left the database is shown as before; one that cannot be read is never an empty one."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.archive.stores import Folder
from tests.integration.fleet.archive_days import MIDNIGHTS_AWAY, days_ago, driven, night
from tests.integration.fleet.archive_days import store as stored

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.integration.console.conftest import Client, Store

DAY = days_ago(60)


async def test_an_old_day_is_shown_from_the_cold_store(
    client: Client, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERBSAFE_ARCHIVE", str(tmp_path))
    await stored(store, driven(DAY))
    path = f"/vehicles/mx00001/track?day={DAY}"
    before = await client.get(path)
    for _ in range(2):
        await night(store, Folder(tmp_path), later=MIDNIGHTS_AWAY)
    assert len(before["time_ms"]) == 100
    assert await client.get(path) == before
    assert (await client.get(f"{path}&thin=true"))["speed_kmh"] == before["speed_kmh"]

    shutil.rmtree(tmp_path)
    status, kind, detail = await client.problem("GET", path)
    assert (status, kind) == (503, "old-tracks-away")
    assert detail.endswith("what was driven is not known.")

    await store.connection.execute("delete from archived_day")  # as when it was deleted by age
    assert (await client.problem("GET", path))[:2] == (410, "not-kept")
    assert (await client.get(f"/vehicles/mx00001/track?day={DAY - timedelta(days=2)}"))["time_ms"] == []

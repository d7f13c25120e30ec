"""deploy/drop-days.sql: old days go with their space, the rest stays."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from fleet.clock import WALL
from fleet.installation import make_days_ahead
from fleet.units import MICROSECONDS, to_datetime
from tests.integration.deploy.conftest import PASSWORD, ROOT, libpq, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.deploy.conftest import Deployed

DAY_US = 86_400 * MICROSECONDS
INSERT = """insert into device_health (vehicle_id, time, batch_id, camera, power, gnss, firmware)
            values (7, $1, 1, 1, 1, 1, '')"""


async def test_days_beyond_what_is_kept_are_dropped(deployed: Deployed, postgres_bin: Path) -> None:
    # The script counts from the server's day, which must not change after ours was read.
    if (rest_s := (DAY_US - WALL.now_us() % DAY_US) / MICROSECONDS) < 30:
        await asyncio.sleep(rest_s + 0.1)
    now_us, ages = WALL.now_us(), (0, 199, 201, 230)
    async with deployed.connected("kerbsafe_owner") as owner:
        await make_days_ahead(owner, now_us - 200 * DAY_US)
        for age in ages:
            await owner.execute(INSERT, to_datetime(now_us - age * DAY_US))
        env = libpq(deployed.dsn_of("kerbsafe_owner")) | {"PGPASSWORD": PASSWORD}
        database = deployed.dsn.rpartition("/")[2]
        psql = (postgres_bin / "psql", "-d", database, "-f", ROOT / "deploy/drop-days.sql")
        said = run(*psql, "-v", "keep_days=200", env=env)
        assert said.count("dropped") == 3 * 35  # days -235 to -201 of three tables
        left = await owner.fetch("select time from device_health order by time desc")
        assert [row["time"] for row in left] == [to_datetime(now_us - age * DAY_US) for age in (0, 199)]
        assert "dropped" not in run(*psql, "-v", "keep_days=200", env=env)


@pytest.mark.parametrize("keep", ["182", "0", "-5", "many", None])
def test_what_must_be_kept_cannot_be_dropped(
    deployed: Deployed, postgres_bin: Path, keep: str | None
) -> None:
    env = libpq(deployed.dsn_of("kerbsafe_owner")) | {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]}
    chosen = () if keep is None else ("-v", f"keep_days={keep}")
    psql = (postgres_bin / "psql", "-d", deployed.dsn.rpartition("/")[2], *chosen)
    said = run(*psql, "-f", ROOT / "deploy/drop-days.sql", env=env, expect=0 if keep is None else 3)
    assert "dropped" not in said
    expected = {None: "say how many days", "many": "invalid input syntax"}
    assert expected.get(keep, "at least 183 days") in said

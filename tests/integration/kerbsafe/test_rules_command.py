"""`kerbsafe rules` on a database: versions are put in force, and every number says where it comes from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alerts.knowledge import Knowledge
from alerts.rulebook import documents, rulebook_store
from fleet import db
from fleet.entities import Company, Vehicle
from fleet.kinds import VehicleKind
from fleet.registry import register
from kerbsafe.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

DEFAULT = documents.DEFAULT_PATH.read_text("utf-8")
SECOND = (
    DEFAULT.replace("default-1", "second")
    + """
[mode]
dwell = "shadow"
[city.jiashan]
companies = ["acme"]
speeding.tolerance_kmh = 3
[kind.mixer]
speeding = {hold_s = 7, hours = [{when = "daily 22:00-06:00", limit_kmh = 50}]}
"""
)
SOON = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


@pytest.fixture
async def fleet(database: str) -> str:
    """Two mixers of one company, one with a limit of its own."""
    connection = await db.connect(database, application="test")
    await register(
        connection,
        Company(code="acme"),
        [
            Vehicle(code="M-1", company="acme", kind=VehicleKind.MIXER),
            Vehicle(code="M-2", company="acme", kind=VehicleKind.MIXER, limit_kmh=60),
        ],
    )
    await connection.close()
    return database


@pytest.fixture
def run(
    fleet: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run `kerbsafe rules ACTION`; `content` is what its file holds."""
    monkeypatch.setenv("KERBSAFE_DSN", fleet)

    def run(action: str, *words: str, content: str | None = None) -> tuple[int, str, str]:
        if content is not None:
            (tmp_path / "rules.toml").write_text(content, "utf-8")
            words = (str(tmp_path / "rules.toml"), *words)
        code = main(["rules", action, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def numbers(run: Run, *words: str) -> dict[str, dict[str, object]]:
    code, out, err = run("explain", "--json", *words)
    assert (code, err) == (0, "")
    return dict(json.loads(out)["numbers"])


def test_versions_follow_each_other(run: Run) -> None:
    code, _, err = run("list")
    assert code == 2
    assert "no version is recorded yet" in err
    assert run("import", content=DEFAULT) == (0, "version default-1 is in force: it is the first\n", "")
    told = f"version second is in force from {SOON.isoformat()} on\n"
    assert run("import", "--from", SOON.isoformat(), content=SECOND) == (0, told, "")
    code, out, _ = run("list")
    overrides = "overrides: city.jiashan, kind.mixer"
    assert out.splitlines() == [
        "* default-1  since ever                 shadow: harsh_braking",
        f"  second     {SOON.isoformat():25}  {overrides}  shadow: harsh_braking, dwell",
    ]
    assert [row["in_force"] for row in json.loads(run("list", "--json")[1])["versions"]] == [True, False]
    assert run("show") == (0, DEFAULT, "")
    assert run("show", "second") == (0, SECOND, "")


@pytest.mark.parametrize(
    ("content", "since", "says"),
    [
        (DEFAULT, SOON, "version 'default-1' is recorded already"),
        (DEFAULT.replace("default-1", "b"), datetime.now(UTC), "a version begins at least 60 s ahead"),
        (
            DEFAULT.replace("default-1", "b").replace("hold_s = 10", "hold_s = -1"),
            SOON,
            "`speeding.hold_s` is -1",
        ),
        (DEFAULT.replace("default-1", "third"), SOON, "another version begins at that moment"),
    ],
)
def test_what_cannot_be_put_in_force_is_refused(run: Run, content: str, since: datetime, says: str) -> None:
    assert run("import", content=DEFAULT)[0] == 0
    assert run("import", "--from", SOON.isoformat(), content=SECOND)[0] == 0
    code, out, err = run("import", "--from", since.isoformat(), content=content)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_each_number_says_where_it_comes_from(run: Run) -> None:
    run("import", content=DEFAULT)
    run("import", "--from", SOON.isoformat(), content=SECOND)
    now = numbers(run, "--vehicle", "M-1")
    assert now["speeding.hold_s"] == {"value": 10, "from": "default"}
    then = numbers(run, "--vehicle", "M-1", "--at", SOON.isoformat())
    assert then["speeding.hold_s"] == {"value": 7, "from": "kind.mixer"}
    assert then["speeding.tolerance_kmh"] == {"value": 3, "from": "city.jiashan"}
    assert then["speeding.hours"]["value"] == [{"when": "daily 22:00-06:00", "limit_kmh": 50}]
    assert then["mode.dwell"] == {"value": "shadow", "from": "default"}
    assert then["speeding.class_limit_kmh.mixer"] == {"value": 80, "from": "default"}
    own = numbers(run, "--vehicle", "M-2", "--at", SOON.isoformat())
    assert own["speeding.class_limit_kmh.mixer"] == {"value": 60, "from": "registry"}


def test_people_read_the_order_and_columns(run: Run) -> None:
    run("import", content=SECOND)
    code, out, _ = run("explain", "--vehicle", "M-2")
    assert code == 0
    lines = out.splitlines()
    assert "order      default < city < company < kind (the later rules)" in lines
    assert "layers     default < city.jiashan < kind.mixer" in lines
    assert "city       jiashan" in lines
    assert [line.split() for line in lines if line.startswith("speeding.tolerance_kmh")] == [
        ["speeding.tolerance_kmh", "3", "city.jiashan"]
    ]
    code, _, err = run("explain", "--vehicle", "nobody")
    assert (code, err) == (
        2,
        "kerbsafe: no vehicle 'nobody' in the registry: see `kerbsafe registry list`, or import it\n",
    )


async def test_a_running_process_reads_a_new_version_by_itself(fleet: str) -> None:
    """And a company that the rulebook names, once it is registered."""
    connection = await db.connect(fleet, application="test")
    knowledge = await Knowledge.read(connection)
    assert [book.version for book in knowledge.context.rulebooks.versions] == ["default-1"]
    now_us = knowledge.now_us()
    from_us = now_us + rulebook_store.NOTICE_US
    text = SECOND.replace('["acme"]', '["later"]')
    await rulebook_store.put_in_force(connection, text, from_us, now_us)
    await knowledge.refresh(connection)
    books = knowledge.context.rulebooks
    assert [book.version for book in books.versions] == ["default-1", "second"]
    await register(connection, Company(code="later"), [])
    company_id = await connection.fetchval("select company_id from company where code = 'later'")
    at, who, pump = np.array([from_us]), np.array([company_id]), np.array([5])
    assert books.numbers("speeding", books.at(at, who, pump))["tolerance_kmh"] == 5
    await knowledge.refresh(connection)
    books = knowledge.context.rulebooks
    assert books.numbers("speeding", books.at(at, who, pump))["tolerance_kmh"] == 3
    await connection.close()

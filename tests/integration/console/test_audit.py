"""Who did what stands on record for good: logins, refusals, and every change of who may do what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import asyncpg
import pytest
import structlog

from alerts.rulebook import documents
from alerts.rulebook.documents import DEFAULT_PATH
from console import accounts
from console.models.session import AuditAct
from fleet.audit import Act, ActorKind, Entry, at_the_shell, purge, record
from fleet.audit import Actor as Who
from fleet.environment import read_settings
from kerbsafe.cli import main
from tests.integration.console.test_door import CHOSEN, choose, log_in, ours

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.console.conftest import Client, Store

NOW_US = 2_000_000_000_000_000


def told(rows: Any) -> list[tuple[str, str, str, str]]:
    """Act, kind of actor, actor and subject of entries, earliest first."""
    return [(row["act"], row["actor_kind"], row["actor"], row["subject"]) for row in reversed(rows)]


async def entries(store: Store) -> list[tuple[str, str, str, str]]:
    return told(await store.connection.fetch("select * from audit order by audit_id desc"))


async def test_what_happens_at_the_door_is_on_record(closed: Client, store: Store) -> None:
    (printed,) = closed.printed
    with structlog.testing.capture_logs() as lines:
        assert (await log_in(closed, "wrong-password"))[0] == 401
        assert (await log_in(closed, "wrong-password", name="hunter2-typed-in-the-wrong-field"))[0] == 401
        assert (await log_in(closed, printed))[0] == 200
    assert lines == [
        {
            "event": "audit",
            "log_level": "info",
            "act": act,
            "actor_kind": kind,
            "actor": actor,
            "subject": subject,
        }
        for act, kind, actor, subject in (
            ("login_refused", "nobody", "", "admin"),
            ("login_refused", "nobody", "", ""),
            ("logged_in", "person", "admin", ""),
        )
    ]
    assert await choose(closed, printed, CHOSEN) == 204
    page = await closed.get("/audit")
    async with closed.call("DELETE", "/api/v1/session", headers=ours(closed)) as response:
        assert response.status == 204
    wanted = [
        ("user_admitted", "system", "console", "admin"),
        ("login_refused", "nobody", "", "admin"),
        ("login_refused", "nobody", "", ""),  # nobody has this name: it may be a password
        ("logged_in", "person", "admin", ""),
        ("password_changed", "person", "admin", ""),
    ]
    assert told(page["items"]) == wanted
    assert await entries(store) == [*wanted, ("logged_out", "person", "admin", "")]
    assert [row["address"] for row in page["items"]] == ["127.0.0.1"] * 4 + [None]
    everything = json.dumps(page)
    for secret in (printed, CHOSEN, "wrong-password", "hunter2"):
        assert secret not in everything


async def test_it_is_for_administrators_and_a_refusal_is_on_record(closed: Client, store: Store) -> None:
    token = await accounts.add_token(store.connection, "board", NOW_US, None, "act")
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await closed.problem("GET", "/audit", headers=bearer))[:2] == (403, "refused")
    assert (await closed.problem("GET", "/audit"))[:2] == (401, "login-required")
    assert (await entries(store))[1:] == [("access_refused", "program", "board", "listAudit")]


async def test_it_comes_in_pages_newest_first(closed: Client, store: Store) -> None:
    (printed,) = closed.printed
    await log_in(closed, printed)
    await choose(closed, printed, CHOSEN)
    for number in range(5):
        entry = Entry(Act.TOKEN_ADDED, Who(ActorKind.COMMAND, "root"), f"board-{number}")
        await record(store.connection, entry)
    first = await closed.get("/audit?act=token_added&limit=3")
    rest = await closed.get(f"/audit?act=token_added&limit=3&after={first['next']}")
    assert [one["subject"] for one in (*first["items"], *rest["items"])] == [
        f"board-{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "statement",
    ["update audit set actor = 'li'", "delete from audit", "truncate audit", "truncate audit cascade"],
)
async def test_nobody_changes_it_not_even_its_owner(store: Store, statement: str) -> None:
    await record(store.connection, Entry(Act.TOKEN_ADDED, Who(ActorKind.COMMAND, "root"), "board"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await store.connection.execute(statement)
    assert len(await entries(store)) == 1


def test_commands_are_on_record_with_who_ran_them(
    plain_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", plain_database)
    monkeypatch.setenv("SUDO_USER", "zhang")
    (tmp_path / "fleet.csv").write_text("code,name\nyi,一建\n", "utf-8")
    done = [
        (("console", "user", "add", "li.na", "--role", "viewer"), "user_admitted", "li.na", "viewer"),
        (("console", "user", "disable", "li.na"), "user_disabled", "li.na", ""),
        (
            ("console", "token", "add", "board", "--days", "30"),
            "token_added",
            "board",
            "scope read, for 30 days",
        ),
        (("console", "token", "revoke", "board"), "token_revoked", "board", ""),
        (("device", "service-account", "ingest"), "service_admitted", "kerbsafe.ingest", "role ingest"),
        (("device", "revoke", "kerbsafe.ingest"), "login_revoked", "kerbsafe.ingest", ""),
        (
            ("rules", "import", str(DEFAULT_PATH)),
            "rulebook_recorded",
            documents.parse(DEFAULT_PATH.read_text("utf-8")).version,
            "in force: it is the first",
        ),
        (
            ("registry", "import", str(tmp_path / "fleet.csv"), "--as", "companies"),
            "registry_imported",
            "fleet.csv",
            "companies: 1 create",
        ),
    ]
    for arguments, *_ in done:
        assert main([*arguments]) == 0, capsys.readouterr()
    printed = capsys.readouterr().out
    assert main(["audit", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["entries"]
    found = [
        (row["actor_kind"], row["actor"], row["act"], row["subject"], row["detail"]) for row in rows[::-1]
    ]
    assert found == [("command", "zhang", *what) for _, *what in done]
    assert {row["written_by"] for row in rows} != {""}
    for line in printed.splitlines():  # the passwords and tokens that were printed
        if len(line.strip()) > 30 and " " not in line.strip():
            assert line.strip() not in json.dumps(rows)
    assert main(["audit", "list", "--act", "token_added", "--limit", "1"]) == 0
    assert "token_added  command zhang  board, scope read" in capsys.readouterr().out


def test_what_is_refused_is_not_on_record(
    plain_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", plain_database)
    assert main(["console", "token", "revoke", "nothing"]) == 2
    assert main(["device", "revoke", "nothing"]) == 2
    assert main(["audit", "list"]) == 0
    assert capsys.readouterr().out == "nothing is on record\n"


def test_the_command_and_the_api_know_every_act() -> None:
    assert set(get_args(AuditAct)) == set(Act)


@pytest.mark.parametrize(
    ("environment", "actor"), [({"SUDO_USER": "zhang"}, "zhang"), ({"SUDO_USER": ""}, None)]
)
def test_who_is_at_the_shell(environment: dict[str, str], actor: str | None) -> None:
    found = at_the_shell(environment)
    assert found.kind is ActorKind.COMMAND
    assert found.name == actor if actor else found.name


async def test_what_is_too_old_is_forgotten_and_that_is_on_record(store: Store) -> None:
    """Three years by default; nobody, the owner neither, can shorten it to less than half a year."""
    await store.connection.execute(
        """
        insert into audit (at, act, actor_kind, actor) values
            ('2021-05-01 08:00:00Z', 'logged_in', 'person', 'li.na'),
            ('2021-05-02 09:30:00Z', 'logged_out', 'person', 'li.na'),
            (now() - interval '184 days', 'logged_in', 'person', 'zhang'),
            (now() - interval '182 days', 'logged_out', 'person', 'zhang')
        """
    )
    assert await purge(store.connection, read_settings({}).audit_days) == 2
    assert await purge(store.connection, read_settings({}).audit_days) == 0
    newest = await store.connection.fetchrow("select * from audit order by audit_id desc limit 1")
    assert (newest["act"], newest["actor_kind"]) == ("audit_purged", "system")
    assert newest["detail"] == "2 entries from 2021-05-01 08:00:00 to 2021-05-02 09:30:00 UTC"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="kept for 183 days at least"):
        await purge(store.connection, 182)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="the last 183 days stays on record"):
        await store.connection.execute("delete from audit")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await store.connection.execute("update audit set actor = ''")
    assert await purge(store.connection, 183) == 1
    assert [row[0] for row in await entries(store)] == ["logged_out", "audit_purged", "audit_purged"]

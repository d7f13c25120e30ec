"""Who gets in, and who does not."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from console import accounts
from console.api import session
from console.process import ConsoleError, Options, opened
from fleet.setting_values import Proxies
from fleet.settings import Settings
from kerbsafe.cli import main
from kerbsafe.parts import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.console.conftest import Client, Store

CHOSEN = "concrete-mixer-右转必停"
NOW_US = 2_000_000_000_000_000


def ours(client: Client) -> dict[str, str]:
    """The header that a browser adds on our own page."""
    return {"Origin": client.address}


async def log_in(client: Client, password: str, name: str = "admin") -> Any:
    async with client.call(
        "POST", "/api/v1/session", json={"name": name, "password": password}, headers=ours(client)
    ) as response:
        return (
            response.status,
            await response.json(content_type=None),
            response.headers.getall("Set-Cookie", []),
        )


def cookie_of(client: Client) -> str:
    return client.session.cookie_jar.filter_cookies(URL(client.address))["kerbsafe"].value


async def choose(client: Client, current: str, new: str) -> int:
    change = {"current": current, "new": new}
    async with client.call("PUT", "/api/v1/session/password", json=change, headers=ours(client)) as response:
        return int(response.status)


# ---------------------------------------------------------------- the first start


async def test_the_printed_password_serves_to_choose_another(closed: Client) -> None:
    """Nothing is seen with it but the question for a new one, and afterwards it is worth nothing."""
    (printed,) = closed.printed
    assert len(printed) == 39
    status, session, cookies = await log_in(closed, printed)
    assert (status, session["must_change_password"]) == (200, True)
    cookie, _known = cookies
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert (await closed.problem("GET", "/alerts"))[:2] == (403, "new-password-required")
    assert (await closed.problem("GET", "/live"))[1] == "new-password-required"
    session = await closed.get("/session")
    assert (session["name"], session["role"]) == ("admin", "administrator")
    assert await choose(closed, printed, CHOSEN) == 204
    assert (await closed.get("/alerts"))["items"] == []
    assert (await log_in(closed, printed))[0] == 401
    assert (await log_in(closed, CHOSEN))[0] == 200


async def test_it_is_printed_at_the_first_start_only(store: Store, serve: Any) -> None:
    async with serve(store.dsn, demo=False) as first:
        assert len(first.printed) == 1
    async with serve(store.dsn, demo=False) as second:
        assert second.printed == []


async def test_only_hashes_are_stored(closed: Client, store: Store) -> None:
    (printed,) = closed.printed
    await log_in(closed, printed)
    token = await accounts.add_token(store.connection, "board", NOW_US, None)
    cookie = cookie_of(closed)
    for table in ("console_user", "console_session", "api_token"):
        rows = await store.connection.fetch(f"select {table}::text from {table}")
        assert rows
        for secret in (printed, token, cookie):
            assert secret not in str(rows)


async def test_a_password_from_a_file_is_the_administrators(store: Store, serve: Any, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{CHOSEN}\nnot this line\n")
    async with serve(store.dsn, demo=False, console_admin_password_file=tmp_path / "password") as client:
        assert client.printed == []
        status, session, _cookies = await log_in(client, CHOSEN)
        assert (status, session["must_change_password"]) == (200, False)


async def test_a_weak_password_in_the_file_is_refused_and_not_shown(
    store: Store, serve: Any, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hunter2")
    with pytest.raises(accounts.AccountError, match="10 to 200 characters") as error:
        async with serve(store.dsn, demo=False, console_admin_password_file=tmp_path / "password"):
            pass
    assert "hunter2" not in str(error.value)


# ---------------------------------------------------------------- sessions


@pytest.fixture
async def inside(closed: Client) -> Client:
    """A browser that is logged in with a password of its own."""
    (printed,) = closed.printed
    await log_in(closed, printed)
    await choose(closed, printed, CHOSEN)
    return closed


async def test_without_a_login_nothing_is_answered(closed: Client) -> None:
    for path in (
        "/alerts",
        "/vehicles",
        "/vehicles/mx00001/track",
        "/fences",
        "/streets",
        "/about",
        "/session",
        "/live",
    ):
        assert (await closed.problem("GET", path))[:2] == (401, "login-required")
    async with closed.call("GET", "/api/v1/alerts") as response:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    async with closed.call("GET", "/api/v1/openapi.json") as response:
        assert response.status == 200


async def test_a_tampered_cookie_is_nobodys(inside: Client) -> None:
    token = cookie_of(inside)
    inside.session.cookie_jar.clear()
    for cookie in (token[:-1], token + "A", token.swapcase(), "A" * 5000, "' or 1=1 --", "ü"):
        assert (await inside.problem("GET", "/alerts", headers={"Cookie": f"kerbsafe={cookie}"}))[0] == 401


async def test_logging_out_ends_the_session_for_good(inside: Client) -> None:
    token = cookie_of(inside)
    async with inside.call("DELETE", "/api/v1/session", headers=ours(inside)) as response:
        assert response.status == 204
    assert (await inside.problem("GET", "/alerts", headers={"Cookie": f"kerbsafe={token}"}))[0] == 401


async def test_another_sites_page_changes_nothing_with_our_cookie(inside: Client) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        assert (await inside.problem("DELETE", "/session", headers=headers))[:2] == (403, "refused")
    change = {"current": CHOSEN, "new": "of-the-attacker"}
    assert (
        await inside.problem(
            "PUT", "/session/password", json=change, headers={"Origin": "https://evil.example"}
        )
    )[0] == 403
    assert (await inside.get("/session"))["name"] == "admin"


async def test_a_new_password_ends_the_other_sessions(inside: Client, store: Store) -> None:
    old = cookie_of(inside)
    await log_in(inside, CHOSEN)
    assert await choose(inside, CHOSEN, CHOSEN + "!") == 204
    assert (await inside.get("/session"))["name"] == "admin"
    inside.session.cookie_jar.clear()
    assert (await inside.problem("GET", "/session", headers={"Cookie": f"kerbsafe={old}"}))[0] == 401
    assert await store.connection.fetchval("select count(*) from console_session") == 1


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [
        (CHOSEN, "short", 400),
        (CHOSEN, "admin-admin-1", 400),
        (CHOSEN, CHOSEN, 400),
        (CHOSEN, "password123", 400),
        (CHOSEN, "aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt", 400),
        ("wrong-password", CHOSEN + "!", 401),
    ],
)
async def test_passwords_that_cannot_be_chosen(inside: Client, current: str, new: str, status: int) -> None:
    assert await choose(inside, current, new) == status


@pytest.mark.parametrize(("column", "ago"), [("seen_at", accounts.IDLE), ("expires_at", timedelta(0))])
async def test_a_session_ends_by_itself(inside: Client, store: Store, column: str, ago: timedelta) -> None:
    """After a shift without use, and in any case after a week."""
    await store.connection.execute(
        f"update console_session set {column} = $1", datetime.now(UTC) - ago - timedelta(seconds=1)
    )
    assert (await inside.problem("GET", "/alerts"))[0] == 401


async def test_a_user_who_is_disabled_is_out_at_once(inside: Client, store: Store) -> None:
    await store.connection.execute("update console_user set disabled_at = now()")
    assert (await inside.problem("GET", "/alerts"))[0] == 401
    assert (await log_in(inside, CHOSEN))[0] == 401


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the waits: the first is a second, which a busy machine may need for two guesses."""
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: 1000.0))


@pytest.mark.usefixtures("still")
async def test_who_guesses_must_wait(closed: Client) -> None:
    """Right or wrong, known or unknown name: after some mistakes the answer is to wait."""
    statuses = [(await log_in(closed, f"wrong-{n}"))[0] for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    async with closed.call(
        "POST",
        "/api/v1/session",
        json={"name": "ADMIN ", "password": closed.printed[0]},
        headers=ours(closed),
    ) as response:
        assert response.status == 429
        assert int(response.headers["Retry-After"]) >= 1
    assert (await log_in(closed, "wrong", name="somebody"))[0] == 401


@pytest.mark.usefixtures("still")
async def test_many_guesses_at_once_are_no_way_around(closed: Client) -> None:
    """They wait in a queue; those that come after the fifth mistake are not even looked at."""
    answers = await asyncio.gather(*(log_in(closed, f"wrong-{n}") for n in range(40)))
    statuses = [status for status, *_ in answers]
    assert statuses.count(401) <= 6  # the last two are looked at side by side
    assert set(statuses) == {401, 429}


PROXIES = Proxies((ip_network("127.0.0.1"),))


async def guess(client: Client, password: str, address: str, name: str = "admin", **headers: str) -> int:
    """Log in through a proxy that says whom it forwards for; return the status."""
    sent = {**ours(client), "X-Forwarded-For": address, **headers}
    login = {"name": name, "password": password}
    async with client.call("POST", "/api/v1/session", json=login, headers=sent) as response:
        return int(response.status)


@pytest.mark.usefixtures("still")
async def test_who_guesses_at_one_name_from_many_addresses_must_wait(store: Store, serve: Any) -> None:
    """120 guesses from 30 addresses: ten are looked at, the others have to wait."""
    async with serve(store.dsn, demo=False, console_proxies=PROXIES) as client:
        statuses = [
            await guess(client, f"wrong-{n}", f"203.0.113.{address}")
            for n in range(4)
            for address in range(30)
        ]
        assert (statuses.count(401), statuses.count(429)) == (10, 110)
        # Nobody else is kept out.
        assert await guess(client, "wrong", "203.0.113.99", name="somebody") == 401
    rows = await store.connection.fetch("select act, host(address) as address from audit order by audit_id")
    assert [row["address"] for row in rows if row["act"] == "login_refused"][:2] == [
        "203.0.113.0",
        "203.0.113.1",
    ]
    assert [row["act"] for row in rows].count("login_delayed") == 1


@pytest.mark.usefixtures("still")
async def test_a_known_browser_gets_in_while_strangers_guess(store: Store, serve: Any) -> None:
    """Also where all have one address, as behind a proxy that is not trusted: 28 guesses keep nobody out."""
    async with serve(store.dsn, demo=False) as client:
        (printed,) = client.printed
        _, _, cookies = await log_in(client, printed)
        assert await choose(client, printed, CHOSEN) == 204
        (known,) = [cookie.partition(";")[0] for cookie in cookies if cookie.startswith("kerbsafe-browser=")]
        assert "Max-Age=15552000" in next(cookie for cookie in cookies if cookie.startswith(known))
        client.session.cookie_jar.clear()
        assert {await guess(client, f"wrong-{n}", "203.0.113.1") for n in range(28)} == {401, 429}
        client.session.cookie_jar.clear()
        assert await guess(client, CHOSEN, "203.0.113.1") == 429
        for _ in range(30):
            assert await guess(client, CHOSEN, "203.0.113.1", Cookie=known) == 200
        # It lets nobody in, is no session, is nobody else's, and guesses no more than others.
        client.session.cookie_jar.clear()
        assert (await client.problem("GET", "/alerts", headers={"Cookie": known}))[0] == 401
        assert await guess(client, CHOSEN, "203.0.113.1", name="admi", Cookie=known) == 401
        tried = [await guess(client, "wrong", "203.0.113.1", Cookie=known) for _ in range(8)]
        assert tried == [401] * 5 + [429] * 3
    secret = known.partition("=")[2]
    rows = await store.connection.fetch("select console_browser::text from console_browser")
    assert len(rows) == 1
    assert secret not in str(rows)


async def test_a_new_one_time_password_forgets_the_browsers(store: Store, serve: Any) -> None:
    async with serve(store.dsn, demo=False) as client:
        await log_in(client, client.printed[0])
        assert await store.connection.fetchval("select count(*) from console_browser") == 1
        await accounts.issue_password(store.connection)
        assert await store.connection.fetchval("select count(*) from console_browser") == 0


async def test_who_comes_over_tls_gets_a_cookie_for_tls_alone(store: Store, serve: Any) -> None:
    """And the browser is told to come over TLS only."""
    origin = "https://desk.example.cn"
    port = free_port()
    async with serve(store.dsn, demo=False, port=port, console_origin=origin) as client:
        assert client.console.address == f"{origin}/"
        login = {"name": "admin", "password": client.printed[0]}
        headers = {"Origin": origin, "Host": "desk.example.cn", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{port}/api/v1/session"
        async with client.session.post(url, data=json.dumps(login), headers=headers) as response:
            assert response.status == 200
            cookie, known = response.headers.getall("Set-Cookie")
            assert response.headers["Strict-Transport-Security"].startswith("max-age=")
    assert cookie.startswith("__Host-kerbsafe=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    assert known.startswith("__Host-kerbsafe-browser=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(known.split("; "))
    assert "Domain" not in cookie + known


async def test_sql_and_script_as_names_and_passwords(closed: Client) -> None:
    for text in ("' or '1'='1", "admin'--", "<script>alert(1)</script>", "a\u0000b", "\u202e\U0001f69a"):
        assert (await log_in(closed, text, name=text))[0] in {400, 401}


# ---------------------------------------------------------------- tokens


async def test_a_program_reads_with_a_token_until_it_ends(closed: Client, store: Store) -> None:
    now_us = round(datetime.now(UTC).timestamp() * 1e6)
    token = await accounts.add_token(store.connection, "board", now_us, 30)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await closed.get("/session", headers=bearer)) == {
        "name": "board",
        "means": "token",
        "must_change_password": False,
        "role": None,
        "may_act": False,
    }
    assert (await closed.get("/alerts", headers=bearer))["items"] == []
    for tampered in (
        token[:-1],
        token + "x",
        token.upper(),
        token.removeprefix("ks_"),
        "",
        "ks_",
        "ks_" + "x" * 500,
    ):
        assert (await closed.problem("GET", "/alerts", headers={"Authorization": f"Bearer {tampered}"}))[
            0
        ] == 401
    assert (await closed.problem("GET", "/alerts", headers={"Authorization": f"Basic {token}"}))[0] == 401
    await store.connection.execute("update api_token set expires_at = now()")
    assert (await closed.problem("GET", "/alerts", headers=bearer))[0] == 401
    await store.connection.execute("update api_token set expires_at = null")
    assert (await closed.get("/alerts", headers=bearer))["items"] == []
    await accounts.revoke_token(store.connection, "board", now_us)
    assert (await closed.problem("GET", "/alerts", headers=bearer))[0] == 401


async def test_a_token_has_no_password_to_change(closed: Client, store: Store) -> None:
    token = await accounts.add_token(store.connection, "board", NOW_US, None)
    change = {"current": "whatever-it-is", "new": CHOSEN}
    status, kind, _detail = await closed.problem(
        "PUT", "/session/password", json=change, headers={"Authorization": f"Bearer {token}"}
    )
    assert (status, kind) == (403, "refused")


async def test_names_of_tokens(store: Store) -> None:
    await accounts.add_token(store.connection, "board", NOW_US, None)
    for name in ("board", "", "a b", "x" * 65, "'; --", "/"):
        with pytest.raises(accounts.AccountError, match=r"already|cannot name"):
            await accounts.add_token(store.connection, name, NOW_US, None)
    with pytest.raises(accounts.AccountError, match="no token 'none'"):
        await accounts.revoke_token(store.connection, "none", NOW_US)


# ---------------------------------------------------------------- where it listens


async def test_it_does_not_listen_to_a_network_without_a_door(store: Store) -> None:
    async def refused(demo: bool, **settings: Any) -> str:
        chosen = Settings(dsn=store.dsn, **settings)
        with pytest.raises(ConsoleError) as error:
            async with opened(chosen, Options(host="0.0.0.0", port=0, demo=demo), printed=pytest.fail):
                pass
        return str(error.value)

    assert "loopback only" in await refused(demo=True, console_origin="https://desk.example.cn")
    said = await refused(demo=False)
    assert "nobody can log in" in said
    assert "KERBSAFE_CONSOLE_ORIGIN" in said
    await accounts.issue_password(store.connection)
    said = await refused(demo=False)
    assert "nobody can log in" not in said
    assert "KERBSAFE_CONSOLE_ORIGIN" in said


async def test_names_of_others_are_not_served(client: Client) -> None:
    """A page that rebinds its own name to 127.0.0.1 reads nothing, not even of the demo."""
    for path in ("/alerts", "/about"):
        assert (await client.problem("GET", path, headers={"Host": "evil.example"}))[:2] == (
            421,
            "misdirected",
        )
    async with client.call("GET", "/", headers={"Host": "evil.example"}) as response:
        assert response.status == 421


# ---------------------------------------------------------------- the command


def command(*arguments: str, dsn: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kerbsafe", "console", *arguments],
        env=os.environ | {"KERBSAFE_DSN": dsn, "KERBSAFE_HTTP_PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_the_command_prints_the_password_and_the_address(store: Store) -> None:
    process = command("--port", "0", dsn=store.dsn)
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith("http://127.0.0.1:"):
        lines.append(await asyncio.to_thread(process.stdout.readline))
        assert lines[-1], process.communicate()
    process.terminate()
    _out, err = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    password = next(line.strip() for line in lines if line.startswith("    "))
    assert len(password) == 39
    assert password not in err
    assert await accounts.check_password(store.connection, "admin", password) is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0", "--port", "0"), "nobody can log in: run `kerbsafe console admin`"),
        (("--host", "0.0.0.0", "--port", "0", "--demo"), "listens on loopback only"),
    ],
)
def test_the_command_refuses_with_one_line(
    plain_database: str, arguments: tuple[str, ...], said: str
) -> None:
    process = command(*arguments, dsn=plain_database)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 2
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--streets", "/no/such/file"), "there is no file /no/such/file"),
        (("token", "revoke", "nothing"), "there is no token 'nothing'"),
        (("token", "add", "a b"), "'a b' cannot name a token"),
    ],
)
def test_what_the_command_cannot_do(
    plain_database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", plain_database)
    assert main(["console", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_tokens_by_command(
    plain_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_DSN", plain_database)

    def done(*arguments: str) -> str:
        assert main(["console", *arguments]) == 0
        return capsys.readouterr().out

    token = done("token", "add", "board", "--days", "30").strip()
    assert token.startswith("ks_")
    assert token not in done("token", "list", "--json")
    assert done("token", "list").startswith("board")
    assert "in use, until" in done("token", "list")
    done("token", "revoke", "board")
    assert "revoked" in done("token", "list")
    assert "one-time password" in done("admin")

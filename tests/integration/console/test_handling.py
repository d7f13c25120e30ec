"""Acknowledge, resolve, reopen, comment over the API: who may, what is answered, what is on record."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from console import accounts
from console.accounts import AccountError
from fleet.units import to_us

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

NOW_US = to_us(datetime.now(UTC))


async def bearer(store: Store, name: str = "board", scope: str = "act") -> dict[str, str]:
    token = await accounts.add_token(store.connection, name, NOW_US, None, scope)
    return {"Authorization": f"Bearer {token}"}


async def logged_in(store: Store, name: str, role: str) -> dict[str, str]:
    """The cookie of somebody who has chosen a password."""
    await accounts.issue_password(store.connection, name, role)
    await store.connection.execute("update console_user set one_time = false")
    row = await store.connection.fetchrow("select user_id from console_user where name = $1", name)
    user = accounts.User(row["user_id"], name, role, must_change=False)
    session = await accounts.open_session(store.connection, user, to_us(datetime.now(UTC)))
    return {"Cookie": f"kerbsafe={session}"}


async def post(client: Client, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    headers = {"Origin": client.address, **(headers or {})}
    async with client.call("POST", f"/api/v1{path}", json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_an_alerts_life(client: Client, store: Store) -> None:
    alert = f"/alerts/{await store.alert()}"
    assert (await client.get(f"{alert}/actions")) == {"items": [], "next": None}
    said: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("acknowledge", {}, {"state": "acknowledged", "actions": 1}),
        ("comment", {"reason": " 已电话联系驾驶员 "}, {"state": "acknowledged", "actions": 2}),
        (
            "resolve",
            {"disposition": "device_fault", "reason": "GPS 漂移"},
            {"state": "resolved", "disposition": "device_fault", "actions": 3},
        ),
        ("reopen", {"reason": "not the GPS"}, {"state": "open", "disposition": None, "actions": 4}),
    ]
    for version, (action, body, wanted) in enumerate(said):
        status, answer = await post(client, f"{alert}/{action}", {"version": version, **body})
        assert (status, {name: answer[name] for name in wanted}) == (200, wanted)
    history = (await client.get(f"{alert}/actions"))["items"]
    assert [(one["version"], one["actor"], one["action"], one["reason"]) for one in history] == [
        (1, "demo", "acknowledged", ""),
        (2, "demo", "commented", "已电话联系驾驶员"),
        (3, "demo", "resolved", "GPS 漂移"),
        (4, "demo", "reopened", "not the GPS"),
    ]
    first = await client.get(f"{alert}/actions?limit=3")
    assert (len(first["items"]), first["next"]) == (3, 3)
    rest = await client.get(f"{alert}/actions?after=3")
    assert ([one["version"] for one in rest["items"]], rest["next"]) == ([4], None)


async def test_who_was_slower_is_told_what_was_done(closed: Client, store: Store) -> None:
    alert = f"/alerts/{await store.alert()}"
    wang, li = await logged_in(store, "wang", "operator"), await logged_in(store, "li", "administrator")
    assert (await post(closed, f"{alert}/acknowledge", {"version": 0}, wang))[0] == 200
    resolution = {"version": 0, "disposition": "confirmed", "reason": "warned"}
    status, problem = await post(closed, f"{alert}/resolve", resolution, li)
    assert (status, problem["type"]) == (409, "urn:kerbsafe:problem:stale-version")
    assert (problem["alert"]["state"], problem["alert"]["actions"]) == ("acknowledged", 1)
    assert [(one["actor"], one["action"]) for one in problem["since"]] == [("wang", "acknowledged")]
    # A repeat of an answer that was lost is no conflict.
    for _ in range(3):
        status, answer = await post(closed, f"{alert}/acknowledge", {"version": 0}, wang)
        assert (status, answer["actions"]) == (200, 1)
    status, problem = await post(closed, f"{alert}/acknowledge", {"version": 1}, li)
    assert (status, problem["type"]) == (409, "urn:kerbsafe:problem:not-in-this-state")


@pytest.mark.parametrize("disposition", ["not_actionable", "false_positive", "device_fault"])
async def test_a_critical_one_takes_two_people(closed: Client, store: Store, disposition: str) -> None:
    alert = f"/alerts/{await store.alert(severity=4)}"
    wang, li = await logged_in(store, "wang", "operator"), await logged_in(store, "li", "operator")
    dismissal = {"disposition": disposition, "reason": "yard"}
    status, answer = await post(closed, f"{alert}/resolve", {"version": 0, **dismissal}, wang)
    assert (status, answer["state"], answer["proposed"]) == (200, "open", disposition)
    for who in (wang, await bearer(store)):
        status, problem = await post(closed, f"{alert}/resolve", {"version": 1, **dismissal}, who)
        assert (status, problem["type"]) == (409, "urn:kerbsafe:problem:second-person-needed")
    status, answer = await post(closed, f"{alert}/resolve", {"version": 1, **dismissal}, li)
    assert (status, answer["state"], answer["disposition"]) == (200, "resolved", disposition)


@pytest.mark.parametrize(("role", "may"), [("administrator", True), ("operator", True), ("viewer", False)])
async def test_people_who_may(closed: Client, store: Store, role: str, may: bool) -> None:
    alert = f"/alerts/{await store.alert()}"
    cookie = await logged_in(store, "wang", role)
    assert (await closed.get("/session", headers=cookie))["may_act"] is may
    for action in ("acknowledge", "comment"):
        body = {"version": 0, "reason": "x"}
        assert (await post(closed, f"{alert}/{action}", body, cookie))[0] == (200 if may else 403)
    assert len((await closed.get(f"{alert}/actions", headers=cookie))["items"]) == (2 if may else 0)


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("act", 200)])
async def test_programs_that_may(closed: Client, store: Store, scope: str, status: int) -> None:
    alert = f"/alerts/{await store.alert()}"
    headers = await bearer(store, scope=scope)
    async with closed.call(
        "POST", f"/api/v1{alert}/acknowledge", json={"version": 0}, headers=headers
    ) as response:
        assert response.status == status
    items = (await closed.get(f"{alert}/actions", headers=headers))["items"]
    assert [(one["actor_kind"], one["actor"]) for one in items] == [("program", "board")] * (status == 200)


async def test_who_is_not_let_in_or_sent_by_another_site(closed: Client, store: Store) -> None:
    alert = f"/alerts/{await store.alert()}"
    cookie = await logged_in(store, "wang", "operator")
    assert (await post(closed, f"{alert}/acknowledge", {"version": 0}))[0] == 401
    for origin in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        async with closed.call(
            "POST", f"/api/v1{alert}/acknowledge", json={"version": 0}, headers={**cookie, **origin}
        ) as response:
            assert response.status == 403
    assert await store.connection.fetchval("select count(*) from alert_action") == 0


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("acknowledge", {}),
        ("acknowledge", {"version": -1}),
        ("acknowledge", {"version": 2**31}),
        ("acknowledge", {"version": "0"}),
        ("acknowledge", {"version": 0, "extra": 1}),
        ("resolve", {"version": 0, "disposition": "confirmed"}),
        ("resolve", {"version": 0, "disposition": "confirmed", "reason": ""}),
        ("resolve", {"version": 0, "disposition": "confirmed", "reason": " \u3000 "}),
        ("resolve", {"version": 0, "disposition": "withdrawn", "reason": "x"}),
        ("resolve", {"version": 0, "reason": "x"}),
        ("comment", {"version": 0, "reason": "x" * 2001}),
        ("comment", {"version": 0, "reason": "a\x00b"}),
        ("comment", {"version": 0, "reason": "a\nb"}),
        ("comment", {"version": 0, "reason": "a\x85b"}),
        ("comment", {"version": 0, "reason": "a\u202eb"}),
        ("comment", {"version": 0, "reason": "a\u200fb"}),
        ("comment", {"version": 0, "reason": "a\u2028b"}),
        ("resolve", {"version": 0, "disposition": "confirmed", "reason": "\u200b"}),
        ("resolve", {"version": 0, "disposition": "confirmed", "reason": "\u3164\u2060"}),
        ("comment", {"version": 0, "reason": 7}),
        ("comment", [0, "x"]),
        ("reopen", {"version": 0}),
    ],
)
async def test_what_cannot_be_understood(client: Client, store: Store, action: str, body: Any) -> None:
    alert = f"/alerts/{await store.alert()}"
    status, problem = await post(client, f"{alert}/{action}", body)
    assert (status, problem["type"]) == (400, "urn:kerbsafe:problem:bad-request")
    assert await store.connection.fetchval("select count(*) from alert_action") == 0


async def test_the_longest_reason_that_is_allowed(client: Client, store: Store) -> None:
    alert = f"/alerts/{await store.alert()}"
    reason = "\U0001f69a" * 2000
    assert (await post(client, f"{alert}/comment", {"version": 0, "reason": reason}))[0] == 200
    assert (await client.get(f"{alert}/actions"))["items"][0]["reason"] == reason


async def test_no_such_alert(client: Client) -> None:
    alert = "/alerts/00000000-0000-0000-0000-000000000000"
    assert (await post(client, f"{alert}/acknowledge", {"version": 0}))[0] == 404
    assert (await client.problem("GET", f"{alert}/actions"))[0] == 404


async def test_others_see_it_within_half_a_second(client: Client, store: Store) -> None:
    alert_id = await store.alert()
    async with client.live("?positions=false") as live:
        await live.receive_json()  # it listens
        waits_s = []
        for version, (action, change) in enumerate(
            [("acknowledge", "acknowledged"), ("comment", "commented"), ("comment", "commented")]
        ):
            started_s = time.perf_counter()
            body = {"version": version, "reason": "seen"}
            assert (await post(client, f"/alerts/{alert_id}/{action}", body))[0] == 200
            while True:
                message = await live.receive(timeout=30)
                if message.type is aiohttp.WSMsgType.TEXT and message.json()["type"] == "alerts":
                    break
            waits_s.append(time.perf_counter() - started_s)
            (entry,) = message.json()["entries"]
            assert (entry["change"], entry["alert"]["state"]) == (change, "acknowledged")
    # Without a notification each but the first would wait a second, however quick the machine.
    assert min(waits_s[1:]) < 0.5


async def test_the_settler_in_the_way_is_waited_for_and_then_said(client: Client, store: Store) -> None:
    alert_id = await store.alert()

    held = asyncio.Event()

    async def hold(seconds: float) -> None:
        async with store.connection.transaction():
            await store.connection.execute("update alert set late = late")
            held.set()
            await asyncio.sleep(seconds)

    holding = asyncio.create_task(hold(0.8))
    await held.wait()
    assert (await post(client, f"/alerts/{alert_id}/acknowledge", {"version": 0}))[0] == 200
    await holding
    held.clear()
    holding = asyncio.create_task(hold(60))
    await held.wait()
    status, problem = await post(client, f"/alerts/{alert_id}/comment", {"version": 1, "reason": "x"})
    assert (status, problem["type"]) == (503, "urn:kerbsafe:problem:overloaded")
    holding.cancel()


async def test_people_are_added_and_let_in_no_more(store: Store) -> None:
    password = await accounts.issue_password(store.connection, "li.na", "operator")
    user = await accounts.check_password(store.connection, "li.na", password)
    assert user is not None
    assert (user.role, user.must_change) == ("operator", True)
    for name in ("Li", "", "a b", "a" * 65, "-x", "token:x"):
        with pytest.raises(AccountError, match="cannot name a user"):
            await accounts.issue_password(store.connection, name, "operator")
    with pytest.raises(AccountError, match="stays an administrator"):
        await accounts.issue_password(store.connection, "admin", "viewer")
    await accounts.disable_user(store.connection, "li.na", NOW_US)
    assert await accounts.check_password(store.connection, "li.na", password) is None
    with pytest.raises(AccountError, match="no user 'nobody'"):
        await accounts.disable_user(store.connection, "nobody", NOW_US)
    (listed,) = await accounts.list_users(store.connection)
    assert (listed["name"], listed["role"], listed["disabled_at"] is None) == ("li.na", "operator", False)

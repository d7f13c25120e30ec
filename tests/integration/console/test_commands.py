"""Commands over the API: who may order what, what is answered, what is on record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.console.test_handling import bearer, logged_in, post

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

ACKNOWLEDGED = """insert into command_ack (vehicle_id, command_id, time, result, batch_id, answer, said_by)
    select vehicle_id, $1, $2, 'done', 1, '{"parameters": {"report_default_s": 1}}', 'kerbsafe.gateway-1'
    from vehicle where code = $3"""


async def test_an_operator_orders_and_sees_the_answer(client: Client, store: Store) -> None:
    vehicle = (await client.get("/vehicles"))["items"][0]["code"]
    cookie = await logged_in(store, "li.na", "operator")
    wanted = {"kind": "query", "values": {"names": ["report_default_s"]}, "valid_for_s": 120}
    status, queued = await post(client, f"/vehicles/{vehicle}/commands", wanted, cookie)
    assert (status, queued["state"], queued["actor"]) == (202, "queued", "li.na")
    assert queued["content"] == {"values": {"names": ["report_default_s"]}}
    await store.connection.execute(ACKNOWLEDGED, queued["id"], datetime.now(UTC), vehicle)
    now = await client.get(f"/vehicles/{vehicle}/commands/{queued['id']}")
    assert (now["state"], now["answer"]) == ("acknowledged", {"parameters": {"report_default_s": 1}})
    assert [one["id"] for one in (await client.get(f"/vehicles/{vehicle}/commands"))["items"]] == [
        queued["id"]
    ]
    row = await store.connection.fetchrow(
        "select actor_kind, actor, subject, detail, address from audit where act = 'command_queued'"
    )
    assert tuple(row)[:4] == ("person", "li.na", vehicle, 'query {"values": {"names": ["report_default_s"]}}')
    assert row["address"] is not None


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("act", 202)])
async def test_a_program_may_order_if_it_may_act(
    client: Client, store: Store, scope: str, status: int
) -> None:
    vehicle = (await client.get("/vehicles"))["items"][0]["code"]
    said, _ = await post(
        client, f"/vehicles/{vehicle}/commands", {"kind": "locate"}, await bearer(store, scope=scope)
    )
    assert said == status


async def test_who_may_only_look_orders_nothing(client: Client, store: Store) -> None:
    vehicle = (await client.get("/vehicles"))["items"][0]["code"]
    cookie = await logged_in(store, "wang", "viewer")
    status, _ = await post(client, f"/vehicles/{vehicle}/commands", {"kind": "locate"}, cookie)
    assert status == 403
    assert await store.connection.fetchval("select count(*) from command") == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "prompt"}, "`text` is missing"),
        ({"kind": "prompt", "text": "慢行🚚"}, "terminals cannot show"),
        ({"kind": "set", "values": {"server": "10.0.0.1"}}, "server decides where the terminal reports to"),
        ({"kind": "reboot"}, "In the body"),
    ],
)
async def test_what_cannot_be_ordered_is_said(client: Client, store: Store, body: Any, said: str) -> None:
    vehicle = (await client.get("/vehicles"))["items"][0]["code"]
    status, problem = await post(client, f"/vehicles/{vehicle}/commands", body, await bearer(store))
    assert status == 400
    assert said in problem["detail"]


async def test_a_vehicle_that_nobody_knows(client: Client, store: Store) -> None:
    status, _ = await post(client, "/vehicles/NOBODY/commands", {"kind": "locate"}, await bearer(store))
    assert status == 404

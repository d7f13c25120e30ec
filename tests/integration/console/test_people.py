"""Whom to call: whole for those who act, masked for those who look, and never in a log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import structlog
from playwright.async_api import expect

from alerts.rulebook.documents import DEFAULT_PATH
from console import accounts
from console.openapi import PREFIX
from console.pages import read_pages
from console.server import LIVE, OPERATIONS
from fleet.units import to_us
from tests.integration.console.test_handling_page import opened_by

if TYPE_CHECKING:
    from tests.integration.console.conftest import Client, Store

PLATE, NAME, PHONE, OFFICE = "浙F12345", "张三丰", "13812341234", "057382081234"
WHOLE = {
    "plate": PLATE,
    "driver": {"code": "dr1", "name": NAME, "phone": PHONE},
    "company": {"code": "yi", "name": "一建", "phone": OFFICE},
    "masked": False,
}
MASKED = {
    "plate": "浙F·1**45",
    "driver": {"code": "dr1", "name": "张**", "phone": "138****1234"},
    "company": {"code": "yi", "name": "一建", "phone": "057****1234"},
    "masked": True,
}


@pytest.fixture
async def crewed(store: Store) -> Store:
    """The store where one vehicle has a driver with a telephone."""
    connection = store.connection
    await connection.execute("update vehicle set plate = $1 where code = 'mx00001'", PLATE)
    await connection.execute("update company set phone = $1 where code = 'yi'", OFFICE)
    await connection.execute("insert into driver (code, name, phone) values ('dr1', $1, $2)", NAME, PHONE)
    await connection.execute(
        """update vehicle_version set driver_id = (select driver_id from driver)
           where vehicle_id = (select vehicle_id from vehicle where code = 'mx00001')"""
    )
    return store


async def bearer(store: Store, scope: str) -> dict[str, str]:
    token = await accounts.add_token(
        store.connection, f"program-{scope}", to_us(datetime.now(UTC)), None, scope
    )
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("scope", "expected"), [("act", WHOLE), ("read", MASKED)])
async def test_the_role_decides_what_is_seen(
    closed: Client, crewed: Store, scope: str, expected: dict[str, Any]
) -> None:
    headers = await bearer(crewed, scope)
    assert await closed.get("/vehicles/mx00001/people", headers=headers) == expected
    assert (await closed.get("/vehicles/mx00001", headers=headers))["plate"] == expected["plate"]
    listed = await closed.get("/vehicles?limit=2", headers=headers)
    assert [one["plate"] for one in listed["items"]][1:] == [expected["plate"]]
    async with closed.live(headers=headers) as socket:
        await socket.receive_json()
        assert expected["plate"] in (await socket.receive_json())["plate"]


async def test_whoever_may_only_look_is_shown_it_by_no_operation(closed: Client, crewed: Store) -> None:
    """Every operation that reads, also one that is added tomorrow; and the live stream."""
    alert_id = await crewed.alert()
    await crewed.tell(alert_id)
    await crewed.connection.execute(
        "insert into rulebook values ('default-1', '1970-01-01Z', $1)", DEFAULT_PATH.read_text("utf-8")
    )
    places = {"alert_id": alert_id, "vehicle": "mx00001", "version": "default-1"}
    places |= {"command_id": uuid4(), "code": "none", "evidence_id": 1}
    #: What has nobody's name in it is asked for where there is none of it.
    none = {"getCommand", "getAccident", "getAccidentDrawing"}
    secrets = (PLATE, NAME, PHONE, OFFICE, "F12345")
    looks = await bearer(crewed, "read")
    reads = [one for one in OPERATIONS if one.method == "GET" and one.name != LIVE]
    assert len(reads) > 10
    for one in reads:
        async with closed.call("GET", PREFIX + one.path.format(**places), headers=looks) as response:
            wanted = 403 if one.administers else 404 if one.name in none else 200
            assert response.status == wanted, one.name
            body = await response.text()
        assert [secret for secret in secrets if secret in body] == [], one.name
    async with closed.live("?after=0", headers=looks) as socket:
        told = [await socket.receive() for _ in range(5)]
    assert [secret for secret in secrets for message in told if secret in str(message.data)] == []


async def test_a_masked_plate_is_not_found_out_by_searching(closed: Client, crewed: Store) -> None:
    def found(page: dict[str, Any]) -> list[str]:
        return [one["code"] for one in page["items"]]

    looks, acts = await bearer(crewed, "read"), await bearer(crewed, "act")
    assert found(await closed.get("/vehicles?q=F12345", headers=acts)) == ["mx00001"]
    assert found(await closed.get("/vehicles?q=F12345", headers=looks)) == []


async def test_who_was_on_duty_at_the_time(client: Client, crewed: Store) -> None:
    """Before its first version the vehicle is as in that; nobody had said then who drives."""
    await crewed.connection.execute(
        """with begun as (
               insert into vehicle_version (vehicle_id, valid_from, company_id, kind, driver_id)
               select vehicle_id, '2026-01-01Z', company_id, kind, driver_id
               from vehicle_version where driver_id is not null)
           update vehicle_version set driver_id = null"""
    )
    for at, driver in (
        ("1999-01-01T00:00:00Z", None),
        ("2025-12-31T23:59:59Z", None),
        ("2026-01-01T00:00:00Z", WHOLE["driver"]),
    ):
        assert (await client.get(f"/vehicles/mx00001/people?at={at}"))["driver"] == driver
    assert (await client.get("/vehicles/mx00002/people"))["driver"] is None
    assert (await client.problem("GET", "/vehicles/nobody/people"))[:2] == (404, "not-found")


async def test_none_of_it_is_logged(client: Client, crewed: Store) -> None:
    """Not even where the database answers what nobody expects."""
    await client.get("/vehicles/mx00001/people")
    await crewed.connection.execute("alter table driver rename column phone to telephone")
    with structlog.testing.capture_logs() as logs:
        assert (await client.problem("GET", "/vehicles/mx00001/people"))[0] == 500
    assert logs
    assert not any(word in str(logs) for word in (PLATE, NAME, PHONE, OFFICE))


@pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")
@pytest.mark.parametrize(
    ("role", "seen", "hidden"),
    [
        ("operator", (PLATE, NAME, PHONE, OFFICE), ()),
        ("viewer", ("浙F·1**45", "张**", "138****1234", "057****1234"), (PLATE, NAME, PHONE, OFFICE)),
    ],
)
async def test_they_stand_where_somebody_must_call(
    closed: Client, crewed: Store, browse: Any, role: str, seen: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    alert_id = await crewed.alert("mx00001", started_at=datetime.now(UTC))
    opened = await opened_by(closed, crewed, browse, "wang", "/", role)
    page = opened.page
    await expect(page.locator(".queue-list .row")).to_contain_text(seen[0])
    for path in (f"/alerts/{alert_id}", "/vehicles/mx00001"):
        await page.goto(closed.address + path)
        for text in seen:
            await expect(page.locator("main")).to_contain_text(text)
        if role == "operator":
            await expect(page.locator("main .people a").first).to_have_attribute("href", f"tel:{PHONE}")
        html = await page.content()
        assert not any(text in html for text in hidden)
    assert opened.complaints == []

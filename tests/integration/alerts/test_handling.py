"""What people and the settler do to alerts, in a real database: recorded once, in order, for good."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from alerts.handling.handling import Asked, FasterError, NoAlertError, act, steps_after
from alerts.handling.lifecycle import Action, Actor, ActorKind, Disposition, RefusedError, Step
from fleet.db import connect
from tests.integration.bench import NOW_US, batch, drive, fix

if TYPE_CHECKING:
    from tests.integration.bench import Bench

WANG, LI = Actor(ActorKind.PERSON, "wang"), Actor(ActorKind.PERSON, "li")
SPEEDING = drive((20, 50), (30, 80), (20, 50), start_s=-110)
#: Above the limit in fixes 5 s apart, and what had been between them.
SPARSE = [fix(at, 80 if -90 < at <= -60 else 50) for at in range(-115, -20, 5)]
BETWEEN = [fix(at + 2.5, 50) for at in range(-95, -55, 5)]


@pytest.fixture
async def alert_id(bench: Bench) -> uuid.UUID:
    await bench.push(batch(0, *SPEEDING))
    found: uuid.UUID = await bench.connection.fetchval("select alert_id from alert")
    return found


async def do(connection: asyncpg.Connection, *asked: Any, **more: Any) -> Any:
    async with connection.transaction():
        return await act(connection, Asked(*asked, **more), NOW_US)


async def state_of(bench: Bench) -> tuple[Any, ...]:
    row = await bench.connection.fetchrow(
        "select state, disposition, proposed, actions, evidence_changed from alert"
    )
    return tuple(row)


async def steps(bench: Bench, alert_id: uuid.UUID) -> list[tuple[Any, ...]]:
    return [
        (one.version, one.actor.name, one.step, one.reason)
        for one in await steps_after(bench.connection, alert_id, 0, 99)
    ]


async def changes(bench: Bench) -> list[str]:
    rows = await bench.connection.fetch("select change from alert_feed order by feed_id")
    return [row["change"] for row in rows]


async def test_an_alerts_life(bench: Bench, alert_id: uuid.UUID) -> None:
    before = len(await changes(bench))
    await do(bench.connection, alert_id, Action.ACKNOWLEDGE, WANG, 0)
    assert await state_of(bench) == ("acknowledged", None, None, 1, False)
    await do(bench.connection, alert_id, Action.COMMENT, LI, 1, "驾驶员已联系")
    await do(bench.connection, alert_id, Action.RESOLVE, WANG, 2, "warned", Disposition.CONFIRMED)
    assert await state_of(bench) == ("resolved", "confirmed", None, 3, False)
    await do(bench.connection, alert_id, Action.REOPEN, LI, 3, "wrong driver")
    assert await state_of(bench) == ("open", None, None, 4, False)
    assert await steps(bench, alert_id) == [
        (1, "wang", Step.ACKNOWLEDGED, ""),
        (2, "li", Step.COMMENTED, "驾驶员已联系"),
        (3, "wang", Step.RESOLVED, "warned"),
        (4, "li", Step.REOPENED, "wrong driver"),
    ]
    assert (await changes(bench))[before:] == ["acknowledged", "commented", "resolved", "reopened"]
    last = await bench.connection.fetchval("select body from alert_feed order by feed_id desc limit 1")
    assert (last["state"], last["actions"], last["disposition"]) == ("open", 4, None)


async def test_the_slower_one_is_told_what_was_done(bench: Bench, alert_id: uuid.UUID) -> None:
    await do(bench.connection, alert_id, Action.ACKNOWLEDGE, LI, 0)
    with pytest.raises(FasterError) as faster:
        await do(bench.connection, alert_id, Action.ACKNOWLEDGE, WANG, 0)
    assert [(one.actor, one.step) for one in faster.value.since] == [(LI, Step.ACKNOWLEDGED)]
    assert len(await steps(bench, alert_id)) == 1
    # A comment changes nothing that others rely on, and needs not to have seen everything.
    await do(bench.connection, alert_id, Action.COMMENT, WANG, 0, "seen too")
    assert len(await steps(bench, alert_id)) == 2


@pytest.mark.parametrize(
    ("action", "reason", "disposition"),
    [
        (Action.ACKNOWLEDGE, "", None),
        (Action.COMMENT, "called", None),
        (Action.RESOLVE, "warned", Disposition.CONFIRMED),
    ],
)
async def test_the_same_again_is_not_done_twice(
    bench: Bench, alert_id: uuid.UUID, action: Action, reason: str, disposition: Disposition | None
) -> None:
    asked = alert_id, action, WANG, 0, reason, disposition
    assert await do(bench.connection, *asked) is not None
    await do(bench.connection, alert_id, Action.COMMENT, LI, 1, "and then this")
    assert await do(bench.connection, *asked) is None
    assert len(await steps(bench, alert_id)) == 2
    # Another's, or another reason, is another request.
    if action is Action.RESOLVE:
        with pytest.raises(FasterError):
            await do(bench.connection, alert_id, action, LI, 0, reason, disposition)
        with pytest.raises(FasterError):
            await do(bench.connection, alert_id, action, WANG, 0, "another", disposition)


async def test_of_many_at_once_one_is_first(bench: Bench, alert_id: uuid.UUID, database: str) -> None:
    async def one(name: str) -> bool:
        connection = await connect(database, application="test")
        try:
            await do(connection, alert_id, Action.ACKNOWLEDGE, Actor(ActorKind.PERSON, name), 0)
        except FasterError:
            return False
        finally:
            await connection.close()
        return True

    done = await asyncio.gather(*(one(f"p{n}") for n in range(12)))
    assert done.count(True) == 1
    assert len(await steps(bench, alert_id)) == 1


async def test_two_people_dismiss_a_critical_one(bench: Bench, alert_id: uuid.UUID) -> None:
    await bench.connection.execute("update episode set severity = 4")
    said = "sign read as limit", Disposition.FALSE_POSITIVE
    await do(bench.connection, alert_id, Action.RESOLVE, WANG, 0, *said)
    assert await state_of(bench) == ("open", None, "false_positive", 1, False)
    assert (await changes(bench))[-1] == "proposed"
    with pytest.raises(RefusedError):
        await do(bench.connection, alert_id, Action.RESOLVE, WANG, 1, "really", said[1])
    await do(bench.connection, alert_id, Action.RESOLVE, LI, 1, "agreed", said[1])
    assert await state_of(bench) == ("resolved", "false_positive", None, 2, False)


async def test_no_such_alert(bench: Bench) -> None:
    with pytest.raises(NoAlertError):
        await do(bench.connection, uuid.UUID(int=1), Action.ACKNOWLEDGE, WANG, 0)


async def test_settling_withdraws_on_record(bench: Bench) -> None:
    """A provisional alert that the complete record does not show."""
    await bench.push(batch(0, *SPARSE))
    (alert_id,) = [row["alert_id"] for row in await bench.connection.fetch("select alert_id from alert")]
    await bench.push(batch(1, *BETWEEN, kind="history"))
    await bench.drain()
    assert (await state_of(bench))[0] == "withdrawn"
    assert await steps(bench, alert_id) == [(1, "settler", Step.WITHDRAWN, "")]
    with pytest.raises(FasterError):
        await do(bench.connection, alert_id, Action.ACKNOWLEDGE, WANG, 0)
    with pytest.raises(RefusedError):
        await do(bench.connection, alert_id, Action.RESOLVE, WANG, 1, "x", Disposition.CONFIRMED)


async def test_settling_never_changes_a_disposition(bench: Bench) -> None:
    await bench.push(batch(0, *SPARSE))
    alert_id = await bench.connection.fetchval("select alert_id from alert")
    await do(bench.connection, alert_id, Action.RESOLVE, WANG, 0, "seen", Disposition.CONFIRMED)
    await bench.push(batch(1, *BETWEEN, kind="history"))
    await bench.drain()
    assert await state_of(bench) == ("resolved", "confirmed", None, 1, True)
    await do(bench.connection, alert_id, Action.REOPEN, LI, 1, "evidence changed")
    assert await state_of(bench) == ("open", None, None, 2, False)


async def test_what_was_done_stays_even_for_the_owner(bench: Bench, alert_id: uuid.UUID) -> None:
    await do(bench.connection, alert_id, Action.COMMENT, WANG, 0, "said")
    for statement in ("update alert_action set reason = ''", "delete from alert_action"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await bench.connection.execute(statement)


async def test_ingest_goes_on_while_somebody_acts(bench: Bench, alert_id: uuid.UUID, database: str) -> None:
    """The feed refers to the alert that a person holds: the hot path must not wait for that."""
    other = await connect(database, application="test")
    async with other.transaction():
        await other.execute("select 1 from alert where alert_id = $1 for no key update", alert_id)
        await bench.connection.execute("set lock_timeout = '10s'")
        await bench.push(batch(0, *drive((20, 80), start_s=-30)))
    await other.close()
    assert (await changes(bench))[-1] in {"opened", "updated"}

"""Commands to vehicles: queued by operators and programs that may act, and what became of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.api.vehicles import find_vehicle
from console.models.commands import Command, CommandPage, CommandPlace, CommandQuery, NewCommand
from console.models.vehicles import VehiclePlace
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from fleet.clock import WALL
from fleet.commands import store
from fleet.commands.orders import CommandError, order_of
from fleet.units import to_datetime

if TYPE_CHECKING:
    import uuid

    from aiohttp import web

    from console.operation import Call


async def queue_command(call: Call) -> web.Response:
    """Queue a command."""
    vehicle = await find_vehicle(call)
    body: NewCommand = call.body
    identity = call.identity
    assert identity is not None  # noqa: S101 - operations that act are not open
    lasts = None if body.valid_for_s is None else timedelta(seconds=body.valid_for_s)
    try:
        order = order_of(body.kind, body.text, body.values)
    except CommandError as error:
        raise ProblemError(Kind.BAD_REQUEST, str(error)) from error
    async with call.desk.pool.acquire() as connection:
        command_id = await store.queue(
            connection,
            vehicle.code,
            order,
            identity.actor,
            to_datetime(WALL.now_us()),
            lasts,
            address=call.desk.authentication.address_of(call.request),
        )
    answer = json_of(await _one(call, vehicle.code, command_id))
    answer.set_status(202)
    return answer


async def get_command(call: Call) -> web.Response:
    """Return one command as it stands."""
    vehicle = await find_vehicle(call)
    return json_of(await _one(call, vehicle.code, call.path.command_id))


async def list_commands(call: Call) -> web.Response:
    """Return the newest commands of a vehicle."""
    vehicle = await find_vehicle(call)
    found = await store.read(
        call.desk.pool, to_datetime(WALL.now_us()), vehicle=vehicle.code, limit=call.query.limit
    )
    return json_of(CommandPage(items=[_shown(one) for one in found]))


async def _one(call: Call, vehicle: str, command_id: uuid.UUID) -> Command:
    now = to_datetime(WALL.now_us())
    found = await store.read(call.desk.pool, now, vehicle=vehicle, command_id=command_id, limit=1)
    if not found:
        raise ProblemError(Kind.NOT_FOUND, "This vehicle has no command of this id.")
    return _shown(found[0])


def _shown(one: store.Command) -> Command:
    known: dict[str, Any] = {
        name: getattr(one, name)
        for name in Command.__struct_fields__
        if name not in {"id", "state", "content"}
    }
    return Command(id=one.command_id, state=one.state.value, content=dict(one.content), **known)


OPERATIONS = (
    Operation(
        method="POST",
        path="/vehicles/{vehicle}/commands",
        name="queueCommand",
        summary="Order something of a vehicle's unit. It is on its way when this answers, not carried out.",
        handle=queue_command,
        place=VehiclePlace,
        body=NewCommand,
        answers={202: Answer("The command.", Command)},
        problems=(Kind.NOT_JSON, Kind.TOO_LARGE, Kind.TOO_SLOW, Kind.NOT_FOUND),
        acts=True,
    ),
    Operation(
        method="GET",
        path="/vehicles/{vehicle}/commands",
        name="listCommands",
        summary="The newest commands to a vehicle, and what became of them.",
        handle=list_commands,
        place=VehiclePlace,
        query=CommandQuery,
        answers={200: Answer("Commands.", CommandPage)},
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path="/vehicles/{vehicle}/commands/{command_id}",
        name="getCommand",
        summary="One command as it stands.",
        handle=get_command,
        place=CommandPlace,
        answers={200: Answer("The command.", Command)},
        problems=(Kind.NOT_FOUND,),
    ),
)

"""`kerbsafe command`: queues orders, waits for answers, and shows both."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fleet import audit
from fleet.clock import WALL
from fleet.commands import orders, store
from fleet.commands.commissioning import SETTINGS, blind_because, settings_of
from fleet.commands.orders import CommandError, State
from fleet.registry import require_vehicle
from fleet.units import to_datetime
from kerbsafe.orders import prompt_effect
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    import uuid
    from datetime import datetime

    import asyncpg

    from fleet.commands.orders import Order
    from fleet.commands.store import Command

_LOOK_EVERY_S = 0.2
_NOT_DONE = 1


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    return asyncio.run(_ACTIONS[args.action](args))


async def _send(args: argparse.Namespace) -> int:
    order = _order(args)
    valid_for = None if args.valid_for is None else timedelta(seconds=args.valid_for)
    async with database("command") as connection:
        command = await _carried_out(connection, args.vehicle, order, args.wait, valid_for)
    print(json.dumps(document(command), ensure_ascii=False) if args.json else _line(command))
    return 0 if not args.wait or command.state is State.ACKNOWLEDGED else _NOT_DONE


def _order(args: argparse.Namespace) -> Order:
    match args.order:
        case "tts":
            return orders.prompt(args.text)
        case "parameters":
            return orders.settings(dict(map(_setting, args.settings)))
        case "query":
            return orders.query(args.names)
        case "locate":
            return orders.locate()
    return orders.track(args.every, args.for_s)


def _setting(text: str) -> tuple[str, int | str]:
    name, given, value = text.partition("=")
    if not given:
        raise CommandError(f"{text!r} sets nothing: write NAME=VALUE")
    name = name.strip().lower()
    return name, value if orders.is_text(name) else _number(value)


def _number(value: str) -> int | str:
    try:
        return int(value)
    except ValueError:
        return value  # `orders.settings` says what it must be


async def _carried_out(
    connection: asyncpg.Connection,
    vehicle: str,
    order: Order,
    wait_s: float,
    valid_for: timedelta | None = None,
) -> Command:
    """Queue an order and wait for what becomes of it, as long as that is asked for."""
    deadline_s = time.monotonic() + wait_s
    command_id = await store.queue(connection, vehicle, order, audit.at_the_shell(), _now(), valid_for)
    command = await _read(connection, command_id)
    while not command.is_final and time.monotonic() < deadline_s:
        await asyncio.sleep(_LOOK_EVERY_S)
        command = await _read(connection, command_id)
    return command


async def _read(connection: asyncpg.Connection, command_id: uuid.UUID) -> Command:
    (command,) = await store.read(connection, _now(), command_id=command_id)
    return command


def _now() -> datetime:
    return to_datetime(WALL.now_us())


# ---------------------------------------------------------------- commissioning


async def _commission(args: argparse.Namespace) -> int:
    wanted = settings_of(args.interval, args.turn)
    async with database("command") as connection:
        setting = await _carried_out(connection, args.vehicle, orders.settings(wanted), args.wait)
        reading = await _carried_out(connection, args.vehicle, orders.query(SETTINGS), args.wait)
    told = _parameters(reading)
    differs = {
        name: None if told is None else told.get(name)
        for name, value in wanted.items()
        if told is None or told.get(name) != value
    }
    is_done = reading.state is State.ACKNOWLEDGED and not differs
    found = {
        "vehicle": args.vehicle,
        "commissioned": is_done,
        "wanted": wanted,
        "told": told,
        "differs": differs,
        "blind_because": blind_because(told),
        "set": document(setting),
        "query": document(reading),
    }
    print(json.dumps(found, ensure_ascii=False) if args.json else _commissioned(found, setting, reading))
    return 0 if is_done else _NOT_DONE


def _parameters(command: Command) -> dict[str, Any] | None:
    """Return the parameters that a terminal has told; None: it has not told any."""
    answer = command.answer if command.state is State.ACKNOWLEDGED else None
    return answer.get("parameters") if isinstance(answer, dict) else None


def _commissioned(found: dict[str, Any], setting: Command, reading: Command) -> str:
    if found["commissioned"]:
        told = ", ".join(f"{name} {value}" for name, value in found["wanted"].items())
        return f"{found['vehicle']} is set and has told it back: {told}"
    lines = [
        f"{found['vehicle']} is NOT commissioned",
        f"  setting: {_line(setting)}",
        f"  query: {_line(reading)}",
    ]
    if found["told"] is not None:
        lines += [
            f"  {name} is {value}, not {found['wanted'][name]}" for name, value in found["differs"].items()
        ]
    return "\n".join(lines)


async def _terminals(args: argparse.Namespace) -> int:
    async with database("command") as connection:
        rows = await store.parameters_told(connection)
    found = [
        {
            "vehicle": row["vehicle"],
            "told_at": None if row["told_at"] is None else _text(row["told_at"]),
            "blind_because": blind_because(row["parameters"]),
        }
        for row in rows
    ]
    blind = sum(one["blind_because"] is not None for one in found)
    if args.json:
        print(json.dumps({"terminals": found, "blind": blind}, ensure_ascii=False))
        return 0
    for one in found:
        print(f"{one['vehicle']:<16} {one['blind_because'] or 'sees right turns, as it is set'}")
    print(
        f"{blind} of {len(found)} cannot be said to see right turns" if found else "no vehicle has a terminal"
    )
    return 0


# ---------------------------------------------------------------- looking


async def _list(args: argparse.Namespace) -> int:
    async with database("command") as connection:
        if args.vehicle is not None:
            await require_vehicle(connection, args.vehicle)
        found = await store.read(connection, _now(), vehicle=args.vehicle, limit=args.limit)
    if args.json:
        print(json.dumps([document(one) for one in found], ensure_ascii=False))
        return 0
    for one in found:
        print(f"{_text(one.queued_at)[:19]}Z  {_line(one)}")
    if not found:
        print("no commands")
    return 0


def document(command: Command) -> dict[str, Any]:
    """Return a command as JSON has it."""
    return {
        "id": str(command.command_id),
        "vehicle": command.vehicle,
        "kind": command.kind,
        **command.content,
        "state": command.state.value,
        "detail": command.detail,
        "answer": command.answer,
        "asked_by": command.actor,
        "gateway": command.gateway,
        **{
            name: None if moment is None else _text(moment)
            for name, moment in (
                ("queued_at", command.queued_at),
                ("expires_at", command.expires_at),
                ("sent_at", command.sent_at),
                ("answered_at", command.answered_at),
            )
        },
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _line(command: Command) -> str:
    content = command.content.get("text") or json.dumps(command.content.get("values"), ensure_ascii=False)
    answer = "" if command.answer is None else f" {json.dumps(command.answer, ensure_ascii=False)}"
    why = command.detail or _MEANING.get(command.state, "")
    return (
        f"{command.vehicle:<16} {command.kind} {content if content != 'null' else ''}: "
        f"{command.state.value}{f' ({why})' if why else ''}{answer}"
    )


_MEANING = {
    State.QUEUED: "nobody has taken it yet: is the terminal connected, does ingest run?",
    State.SENT: "no answer yet",
    State.TIMED_OUT: "it was sent, and nobody said what became of it: it may have been carried out",
    State.EXPIRED: "it reached nobody in time and was not carried out",
}

_ACTIONS = {
    "send": _send,
    "list": _list,
    "commission": _commission,
    "terminals": _terminals,
    "effect": prompt_effect.run,
}

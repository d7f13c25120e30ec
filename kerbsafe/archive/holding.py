"""The work of `kerbsafe hold`, and the words for what it did."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fleet.archive import holds
from fleet.language import Words
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    Row = dict[str, Any]


async def add(args: argparse.Namespace, by: str) -> list[Row]:
    """Hold a track; return the hold."""
    async with database("hold") as connection:
        held = await holds.hold(connection, args.vehicle, args.from_at, args.to_at, args.reason, by)
    return [{"hold": held.hold_id, "vehicle": args.vehicle, "fixes": held.fixes, "sha256": held.sha256.hex()}]


async def release(args: argparse.Namespace, by: str) -> list[Row]:
    """End a hold."""
    async with database("hold") as connection:
        await holds.release(connection, args.hold, args.reason, by)
    return [{"hold": args.hold, "released_by": by}]


async def listed() -> list[Row]:
    """Return all holds."""
    async with database("hold") as connection:
        found = await holds.listed(connection)
    return [
        {
            name.removesuffix("_id"): value.isoformat() if isinstance(value, datetime) else value
            for name, value in row.items()
            if name != "vehicle_id"
        }
        for row in found
    ]


async def verify(wanted: Sequence[int]) -> list[Row]:
    """Check holds; return each with what is wrong with it."""
    async with database("hold") as connection:
        ids = wanted or [row["hold_id"] for row in await holds.listed(connection)]
        return [
            {"hold": hold_id, "faults": [_fault(one) for one in await holds.verify(connection, hold_id)]}
            for hold_id in ids
        ]


def _fault(fault: holds.Fault) -> Row:
    at = None if fault.at is None else fault.at.isoformat()
    return {"seal": fault.seal, "at": at, "what": fault.what}


def _added(row: Row) -> Words:
    return _ADDED.fill(**row)


def _released(row: Row) -> Words:
    return _RELEASED.fill(**row)


def _listed(row: Row) -> Words:
    made = _LISTED.fill(**row)
    return made if row["released_at"] is None else made.then(_ENDED.fill(**row))


def _verified(row: Row) -> Words:
    if not row["faults"]:
        return _SOUND.fill(**row)
    faults = "; ".join(
        f"seal {one['seal']}, {one['at'] or 'the whole'}: {one['what']}" for one in row["faults"]
    )
    return _BROKEN.fill(hold=row["hold"], faults=faults)


LINES: Mapping[str, Callable[[Row], Words]] = {
    "add": _added,
    "release": _released,
    "list": _listed,
    "verify": _verified,
}
_ADDED = Words(
    "hold {hold}: {fixes} fixes of {vehicle} sealed, SHA-256 {sha256}; write it down outside of this system",
    "留存 {hold}：{vehicle} 的 {fixes} 个定位点已封存，SHA-256 {sha256}；请在系统之外另行记录",
)
_RELEASED = Words("hold {hold} released by {released_by}", "留存 {hold} 已由 {released_by} 解除")
_LISTED = Words(
    "hold {hold}  {vehicle}  {from_at} to {until_at}  {fixes} fixes in {seals} seals  {reason} ({placed_by})",
    "留存 {hold}  {vehicle}  {from_at} 至 {until_at}  定位点 {fixes}，封存 {seals} 次  "
    "{reason}（{placed_by}）",
)
_ENDED = Words("; released: {release_reason} ({released_by})", "；已解除：{release_reason}（{released_by}）")
_SOUND = Words("hold {hold}: as it was sealed", "留存 {hold}：与封存时一致")
_BROKEN = Words("hold {hold}: {faults}", "留存 {hold}：{faults}")

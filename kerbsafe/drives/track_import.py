"""The work of `kerbsafe import-track`: an old drive into an ordinary installation, as history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alerts.knowledge import Knowledge
from fleet import trackfile
from fleet.errors import KerbsafeError
from fleet.installation import make_days_ahead
from fleet.language import Words
from fleet.trackfile import Track
from fleet.units import to_datetime, to_us
from fleet.wire.reasons import OLDEST_DAYS
from fleet.wire.topics import Kind, format_topic
from ingest.history.importing import Destination, store_history
from ingest.pipeline.screen import OLDEST_US
from ingest.pipeline.staging import validity
from kerbsafe.drives import recordings
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from fleet.columns import Fixes
    from fleet.directory import Directory
    from fleet.trackfile import Options, Recording
    from fleet.trackfile.account import Account


class TrackImportError(KerbsafeError):
    """A drive cannot be imported as asked."""


class Read(NamedTuple):
    """What a file holds for import."""

    fixes: Fixes
    account: Account


def read(path: Path, options: Options) -> Read:
    """Return the fixes of the one vehicle in a file."""
    file = trackfile.read(path, options)
    fixes = _of_track(file) if isinstance(file, Track) else _of_recording(file)
    return Read(fixes, file.account)


def _of_track(track: Track) -> Fixes:
    if track.clock == "relative":
        raise TrackImportError(_RELATIVE.fill(file=track.account.file))
    return track.fixes


def _of_recording(recording: Recording) -> Fixes:
    found = recordings.of(recording)
    vehicles = [str(drive.vehicle) for drive in found.drives]
    if len(vehicles) > 1:
        raise TrackImportError(_SEVERAL.fill(file=recording.account.file, vehicles=", ".join(vehicles[:5])))
    if not len(found.fixes):
        raise TrackImportError(_NO_FIXES.fill(file=recording.account.file))
    return found.fixes


async def store(drive: Read, vehicle: str) -> dict[str, Any]:
    """Store a drive for a registered vehicle; return what became of it."""
    async with database("import-track") as connection:
        knowledge = await Knowledge.read(connection)
        now_us = knowledge.now_us()
        to = _destination(knowledge.directory(), vehicle, now_us)
        _check_times(drive, now_us, validity(knowledge.context, now_us).horizon)
        await make_days_ahead(connection, now_us)
        fixes = replace(drive.fixes, vehicle_id=np.full(len(drive.fixes), to.vehicle_id, np.int32))
        done = await store_history(connection, fixes, to, knowledge.context, now_us)
    first, last = map(to_datetime, _ends(fixes))
    return {
        "file": drive.account.file,
        "vehicle": vehicle,
        "received": done.received,
        "stored": done.stored,
        "duplicates": done.duplicates,
        "rejected": sum(done.rejected.values()),
        "rejected_as": dict(done.rejected),
        "first_at": first.isoformat(),
        "last_at": last.isoformat(),
        "read": drive.account.as_json(),
    }


def _destination(directory: Directory, vehicle: str, now_us: int) -> Destination:
    vehicle_id = directory.vehicle_id(vehicle)
    company_id = int(directory.facts.at([vehicle_id], [now_us]).company_id[0])
    topic = format_topic(directory.companies[company_id], vehicle, Kind.HISTORY)
    return Destination(topic, vehicle_id)


def _check_times(drive: Read, now_us: int, horizon: timedelta) -> None:
    """Refuse a drive of which nothing would be stored, and one of which live judgement would be right."""
    first, last = (f"{to_datetime(int(us)):%Y-%m-%dT%H:%M:%SZ}" for us in _ends(drive.fixes))
    if drive.fixes.time_us.max() < now_us - OLDEST_US:
        raise TrackImportError(
            _TOO_OLD.fill(file=drive.account.file, first=first, last=last, days=OLDEST_DAYS)
        )
    if drive.fixes.time_us.max() > to_us(to_datetime(now_us) - horizon):
        raise TrackImportError(_NOT_OVER.fill(file=drive.account.file, last=last, horizon=horizon))


def _ends(fixes: Fixes) -> tuple[int, int]:
    """Return the earliest and the latest time."""
    return int(fixes.time_us.min()), int(fixes.time_us.max())


def sentence(done: dict[str, Any]) -> Words:
    """Return what became of a drive, for people."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in done["rejected_as"].items())
    why = Words(f" ({reasons})", f"（{reasons}）") if reasons else Words("", "")
    return _DONE.fill(why=why, **done)


_RELATIVE = Words(
    "{file}: counts seconds from its beginning (t_s) and does not say when that was; give a column `time`",
    "{file}：只有从起点算起的秒数（t_s），没有行驶的时刻；请提供 time 列",
)
_SEVERAL = Words(
    "{file}: holds several vehicles ({vehicles}); make a file of each and import it under its own code",
    "{file}：含有多辆车（{vehicles}）；请按车辆拆分，分别以各自的代码导入",
)
_NO_FIXES = Words("{file}: holds no fixes", "{file}：没有定位点")
_TOO_OLD = Words(
    "{file}: was driven from {first} to {last}, more than {days} days ago, which is not taken: history "
    "is settled for so long. Judge it with `kerbsafe replay`, or play it in a sandbox "
    "(`kerbsafe migrate --sandbox`, `kerbsafe play`)",
    "{file}：行驶时间为 {first} 至 {last}，早于 {days} 天前，不予导入：历史数据只在此期限内受理。"
    "可用 `kerbsafe replay` 判定，或在沙箱中回放（`kerbsafe migrate --sandbox`，`kerbsafe play`）",
)
_NOT_OVER = Words(
    "{file}: ends at {last}, which is not yet {horizon} h:min:s ago; import it later, or correct its times "
    "(--timezone)",
    "{file}：结束于 {last}，距今不足 {horizon}（时:分:秒）；请稍后再导入，或更正时区（--timezone）",
)
_DONE = Words(
    "{vehicle}: {received} received = {stored} stored + {duplicates} duplicate + {rejected} rejected{why}, "
    "{first_at} to {last_at}; the worker settles it",
    "{vehicle}：收到 {received} = 存入 {stored} + 重复 {duplicates} + 拒收 {rejected}{why}，"
    "{first_at} 至 {last_at}；由 worker 终判",
)

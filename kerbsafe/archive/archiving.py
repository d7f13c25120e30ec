"""The work of `kerbsafe archive`, and the words for what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.archive import days as cold_days
from fleet.archive import keeping
from fleet.archive.policy import Policy
from fleet.archive.reading import QUERIES, cold_store
from fleet.environment import read_settings
from fleet.language import Words
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    Say = Callable[[Words], None]


async def run(say: Say) -> dict[str, Any]:
    """Archive, drop and forget what is due; return what was done."""
    settings, store = read_settings(), cold_store()
    policy = Policy(settings.database_days, settings.track_days)

    def tell(day: date, what: str, fixes: int | None) -> None:
        say(_STEPS[what].fill(day=day, fixes="" if fixes is None else f"{fixes:,}"))

    async with database("archive") as connection:
        done = await keeping.run(connection, store, policy, tell)
    return {
        "archived": [str(day) for day in done.archived],
        "fixes": done.fixes,
        "bytes": done.bytes,
        "dropped": [str(day) for day in done.dropped],
        "forgotten": [str(day) for day in done.forgotten],
        "left": done.left,
    }


async def days() -> list[dict[str, Any]]:
    """Return the days of the cold store."""
    async with database("archive") as connection:
        rows = await connection.fetch(QUERIES["archived_days"])
    return [
        {**row, "day": str(row["day"]), "archived_at": row["archived_at"].isoformat()}
        for row in map(dict, rows)
    ]


async def verify(say: Say) -> dict[str, Any]:
    """Check every day; return the faults that were found."""
    store, faults, files = cold_store(), list[str](), 0
    async with database("archive") as connection:
        for row in await connection.fetch(QUERIES["archived_days"]):
            found = await cold_days.verify_day(connection, store, row["day"])
            say((_BAD if found else _GOOD).fill(day=row["day"], faults="; ".join(found)))
            faults += found
            files += row["parts"]
    return {"files": files, "faults": faults}


async def restore(day: date) -> dict[str, Any]:
    """Bring a day back into the database."""
    async with database("archive") as connection:
        return {"day": str(day), "fixes": await cold_days.restore_day(connection, cold_store(), day)}


def sentence(done: dict[str, Any]) -> Words:
    """Return what a run did, for people."""
    made = _DONE.fill(
        archived=len(done["archived"]),
        fixes=f"{done['fixes']:,}",
        per_fix=f"{done['bytes'] / done['fixes']:.2f}" if done["fixes"] else "–",
        dropped=len(done["dropped"]),
        forgotten=len(done["forgotten"]),
    )
    return made.then(_LEFT.fill(left="; ".join(done["left"]))) if done["left"] else made


def line(row: dict[str, Any]) -> Words:
    """Return one day of the list, for people."""
    both = Words("  also in the database", "  数据库中也有") if row["is_stored"] else Words("", "")
    return Words(
        f"{row['day']}  {row['fixes']:>13,} fixes  {row['bytes']:>13,} bytes  {row['parts']} files",
        f"{row['day']}  定位点 {row['fixes']:>13,}  字节 {row['bytes']:>13,}  文件 {row['parts']}",
    ).then(both)


def restored(done: dict[str, Any]) -> Words:
    """Return what came back, for people."""
    return _RESTORED.fill(day=done["day"], fixes=f"{done['fixes']:,}")


def checked(report: dict[str, Any]) -> Words:
    """Return what a check found, for people."""
    return _CHECKED.fill(files=report["files"], faults=len(report["faults"]))


_STEPS = {
    "archived": Words("{day}: {fixes} fixes in the cold store", "{day}：{fixes} 个定位点已归档"),
    "dropped": Words("{day}: dropped from the database", "{day}：已从数据库移除"),
    "forgotten": Words("{day}: deleted from the cold store by age", "{day}：保存期满，已从冷库删除"),
}
_GOOD = Words("{day}: as it was written", "{day}：与写入时一致")
_BAD = Words("{day}: {faults}", "{day}：{faults}")
_DONE = Words(
    "{archived} days archived ({fixes} fixes, {per_fix} bytes a fix), {dropped} dropped from the database, "
    "{forgotten} deleted by age",
    "归档 {archived} 天（{fixes} 个定位点，每点 {per_fix} 字节），从数据库移除 {dropped} 天，"
    "期满删除 {forgotten} 天",
)
_LEFT = Words("; left for the next run: {left}", "；留待下次：{left}")
_RESTORED = Words("{day}: {fixes} fixes are back in the database", "{day}：{fixes} 个定位点已恢复到数据库")
_CHECKED = Words("{files} files checked, {faults} faults", "检查 {files} 个文件，{faults} 处不一致")

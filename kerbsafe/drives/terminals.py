"""Playing drives as terminals of JT/T 808: which terminal is whose, and the playing itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet import db
from fleet.language import Words
from fleet.registry import QUERIES as REGISTRY
from kerbsafe.drives.playing import PlayError
from simulators import publish
from simulators.terminals.fleet import Fleet
from simulators.terminals.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import asyncpg

    from fleet.clock import Clock
    from kerbsafe.drives.playing import Played

_SQL = db.Queries(Path(__file__).with_name("terminals.sql"))
#: A gateway sees a new terminal of the registry within ten seconds.
COME_IN_S = 20.0
#: How long the end waits for what is not acknowledged.
FINISH_S = 60.0
_MODEL = "su"


async def of(
    connection: asyncpg.Connection, vehicles: Sequence[str], *, sandbox: bool
) -> dict[str, Terminal]:
    """Return the terminal of each vehicle; a sandbox gives one to those that have none.

    Raises
    ------
    PlayError
        Elsewhere, if a vehicle carries none.
    """
    rows = await connection.fetch(_SQL["logins"], vehicles)
    found = {row["code"]: row["login"] for row in rows}
    without = [row for row in rows if row["login"] is None]
    if without and not sandbox:
        raise PlayError(_NO_TERMINAL.fill(vehicle=without[0]["code"], count=len(without)))
    made = {row["code"]: f"1399{row['vehicle_id']:07d}" for row in without}
    await connection.execute(REGISTRY["put_devices"], list(made.values()), list(made), [_MODEL] * len(made))
    return {vehicle: Terminal(phone) for vehicle, phone in (found | made).items()}


async def play(
    address: tuple[str, int],
    terminals: Mapping[str, Terminal],
    schedule: Callable[[], tuple[Played, Clock]],
    progress: publish.Progress,
) -> Played:
    """Let terminals come in, then tell each drive at its pace; return what was played and acknowledged.

    Raises
    ------
    PlayError
        If the gateway has not acknowledged all in the end.
    """
    async with Fleet(*address, terminals) as fleet:
        await fleet.come_in(COME_IN_S)
        played, clock = schedule()
        await publish.publish(
            [played.messages], publish.Broker(), clock=clock, progress=progress, elsewhere=fleet.put
        )
        left = await fleet.finish(FINISH_S)
        refused = sum(terminal.tally.refused for terminal in terminals.values())
        progress.published = fleet.acknowledged
    if left or refused:
        raise PlayError(_LEFT.fill(left=left, refused=refused))
    return played


_NO_TERMINAL = Words(
    "{count} vehicles carry no terminal, such as {vehicle}: give each a device whose login is the terminal's "
    "telephone number (`kerbsafe registry import`), or play in a sandbox",
    "{count} 辆车没有终端，例如 {vehicle}：请用 `kerbsafe registry import` 登记以终端手机号为登录名的设备，"
    "或在沙箱中回放",
)
_LEFT = Words(
    "{left} terminals still wait for acknowledgements, {refused} reports were refused: see the gateway's log",
    "{left} 个终端仍未收到应答，{refused} 条位置汇报被拒绝：请查看网关日志",
)

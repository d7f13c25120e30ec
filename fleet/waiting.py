"""How long we wait for the database and it waits for us: every limit, in one place.

A machine that vanishes, a process that is frozen, a lock that is never given back: all of them are silence.
Each end has limits of its own, for what the one cannot see the other may.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

#: To make a connection, or to take its leave.
CONNECT_S = 10.0
LEAVE_S = 2.0
#: A peer that says nothing is asked after so long, and again so often; it is gone after so many questions.
QUIET_S, ASK_S, QUESTIONS = 5, 2, 3
#: What was sent and is not taken in for so long was sent to nobody.
UNTAKEN_S = 10
#: Our own limit on a statement lies so much above the server's: whoever still speaks says why.
SLACK_S = 5.0
#: Who holds a role and tends it says something every second. Silent for so long, it is gone.
GONE_S = 20.0


class Limits(NamedTuple):
    """How long a connection's parts may take, seconds; None: as long as they need."""

    #: One statement, its locks included.
    statement_s: float | None = None
    #: One lock.
    lock_s: float | None = None
    #: From one statement to the next within a transaction.
    pause_s: float | None = None

    @property
    def answer_s(self) -> float | None:
        """How long we wait for an answer; after twice as long the connection is closed."""
        return None if self.statement_s is None else self.statement_s + SLACK_S


#: A person's command may take as long as it needs, and can be stopped.
UNLIMITED = Limits()
#: By what a connection is for, its application name. A limit that is met ends the process, but for those of
#: the console's pool: so they are longer than anything takes in a database that works, however slow.
LIMITS: Mapping[str, Limits] = {
    "ingest": Limits(statement_s=20, lock_s=10, pause_s=20),
    "ingest commands": Limits(statement_s=10, lock_s=5, pause_s=10),
    # Reads back the memory of a city, and folds it: minutes after a new version of the engine.
    "ingest start": Limits(statement_s=600, lock_s=10, pause_s=600),
    "worker": Limits(statement_s=20, lock_s=10, pause_s=20),
    # Reads and writes what many vehicles have driven, or one with days of fixes; judges between transactions.
    "worker settle": Limits(statement_s=120, lock_s=30, pause_s=120),
    "worker aside": Limits(statement_s=600, lock_s=30, pause_s=120),
    "worker vitals": Limits(statement_s=120, lock_s=10, pause_s=20),
    # Deletes what is too old; after months away that is most of a table.
    "worker purge": Limits(statement_s=3600, lock_s=30, pause_s=30),
    "console": Limits(statement_s=10, lock_s=2, pause_s=10),
    "console feed": Limits(statement_s=10, lock_s=2, pause_s=10),
    "doctor": Limits(statement_s=3, lock_s=2, pause_s=10),
}


def of(application: str) -> Limits:
    """Return the limits of a connection."""
    return LIMITS.get(application, UNLIMITED)


def server_settings(application: str) -> dict[str, str]:
    """Return what the server is to know of a connection: how long it waits for us, and we for a lock."""
    limits = of(application)
    milliseconds = {
        "tcp_user_timeout": UNTAKEN_S,
        "statement_timeout": limits.statement_s,
        "lock_timeout": limits.lock_s,
        "idle_in_transaction_session_timeout": limits.pause_s,
    }
    return {
        "tcp_keepalives_idle": f"{QUIET_S}",
        "tcp_keepalives_interval": f"{ASK_S}",
        "tcp_keepalives_count": f"{QUESTIONS}",
        **{name: f"{seconds * 1000:.0f}" for name, seconds in milliseconds.items() if seconds is not None},
    }


def watch(connected: socket.socket) -> None:
    """Have the kernel end a connection whose peer is gone, or does not take what it is sent."""
    if connected.family not in {socket.AF_INET, socket.AF_INET6}:
        return  # a peer on this machine cannot vanish unseen
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        for option, value in (
            (socket.TCP_KEEPIDLE, QUIET_S),
            (socket.TCP_KEEPINTVL, ASK_S),
            (socket.TCP_KEEPCNT, QUESTIONS),
            (socket.TCP_USER_TIMEOUT, UNTAKEN_S * 1000),
        ):
            connected.setsockopt(socket.IPPROTO_TCP, option, value)

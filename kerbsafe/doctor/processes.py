"""The processes: is each there, on this database, and does it work; what ingest knows of the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerbsafe.doctor.finding import Finding, notice, ok, wrong
from kerbsafe.doctor.probes import ask_all, read_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from fleet.setting_values import Probes
    from kerbsafe.doctor.probes import Answer

#: What an installation is without each of them.
WITHOUT = {
    "ingest": "nothing is stored and nobody is watched",
    "worker": "alerts stay provisional and no notices are sent",
    "console": "nobody sees the alerts",
}
_DROPPED = "kerbsafe_broker_dropped_messages_total"
_FORGOTTEN = "kerbsafe_mqtt_sessions_forgotten_total"


async def check_processes(probes: Probes, since: Mapping[str, datetime | None] | None) -> Sequence[Finding]:
    """Ask every process; `since` is which are connected to the database, None: that is not known."""
    answers = await ask_all(probes)
    return [_judge(name, answer, since) for name, answer in answers.items()]


def _judge(name: str, answer: Answer, since: Mapping[str, datetime | None] | None) -> Finding:
    process = f"`kerbsafe {name}`"
    if since is not None and name not in since:
        return _elsewhere(name, answer)
    moment = None if since is None else since[name]
    # The server does not tell everybody since when.
    begun = "" if moment is None else f" since {moment.isoformat(' ', 'seconds')}"
    if answer.is_ready:
        return ok("processes", f"{process} is ready{', connected' if begun else ''}{begun}")
    if answer.is_ready is not None:
        return wrong(
            "processes", f"{process} is not ready: {answer.why}", "see what else is wrong, and its log"
        )
    unknown = f"works could not be found out: {answer.why}"
    remedy = "see its log, or set KERBSAFE_PROBES to where it is; a frozen one may be restarted"
    if since is None:
        return wrong("processes", f"whether {process} {unknown}", remedy)
    return wrong("processes", f"{process} is connected{begun}, but whether it {unknown}", remedy)


def _elsewhere(name: str, answer: Answer) -> Finding:
    """Tell of a process that is not connected to this database."""
    process = f"`kerbsafe {name}`"
    if answer.is_ready:
        said = f"{process} at {answer.where} is not connected to this database"
        return wrong(
            "processes", said, "compare KERBSAFE_DSN of both, or set KERBSAFE_PROBES to the right one"
        )
    said = f"{process} does not run: it is not connected to this database, and {answer.why}; {WITHOUT[name]}"
    return wrong("processes", said, f"start {process}; the last line of its log says why it ended")


async def check_losses(probes: Probes) -> Sequence[Finding]:
    """Say what the broker has lost, as far as ingest has heard of it."""
    seen = await read_metrics(probes.ingest)
    if seen is None:
        return [notice("losses", "what the broker has lost is not known: ingest does not answer")]
    return [_dropped(seen.get(_DROPPED)), _forgotten(seen.get(_FORGOTTEN))]


def _dropped(messages: float | None) -> Finding:
    if messages is None:
        return notice("losses", "the broker does not tell ingest whether it throws messages away")
    if not messages:
        return ok("losses", "the broker has thrown away nothing since it was started")
    return wrong(
        "losses",
        f"the broker has thrown away {messages:.0f} messages since it was started: they are lost, unless the "
        "devices send them again",
        "note the time for the next report and see KerbsafeBrokerDrops in docs/operations.md; the count "
        "begins anew with the broker",
    )


def _forgotten(times: float | None) -> Finding:
    if times is None:
        return notice("losses", "ingest does not tell whether the broker forgot its sessions")
    if not times:
        return ok("losses", "the broker has kept our sessions since ingest was started")
    return wrong(
        "losses",
        f"the broker forgot our sessions {times:.0f} times since ingest was started, and what it had kept",
        "note the time for the next report and see KerbsafeSessionForgotten in docs/operations.md",
    )

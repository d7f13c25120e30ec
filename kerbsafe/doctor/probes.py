"""What the processes say of themselves, asked over HTTP as a supervisor asks them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from fleet.setting_values import Probes

#: A process has 3 s for its own checks (`fleet.service`).
ANSWER_S = 4.0
_READY, _NOT_READY = 200, 503


@dataclass(frozen=True, slots=True)
class Answer:
    """What one process says of itself."""

    #: host:port that was asked.
    where: str
    #: None: it has not been found out.
    is_ready: bool | None
    #: Why it is not ready, or why it could not be asked.
    why: str = ""


async def ask_all(probes: Probes) -> dict[str, Answer]:
    """Ask every process whether it is ready."""
    names = list(probes._fields)
    answers = await asyncio.gather(*(ask(where) for where in probes))
    return dict(zip(names, answers, strict=True))


async def ask(where: str) -> Answer:
    """Ask one process whether it is ready."""
    try:
        async with _session() as session, session.get(f"http://{where}/readyz") as answer:
            if answer.status not in {_READY, _NOT_READY}:
                return Answer(where, None, f"{where} is no process of ours: it answers {answer.status}")
            said = await answer.json()
            return Answer(where, bool(said["ready"]), "; ".join(map(str, said["reasons"])))
    except TimeoutError:
        return Answer(where, None, f"{where} does not answer within {ANSWER_S:.0f} s")
    except aiohttp.ClientConnectorDNSError:
        return Answer(where, None, f"nobody knows where {where} is")
    except (aiohttp.ClientError, OSError):
        return Answer(where, None, f"nobody answers at {where}")
    except (ValueError, KeyError, TypeError):
        return Answer(where, None, f"{where} is no process of ours: it does not say whether it is ready")


async def read_metrics(where: str) -> dict[str, float] | None:
    """Return the samples of a process, added up over their labels; None if it does not answer."""
    try:
        async with _session() as session, session.get(f"http://{where}/metrics") as answer:
            page = await answer.text()
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return None
    return found


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))

"""All checks, in the order in which people read them."""

from __future__ import annotations

import asyncio
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from fleet.environment import SettingsError, in_use, read_settings, unknown_settings
from kerbsafe.doctor.broker import check_broker
from kerbsafe.doctor.database import check_database
from kerbsafe.doctor.days import check_days
from kerbsafe.doctor.finding import Finding, Level, found, notice, ok, wrong
from kerbsafe.doctor.processes import check_losses, check_processes
from kerbsafe.doctor.rules import check_rules
from kerbsafe.doctor.transport import check_transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LIBRARIES = ("asyncpg", "mqtt5", "msgspec", "numpy", "shapely", "aiohttp", "uvloop")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, and with which settings; secrets are left out."""

    settings: Mapping[str, str]
    findings: Sequence[Finding]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong; notices are allowed."""
        return all(finding.level is not Level.WRONG for finding in self.findings)


async def diagnose(environment: Mapping[str, str] = os.environ) -> Diagnosis:
    """Look at everything that the environment points to."""
    findings = [_versions(), *_misspelt(environment)]
    try:
        settings = read_settings(environment)
    except SettingsError as error:
        return Diagnosis({}, [*findings, wrong("settings", str(error))])
    # Side by side: what is silent is waited for once.
    seen, rules, broker, losses, transport, days = await asyncio.gather(
        check_database(settings.dsn),
        found("rules", check_rules(settings)),
        found("broker", check_broker(settings)),
        found("losses", check_losses(settings.probes)),
        found("transport", check_transport(settings.dsn)),
        found("days", check_days(settings.dsn)),
    )
    processes = await found("processes", check_processes(settings.probes, seen.since))
    findings += [*seen.findings, *rules, *broker, *losses, *transport, *processes, *days]
    return Diagnosis(in_use(settings), findings)


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return ok("versions", f"kerbsafe {version('kerbsafe')}, Python {platform.python_version()}, {libraries}")


def _misspelt(environment: Mapping[str, str]) -> list[Finding]:
    return [
        notice("settings", f"{name} is not a setting and is ignored", "see docs/settings.md for its spelling")
        for name in unknown_settings(environment)
    ]

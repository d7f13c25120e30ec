"""Plans that several tests read; made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulators import city, scenario

if TYPE_CHECKING:
    from simulators.city import City
    from simulators.scenario import Plan

#: Monday 2026-03-02, 06:00 in Shanghai.
START_US = 1_772_402_400_000_000


@pytest.fixture(scope="session")
def town() -> City:
    """A city with 4 plants."""
    return city.make(1, plants=4, building_sites=16)


@pytest.fixture(scope="session")
def rush() -> Plan:
    """Half an hour of forty trucks with many dangers and sound units."""
    return scenario.build("rush", 5, trucks=40, duration_s=1800, start_us=START_US)

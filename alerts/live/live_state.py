"""All that the hot path remembers: the engine's memory, and of cameras and of when units report."""

from __future__ import annotations

from alerts.engine.state import EngineState
from alerts.live.reporting import Reporting
from alerts.live.sightings import Sightings


class LiveState(EngineState):
    """The engine's memory, and what is in no checkpoint: it is read back from the store at start."""

    def __init__(self) -> None:
        super().__init__()
        self.sightings = Sightings()
        self.reporting = Reporting()

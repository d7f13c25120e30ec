"""The named scenarios as data: which dangers, which sensors, which faults."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulators import dangers, faults, observation
from simulators.dangers import Dangers
from simulators.faults import FaultPlan
from simulators.observation import Sensors


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes one scenario different from another."""

    about: str
    dangers: Dangers = dangers.NONE
    sensors: Sensors = observation.USUAL
    faults: FaultPlan = faults.NONE
    #: Seconds between reports, and the share of units that report so seldom.
    intervals: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    #: Share of trucks with a pass for one of the forbidden areas.
    pass_share: float = 0.0
    #: Days over which the working hours are spread; 1: all in one go.
    days: int = 1
    lively: bool = False
    #: One truck that is speeding loses its connection meanwhile, and sends it all afterwards.
    tunnel: bool = False


MANY = Dangers(
    speeding=0.8,
    forbidden=0.06,
    beyond=0.03,
    fast_turn=0.2,
    no_stop=0.4,
    conflict=0.25,
    passing=1.0,
    long_dwell=0.05,
)

RECIPES = {
    "calm": Recipe("lawful driving, sound units: nothing may be found", Dangers(passing=1.0)),
    "rush": Recipe("many dangers, sound units: all must be found", MANY, pass_share=0.1),
    "storm": Recipe(
        "many dangers and all faults at once",
        replace(MANY, offline=0.05, covered=0.05),
        Sensors(
            position_m=3.0,
            canyon_factor=3.0,
            clock_offset_s=0.3,
            clock_drift_ppm=1.0,
            camera_detects=0.97,
            camera_ghosts_per_hour=0.3,
            camera_clock_s=1.0,
        ),
        FaultPlan(
            loss=0.01,
            duplicate=0.02,
            delay=0.01,
            disorder=0.02,
            zero=0.002,
            jump=0.001,
            corrupt=0.002,
            outage_per_hour=0.5,
            backfill_share=0.8,
            frozen_per_hour=0.05,
            clock_step_per_hour=0.03,
            wrong_datum_share=0.01,
        ),
        intervals=((1.0, 0.88), (2.0, 0.06), (5.0, 0.04), (40.0, 0.02)),
        pass_share=0.1,
    ),
    "broken": Recipe(
        "many dangers, and units that are broken in ways that were met",
        replace(MANY, beyond=0.2),
        faults=FaultPlan(
            displaced_per_hour=2.0,
            clock_weeks_per_hour=0.1,
            lagging_share=0.1,
            scaled_share=0.1,
            dense_per_hour=0.05,
            silent_exit_share=0.5,
        ),
        pass_share=0.1,
    ),
    "tunnel": Recipe(
        "dangers, and connections that break and are back-filled",
        MANY,
        faults=FaultPlan(outage_per_hour=3.0),
        pass_share=0.1,
    ),
    "blind": Recipe(
        "dangers, covered cameras and units that are switched off",
        replace(MANY, offline=0.2, covered=0.4),
        Sensors(camera_detects=0.98, camera_ghosts_per_hour=0.2, camera_clock_s=1.0),
    ),
    "month": Recipe(
        "thirty days of shifts, the hours spread over them",
        Dangers(
            speeding=0.1,
            forbidden=0.01,
            beyond=0.005,
            fast_turn=0.03,
            no_stop=0.1,
            conflict=0.05,
            passing=1.0,
            long_dwell=0.01,
            offline=0.01,
            covered=0.01,
        ),
        days=30,
    ),
    "demo": Recipe(
        "a lively minute for `kerbsafe demo`",
        Dangers(speeding=0.8, fast_turn=0.2, no_stop=0.4, conflict=0.3, passing=1.0),
        lively=True,
        tunnel=True,
    ),
}

"""What cameras report, written as the domain speaks: "10 start a, 12 end a" is seconds, mark and id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alerts.in_force.rulebooks import Rulebooks
from alerts.rulebook import documents
from alerts.words.turns import Kind, Reason, Stop, Turns
from fleet.columns import CameraEvents, CameraState, HealthReports, Phase, Side, Target
from fleet.units import MICROSECONDS
from tests.unit.alerts.turn_tracks import START_US

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rules() -> NDArray[np.void]:
    books = Rulebooks([documents.default()])
    return books.numbers("blind_spot", np.zeros(1, np.int32))


def us(seconds: float) -> int:
    return START_US + round(seconds * MICROSECONDS)


def camera(text: str, *, vehicle_id: int = 1, side: Side = Side.RIGHT, **columns: Any) -> CameraEvents:
    words = [word.split() for word in text.split(",") if word.strip()]
    return CameraEvents.build(
        vehicle_id=[vehicle_id] * len(words),
        time_us=[us(float(when)) for when, *_ in words],
        event_id=np.array([*(name for *_, name in words), None], object)[:-1],
        side=[side] * len(words),
        target=[Target.PEDESTRIAN] * len(words),
        phase=[Phase[mark.upper()] for _, mark, _ in words],
        lat_udeg=columns.get("lat_udeg", [0] * len(words)),
        lon_udeg=columns.get("lon_udeg", [0] * len(words)),
        speed_dkmh=[-1] * len(words),
        evidence=[""] * len(words),
    )


def health(text: str, *, vehicle_id: int = 1) -> HealthReports:
    """E.g. "0 ok, 60 covered"."""
    words = [word.split() for word in text.split(",") if word.strip()]
    return HealthReports.build(
        vehicle_id=[vehicle_id] * len(words),
        time_us=[us(float(when)) for when, _ in words],
        camera=[CameraState[state.upper()] for _, state in words],
        power=[1] * len(words),
        gnss=[1] * len(words),
        firmware=[""] * len(words),
    )


def turns(*spans: tuple[float, float], vehicle_id: int = 1, **columns: Any) -> Turns:
    """Turns from entry to exit, seconds; slow ones at a junction unless something else is said."""
    figures = {
        "kind": Kind.TURN,
        "max_kmh": 15.0,
        "radius_m": 12.0,
        "reason": Reason.NONE,
        "stop": Stop.NOT_ASKED,
    } | columns
    return Turns.build(
        vehicle_id=[vehicle_id] * len(spans),
        at_us=[us(exited) for _, exited in spans],
        entered_us=[us(entered) for entered, _ in spans],
        exited_us=[us(exited) for _, exited in spans],
        rulebook=[0] * len(spans),
        **{name: [value] * len(spans) for name, value in figures.items()},
    )

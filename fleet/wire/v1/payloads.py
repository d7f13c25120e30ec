"""The payloads of wire v1 as types: the one source of decoder, JSON Schemas and the tables of the docs.

A field that may be absent may also be null, which means the same. Unknown fields are ignored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fleet.units import to_us

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
#: Elements of one array. A reject costs more than a fix, so the number of both is bounded.
MAX_ELEMENTS = 20_000

#: The times that can be represented: the years 1 to 9999, microseconds since 1970.
MIN_TIME_US = to_us(datetime(1, 1, 1, tzinfo=UTC))
MAX_TIME_US = to_us(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
_MIN_MS, _MAX_MS = -(-MIN_TIME_US // 1000), MAX_TIME_US // 1000

#: No control characters; written so that it means the same to Python and to ECMAScript.
_PLAIN = r"^[^\u0000-\u001f\u007f-\u009f]*(?![\s\S])"

Moment = Annotated[
    Annotated[datetime, Meta(tz=True)]
    | Annotated[int, Meta(ge=_MIN_MS, le=_MAX_MS)]
    | Annotated[float, Meta(ge=_MIN_MS, le=_MAX_MS)],
    Meta(description="RFC 3339 with an offset (Z or +08:00), or milliseconds since 1970-01-01 UTC"),
]
Lat = Annotated[float, Meta(ge=-90, le=90, description="latitude, degrees north")]
Lon = Annotated[float, Meta(ge=-180, le=180, description="longitude, degrees east")]
Speed = Annotated[float, Meta(ge=0, le=400, description="ground speed as the unit measured it, km/h")]
Datum = Annotated[
    Literal["wgs84", "gcj02", "bd09"],
    Meta(description="datum of lat and lon; wgs84 if absent; others are converted on arrival"),
]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]


class Signals(Struct, gc=False, omit_defaults=True):
    """Lamps and pedals."""

    right_indicator: bool | None = None
    left_indicator: bool | None = None
    brake: bool | None = None


class FixIn(Struct, gc=False, omit_defaults=True):
    """One satellite fix of one vehicle; topics `fix` and `history`."""

    time: Annotated[Moment, Meta(description="when the receiver measured")]
    lat: Lat
    lon: Lon
    speed_kmh: Speed | None = None
    course_deg: (
        Annotated[
            float, Meta(ge=0, le=360, description="direction of motion, clockwise from north; 360 is 0")
        ]
        | None
    ) = None
    altitude_m: Annotated[float, Meta(ge=-500, le=9000, description="above sea level")] | None = None
    odometer_km: Annotated[float, Meta(ge=0, le=20_000_000)] | None = None
    satellites: Annotated[int, Meta(ge=0, le=255, description="in use; 0: no position")] | None = None
    hdop: Annotated[float, Meta(ge=0, le=100, description="horizontal dilution of precision")] | None = None
    limit_kmh: Annotated[float, Meta(ge=1, le=200, description="speed limit known to the unit")] | None = None
    ignition: bool | None = None
    signals: Signals | None = None
    load: Annotated[Literal["empty", "loaded"], Meta(description="of the drum or tank")] | None = None
    datum: Datum | None = None


class CameraIn(Struct, gc=False, omit_defaults=True):
    """One event of a blind-spot camera; topic `camera`."""

    time: Moment
    id: Annotated[Id, Meta(description="the unit's own id; with vehicle and time the key")]
    side: Annotated[Literal["right", "left", "rear", "front"], Meta(description="where the camera looks")]
    phase: Annotated[Literal["start", "end", "single"], Meta(description="begin, end, or an instant")]
    target: (
        Annotated[Literal["pedestrian", "cycle", "vehicle", "unknown"], Meta(description="seen")] | None
    ) = None
    lat: Lat | None = None
    lon: Lon | None = None
    speed_kmh: Speed | None = None
    evidence: (
        Annotated[str, Meta(max_length=512, pattern=_PLAIN, description="reference to picture or video")]
        | None
    ) = None
    datum: Datum | None = None

    def __post_init__(self) -> None:
        if (self.lat is None) != (self.lon is None):
            msg = PAIR_MISSING
            raise ValueError(msg)


#: What `CameraIn` says of half a position.
PAIR_MISSING = "Object has one of `lat` and `lon` without the other"


class HealthIn(Struct, gc=False, omit_defaults=True):
    """What a unit says of its own state; topic `health`."""

    time: Moment
    camera: Annotated[
        Literal["ok", "covered", "no_signal", "storage", "unknown"],
        Meta(description="state of the blind-spot camera; storage: it cannot record"),
    ]
    power: Annotated[Literal["ok", "cut"], Meta(description="main supply")] | None = None
    gnss: Annotated[Literal["ok", "fault"], Meta(description="receiver and antenna")] | None = None
    firmware: Annotated[str, Meta(max_length=64, pattern=_PLAIN, description="version")] | None = None


class AckIn(Struct, gc=False, omit_defaults=True):
    """A unit's answer to a command; topic `ack`."""

    id: Annotated[Id, Meta(description="of the command")]
    result: Annotated[
        Literal["done", "refused", "failed", "expired"],
        Meta(description="expired: it came too late to be of use, and was not carried out"),
    ]
    time: Moment


class CommandOut(Struct, gc=False, omit_defaults=True):
    """An order to a unit; topic `command`."""

    id: Annotated[Id, Meta(description="to be repeated in the answer")]
    kind: Annotated[
        Literal["prompt", "set"], Meta(description="prompt: say or show `text`; set: apply `values`")
    ]
    expires: Annotated[Moment, Meta(description="do nothing from this time on")]
    text: Annotated[str, Meta(max_length=512, pattern=_PLAIN)] | None = None
    values: dict[str, Any] | None = None

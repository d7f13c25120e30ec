"""The payloads of wire v1 as types: the one source of decoder, JSON Schemas and the tables of the docs.

A field that may be absent may also be null, which means the same. Unknown fields are ignored.
"""

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
#: For the schemas, in which `format` alone binds nobody.
_RFC3339 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})(?![\s\S])"
)

Moment = (
    Annotated[datetime, Meta(tz=True, extra_json_schema={"pattern": _RFC3339})]
    | Annotated[int, Meta(ge=_MIN_MS, le=_MAX_MS)]
    | Annotated[float, Meta(ge=_MIN_MS, le=_MAX_MS)]
)
Lat = Annotated[float, Meta(ge=-90, le=90, description="degrees north; kept to 0.000001")]
Lon = Annotated[float, Meta(ge=-180, le=180, description="degrees east; kept to 0.000001")]
Speed = Annotated[float, Meta(ge=0, le=400, description="ground speed measured by the unit; kept to 0.1")]
Datum = Annotated[
    Literal["wgs84", "gcj02", "bd09"],
    Meta(description="of `lat` and `lon`; `wgs84` if absent, others are converted on arrival"),
]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]


class Signals(Struct, gc=False, omit_defaults=True):
    """What is on; a part may be absent."""

    right_indicator: bool | None = None
    left_indicator: bool | None = None
    brake: bool | None = None


_Course = Annotated[
    float,
    Meta(ge=0, le=360, description="direction of motion, clockwise from north, 360 is 0; kept to 1"),
]
_Satellites = Annotated[int, Meta(ge=0, le=255, description="used; 0 says that there is no position")]
_Hdop = Annotated[float, Meta(ge=0, le=100, description="horizontal dilution of precision; kept to 0.1")]
_Limit = Annotated[float, Meta(ge=1, le=200, description="speed limit known to the unit; kept to 1")]


class FixIn(Struct, gc=False, omit_defaults=True):
    """One satellite fix of one vehicle; topics `fix` and `history`."""

    time: Annotated[Moment, Meta(description="when the receiver measured; kept to the microsecond")]
    lat: Lat
    lon: Lon
    speed_kmh: Speed | None = None
    course_deg: _Course | None = None
    altitude_m: Annotated[float, Meta(ge=-500, le=9000, description="kept to 1")] | None = None
    odometer_km: Annotated[float, Meta(ge=0, le=20_000_000, description="kept to 0.1")] | None = None
    satellites: _Satellites | None = None
    hdop: _Hdop | None = None
    limit_kmh: _Limit | None = None
    ignition: Annotated[bool, Meta(description="on or off")] | None = None
    signals: Signals | None = None
    load: Annotated[Literal["empty", "loaded"], Meta(description="of the drum or tank")] | None = None
    datum: Datum | None = None


_Target = Annotated[
    Literal["pedestrian", "cycle", "vehicle", "unknown"],
    Meta(description="what was seen; `unknown` if absent"),
]
_Evidence = Annotated[
    str,
    Meta(max_length=512, pattern=_PLAIN, description="reference to picture or video; no control characters"),
]


#: What `CameraIn` says of half a position.
PAIR_MISSING = "Object has one of `lat` and `lon` without the other"


class CameraIn(Struct, gc=False, omit_defaults=True):
    """One event of a blind-spot camera; topic `camera`."""

    time: Annotated[Moment, Meta(description="when it was seen")]
    id: Annotated[
        Id, Meta(description="the unit's own; with vehicle and time the key; no control characters")
    ]
    side: Annotated[Literal["right", "left", "rear", "front"], Meta(description="where the camera looks")]
    phase: Annotated[Literal["start", "end", "single"], Meta(description="begins, ends, or is an instant")]
    target: _Target | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    speed_kmh: Speed | None = None
    evidence: _Evidence | None = None
    datum: Datum | None = None

    def __post_init__(self) -> None:
        if (self.lat is None) != (self.lon is None):
            msg = PAIR_MISSING
            raise ValueError(msg)


class HealthIn(Struct, gc=False, omit_defaults=True):
    """What a unit says of its own state; topic `health`."""

    time: Annotated[Moment, Meta(description="when the unit looked")]
    camera: Annotated[
        Literal["ok", "covered", "no_signal", "storage", "unknown"],
        Meta(description="blind-spot camera; `storage`: it cannot record"),
    ]
    power: Annotated[Literal["ok", "cut"], Meta(description="main supply")] | None = None
    gnss: Annotated[Literal["ok", "fault"], Meta(description="receiver and antenna")] | None = None
    firmware: (
        Annotated[str, Meta(max_length=64, pattern=_PLAIN, description="version; no control characters")]
        | None
    ) = None


class AckIn(Struct, gc=False, omit_defaults=True):
    """A unit's answer to a command; topic `ack`."""

    id: Annotated[Id, Meta(description="of the command")]
    result: Annotated[
        Literal["done", "refused", "failed", "expired", "sent", "timed_out"],
        Meta(
            description="`expired`: it came too late to be of use, and was not carried out. Of gateways: "
            "`sent`: it goes out to the terminal now; `timed_out`: that did not answer, whatever it did"
        ),
    ]
    time: Annotated[Moment, Meta(description="when it was done or refused")]
    detail: (
        Annotated[str, Meta(max_length=200, pattern=_PLAIN, description="why, or how, for people")] | None
    ) = None
    values: Annotated[dict[str, Any], Meta(description="what was asked for")] | None = None
    by: Annotated[Id, Meta(description="which gateway says so")] | None = None


class CommandOut(Struct, gc=False, omit_defaults=True):
    """An order to a unit; topic `command`."""

    id: Annotated[
        Id, Meta(description="to be repeated in the answer; one that comes again is not carried out again")
    ]
    kind: Annotated[
        Literal["prompt", "set", "query", "locate", "track", "areas", "delete_areas"],
        Meta(
            description="`prompt`: say and show `text` to the driver; `set`: apply `values`; `query`: tell "
            "the settings of `values.names`, or all; `locate`: report where it is now; `track`: report every "
            "`values.interval_s` for `values.for_s`; `areas`: watch `values.areas` and no others of theirs; "
            "`delete_areas`: forget all"
        ),
    ]
    expires: Annotated[Moment, Meta(description="not to be carried out from then on")]
    text: Annotated[str, Meta(max_length=512, pattern=_PLAIN, description="for people")] | None = None
    values: Annotated[dict[str, Any], Meta(description="by name, as `kind` says")] | None = None

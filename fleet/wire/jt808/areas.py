"""Circles, rectangles, polygons and routes that a terminal watches by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.wire.jt808.fields import Number, Raw, Text
from fleet.wire.jt808.layout import List, Scalars, When
from fleet.wire.jt808.table import message, versioned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.wire.jt808.layout import Layout, Part

_TIMES_BIT, _SPEED_BIT = 1, 2
_UDEG = 1_000_000
_CIRCLE, _RECTANGLE, _POLYGON, _ROUTE = 0x8600, 0x8602, 0x8604, 0x8606


def _has(bit: int) -> Any:
    def test(area: Mapping[str, Any]) -> bool:
        return bool(area["attr"] & bit)

    return test


_ID_AND_ATTR: Layout = (Number("id", 4), Number("attr", 2))
_POINT: Layout = (Number("lat", 4, _UDEG), Number("lon", 4, _UDEG))
#: The date 000000 in both means every day, so they are no times.
_TIMES: Part = When(_has(_TIMES_BIT), (Raw("start_bcd", 6), Raw("end_bcd", 6)))
_SPEED: Part = When(_has(_SPEED_BIT), (Number("max_speed_kmh", 2), Number("over_s")))
_NIGHT: Part = When(_has(_SPEED_BIT), (Number("night_max_speed_kmh", 2),))
_NAME = Text("name", prefix=2)


def _segment_point(night: Layout) -> Layout:
    return (
        Number("point_id", 4),
        Number("segment_id", 4),
        *_POINT,
        Number("width_m"),
        Number("attr"),
        When(_has(1), (Number("too_long_s", 2), Number("too_short_s", 2))),
        _SPEED,
        *night,
    )


def _listed(shape: Layout, end: Layout) -> Layout:
    return (Number("action"), List("areas", (*_ID_AND_ATTR, *shape, _TIMES, _SPEED, *end)))


def _polygon(end: Layout) -> Layout:
    return (*_ID_AND_ATTR, _TIMES, _SPEED, List("points", _POINT, count=2), *end)


def _route(night: Layout, end: Layout) -> Layout:
    return (*_ID_AND_ATTR, _TIMES, List("points", _segment_point(night), count=2), *end)


_CIRCLE_SHAPE: Layout = (*_POINT, Number("radius_m", 4))
_RECTANGLE_SHAPE: Layout = tuple(Number(name, 4, _UDEG) for name in ("lat1", "lon1", "lat2", "lon2"))
_END: Layout = (_NIGHT, _NAME)
_DELETION: Layout = (Scalars("ids", Number("id", 4)),)

AREAS = (
    versioned(_CIRCLE, "circles", (_listed(_CIRCLE_SHAPE, ()),), (_listed(_CIRCLE_SHAPE, _END),)),
    message(0x8601, "deletion of circles", _DELETION),
    versioned(_RECTANGLE, "rectangles", (_listed(_RECTANGLE_SHAPE, ()),), (_listed(_RECTANGLE_SHAPE, _END),)),
    message(0x8603, "deletion of rectangles", _DELETION),
    versioned(_POLYGON, "polygon", (_polygon(()),), (_polygon(_END),)),
    message(0x8605, "deletion of polygons", _DELETION),
    versioned(_ROUTE, "route", (_route((), ()),), (_route((_NIGHT,), (_NAME,)),)),
    message(0x8607, "deletion of routes", _DELETION),
)

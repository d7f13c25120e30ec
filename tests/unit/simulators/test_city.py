from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from fleet.registry_import.checking import check
from fleet.registry_import.column import Kind
from fleet.registry_import.reading import read_registry
from simulators import city, course
from simulators.errors import SimulatorError
from simulators.streets import bearing_deg, turn_deg

if TYPE_CHECKING:
    from simulators.city import City
    from simulators.scenario import Plan


def test_lies_where_jiaxing_lies(town: City) -> None:
    lat, lon = town.projection.to_degrees(town.streets.x_m, town.streets.y_m)
    assert (lon > 120.6).all()
    assert (lon < 120.9).all()
    assert (lat > 30.65).all()
    assert (lat < 30.85).all()


def test_lawful_ways_join_all_sites_and_stay_out_of_closed_streets(town: City) -> None:
    for origin in town.sites[:6]:
        for goal in town.sites:
            if goal is not origin:
                way = town.lawful.way(origin.edge, goal.edge)
                assert not town.closed[way].any()
                assert (town.streets.end[way[:-1]] == town.streets.start[way[1:]]).all()
                assert (np.abs(turn_deg(town.streets, way[:-1], way[1:])) < 150).all()


def test_trucks_keep_to_the_right(town: City) -> None:
    """On a straight the path lies half a lane or more to the right of the street's middle, and in it."""
    way = town.lawful.way(town.sites[0].edge, town.sites[9].edge)
    laid = course.between(town, town.sites[0], town.sites[9], way)
    straight = np.flatnonzero((laid.path.curvature_per_m == 0) & ~laid.yard)
    middle = (laid.path.start_m[straight] + laid.path.start_m[straight + 1]) / 2
    x, y, _ = laid.path.at(middle)
    edge = laid.edge[straight]
    start = town.streets.start[edge]
    bearing = np.deg2rad(bearing_deg(town.streets)[edge])
    east, north = x - town.streets.x_m[start], y - town.streets.y_m[start]
    aside = east * np.cos(bearing) - north * np.sin(bearing)
    assert aside == pytest.approx(town.streets.lane_offset_m()[edge], abs=1.7)


def test_turns_are_turns_and_bends_are_bends(town: City) -> None:
    """No way changes direction by an amount that could be either."""
    for goal in town.sites[4:]:
        way = town.lawful.way(town.sites[0].edge, goal.edge)
        change = np.abs(turn_deg(town.streets, way[:-1], way[1:]))
        assert ((change < 25) | (change > 60)).all()


def test_sites_lie_apart_and_off_the_streets(town: City) -> None:
    fences = [shapely.Polygon(site.fence_m) for site in town.sites]
    assert len(fences) == 4 + 2 + 16
    for i, fence in enumerate(fences):
        assert not any(fence.intersects(other) for other in fences[:i])


def test_registry_and_fences_can_be_imported(rush: Plan) -> None:
    """The product's own importer finds nothing wrong with them."""
    registry = read_registry(json.dumps(rush.registry).encode())
    checked = [check(table, table.kind) for table in registry.tables]
    fences = read_registry(json.dumps(rush.fences).encode())
    checked += [check(table, table.kind or Kind.FENCES) for table in fences.tables]
    assert [problem for part in checked for problem in part.problems] == []
    kinds = {entry.kind for part in checked for entry in part.entries}
    assert kinds == {Kind.COMPANIES, Kind.VEHICLES, Kind.DRIVERS, Kind.PASSES, Kind.FENCES}


def test_streets_that_are_written_can_be_read_and_driven_on(town: City) -> None:
    """A city laid over exported street lines has the same streets, and ways between its sites."""
    again = city.make(1, plants=2, building_sites=6, lines=town.street_lines())
    assert len(again.streets.start) == len(town.streets.start)
    assert sorted(again.streets.length_m) == pytest.approx(sorted(town.streets.length_m), abs=1.0)
    assert again.lawful.way(again.sites[0].edge, again.sites[5].edge)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({"features": []}, "no LineString"),
        (
            {"features": [{"geometry": {"type": "LineString", "coordinates": [[120, 30], [120, 30.1]]}}]},
            "only dead ends",
        ),
        ({"features": [{"geometry": None}]}, "feature 1 of the street file"),
        ({"features": [{"geometry": {"type": "LineString", "coordinates": [["a", 1]]}}]}, "feature 1"),
        (
            {"features": [{"geometry": {"type": "LineString", "coordinates": [[0, 120]]}}]},
            "longitude, latitude",
        ),
        (
            {
                "features": [
                    {
                        "geometry": {"type": "LineString", "coordinates": [[0, 0], [0, 1]]},
                        "properties": {"limit_kmh": 0},
                    }
                ]
            },
            "make no sense",
        ),
    ],
)
def test_useless_streets_are_refused(lines: dict[str, object], says: str) -> None:
    with pytest.raises(SimulatorError, match=says):
        city.make(1, plants=2, building_sites=4, lines=lines)


def test_too_many_sites_are_refused() -> None:
    with pytest.raises(SimulatorError, match="room for"):
        city.make(1, plants=2, building_sites=4000)

"""Whom to call: the driver on duty and the company of a vehicle, whole for those who may act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console import masking
from console.api.vehicles import find_vehicle
from console.models.vehicles import CompanyContact, Driver, People, PeopleQuery, VehiclePlace
from console.operation import Answer, Operation, json_of
from console.problems import Kind
from console.queries import QUERIES
from fleet.units import to_datetime

if TYPE_CHECKING:
    from aiohttp import web

    from console.operation import Call


async def get_people(call: Call) -> web.Response:
    """Return who drives a vehicle, who runs it, and their telephones."""
    vehicle = await find_vehicle(call)
    at = call.query.at or to_datetime(call.desk.clock.now_us())
    row = await call.desk.pool.fetchrow(QUERIES["people"], vehicle.vehicle_id, at)
    driver = None
    if row["driver"] is not None:
        driver = Driver(code=row["driver"], name=row["driver_name"], phone=row["driver_phone"])
    company = CompanyContact(code=row["company"], name=row["company_name"], phone=row["company_phone"])
    people = People(plate=row["plate"], driver=driver, company=company, masked=not call.may_act)
    return json_of(people if call.may_act else _masked(people))


def _masked(people: People) -> People:
    driver = people.driver
    if driver is not None:
        driver = Driver(
            code=driver.code,
            name=masking.masked_name(driver.name),
            phone=masking.masked_phone(driver.phone),
        )
    company = CompanyContact(
        code=people.company.code,
        name=people.company.name,
        phone=masking.masked_phone(people.company.phone),
    )
    return People(plate=masking.masked_plate(people.plate), driver=driver, company=company, masked=True)


OPERATIONS = (
    Operation(
        method="GET",
        path="/vehicles/{vehicle}/people",
        name="getPeople",
        summary="Whom to call about a vehicle, with telephones; masked for those who may only look.",
        handle=get_people,
        place=VehiclePlace,
        query=PeopleQuery,
        answers={200: Answer("Driver and company.", People)},
        problems=(Kind.NOT_FOUND,),
    ),
)

"""What somebody entered of an accident, as facts of the ledger. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from analytics.ledger.accident import (
    Casualty,
    Facts,
    Injury,
    LedgerError,
    Moment,
    Position,
    Reporter,
    Responsibility,
    Role,
    Vehicle,
)
from analytics.ledger.codes import CODE_TABLES
from fleet.language import Words
from fleet.registry_import.plates import read_plate
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from analytics.ledger.merging import Fleet
    from console.models.accidents import AccidentFacts, CasualtySaid, VehicleSaid

_COORDINATE_DIGITS = 6


def facts_of(said: AccidentFacts, fleet: Fleet, base: Facts | None = None) -> Facts:
    """Return the facts of an account; once the police handle an accident, they always did.

    Raises
    ------
    LedgerError, CellError
        If it is no account of an accident with a vehicle of the fleet.
    """
    occurred = _moment(said.occurred_at, said.occurred_on)
    if occurred is None:
        raise LedgerError(_WHEN)
    vehicles = tuple(_vehicle(each, occurred, fleet) for each in said.vehicles)
    if not any(vehicle.is_fleet for vehicle in vehicles):
        raise LedgerError(_NOT_OURS)
    reporter = Reporter(said.reporter)
    before = base is not None and base.police_handled
    position = None
    if said.position is not None:
        lat, lon = (round(each, _COORDINATE_DIGITS) for each in (said.position.lat, said.position.lon))
        position = Position(lat, lon)
    codes = {
        name: CODE_TABLES[name].read(getattr(said, name))
        for name in ("road_class", "weather", "lighting", "form")
    }
    return Facts(
        occurred,
        reporter,
        county=said.county.strip(),
        place=said.place.strip(),
        position=position,
        loss_yuan=said.loss_yuan,
        police_handled=before or reporter is Reporter.POLICE or bool(said.police_no.strip()),
        police_no=said.police_no.strip(),
        claim_no=said.claim_no.strip(),
        casualties_known=said.casualties_known,
        casualties=tuple(map(_casualty, said.casualties)),
        vehicles=vehicles,
        **codes,
    )


def _moment(at: datetime | None, on: date | None) -> Moment | None:
    if (at is not None) and (on is not None):
        raise LedgerError(_TWO_TIMES)
    if at is not None:
        return Moment(at.astimezone(UTC), is_exact=True)
    if on is None:
        return None
    return Moment(datetime.combine(on, time(), CIVIL_ZONE).astimezone(UTC), is_exact=False)


def _casualty(said: CasualtySaid) -> Casualty:
    died = _moment(said.died_at, said.died_on)
    within, injury = said.died_within_days, Injury(said.injury)
    if within is not None and (died is not None or injury is not Injury.DEAD):
        raise LedgerError(_WITHIN)
    return Casualty(injury, Role(said.role), died, within)


def _vehicle(said: VehicleSaid, occurred: Moment, fleet: Fleet) -> Vehicle:
    manoeuvre = CODE_TABLES["manoeuvre"].read(said.manoeuvre)
    share = None if said.responsibility is None else Responsibility(said.responsibility)
    if not said.is_fleet:
        if said.vehicle or said.plate:
            raise LedgerError(_NOT_NAMED)
        return Vehicle(is_fleet=False, manoeuvre=manoeuvre, responsibility=share)
    plate = read_plate(said.plate) if said.plate else ""
    code = said.vehicle or fleet.plates.get(plate, "")
    if code and code not in fleet.vehicles:
        raise LedgerError(_UNKNOWN.fill(vehicle=code))
    if not code:
        return Vehicle(True, "", plate, "", said.kind or "", manoeuvre, share)
    since = fleet.facts_of(code, occurred.at)
    return Vehicle(True, code, "", since.company, since.kind, manoeuvre, share)


_WHEN = Words("say when it happened: `occurred_at`, or `occurred_on`", "请填写事故发生时间或日期")
_TWO_TIMES = Words("say either the time or the day alone, not both", "时间和日期只能填写其一")
_NOT_OURS = Words(
    "no vehicle of the fleet is in it: the ledger is of these alone",
    "没有本行业车辆：台账只登记涉及本行业车辆的事故",
)
_NOT_NAMED = Words(
    "of a vehicle that is not of the fleet no code and no plate are kept", "非本行业车辆不保存编号和车牌号"
)
_UNKNOWN = Words(
    "there is no vehicle {vehicle} in the registry: give its plate instead, or register it first",
    "车辆档案中没有 {vehicle}：请改填车牌号，或先录入车辆档案",
)
_WITHIN = Words(
    "`died_within_days` is of a person who is dead, and whose time of death nobody has said",
    "“几日内死亡”只用于死亡时间不明的死者",
)

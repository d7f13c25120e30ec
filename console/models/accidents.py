"""What the API takes and answers of the accident ledger, as types."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - msgspec reads the annotations
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from console.models.words import LONGEST_REASON, WRITTEN, Code, Input, Limit, Moment, Text

Scope = Literal["A1", "A2", "A3"]
Status = Literal["reported", "followed_up", "determined", "closed", "withdrawn"]
Reporter = Literal["police", "company", "insurer", "other"]
Injury = Literal["dead", "serious", "light"]
Role = Literal[
    "pedestrian",
    "cyclist",
    "ebike",
    "motorcycle",
    "car",
    "own_driver",
    "own_passenger",
    "worker",
    "unknown",
]
Share = Literal["full", "main", "equal", "minor", "none", "pending", "undeterminable"]
VehicleWord = Literal["mixer", "bulk_cement", "mortar", "silo_carrier", "pump", "other"]
Note = Annotated[
    str, Meta(max_length=200, pattern=WRITTEN, description="No control characters; empty: nothing said.")
]
AccidentCode = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Number by which it was reported first.")
]
AsOfMoment = Annotated[Moment, Meta(description="As it was recorded at this time; without it, now.")]
Most = Annotated[
    list[int | None],
    Meta(min_length=2, max_length=2, description="At least, and at most; null: there may be any number."),
]


# ---------------------------------------------------------------- what is asked


class AccidentQuery(Input, frozen=True):
    """Which accidents, as known when."""

    as_of: AsOfMoment | None = None
    from_: Annotated[date, Meta(description="First civil day.")] | None = msgspec.field(
        default=None, name="from"
    )
    to: Annotated[date, Meta(description="Last civil day, included.")] | None = None
    county: Text | None = None
    company: Code | None = None
    vehicle: Code | None = None
    scope: (
        Annotated[Scope, Meta(description="Those that are in it, and those of which it is undecided.")] | None
    ) = None
    withdrawn: Annotated[bool, Meta(description="Also those withdrawn or merged.")] = False
    limit: Limit = 50
    after: (
        Annotated[AccidentCode, Meta(description="`next` of the page before; with the same `as_of`.")] | None
    ) = None


class AccidentPlace(Input, frozen=True):
    """Which accident."""

    code: AccidentCode


class AsOf(Input, frozen=True):
    """As known when."""

    as_of: Annotated[Moment, Meta(description="As it was recorded at this time; without it, now.")] | None = (
        None
    )


class DrawingPlace(Input, frozen=True):
    """Which drawing."""

    code: AccidentCode
    evidence_id: Annotated[int, Meta(ge=1, le=2**62)]


# ---------------------------------------------------------------- what is written


class Ground(Input, frozen=True):
    """A place on the ground, degrees, WGS 84."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class CasualtySaid(Input, frozen=True):
    """One person hurt."""

    injury: Injury
    role: Role = "unknown"
    died_at: Annotated[Moment, Meta(description="When the person died.")] | None = None
    died_on: Annotated[date, Meta(description="Where only the day is known.")] | None = None
    died_within_days: Annotated[
        Literal[7, 30] | None,
        Meta(description="Where only a count says so: within 7 days, or from day 8 to 30."),
    ] = None


class VehicleSaid(Input, frozen=True):
    """One vehicle."""

    vehicle: Annotated[Code, Meta(description="Of the registry.")] | None = None
    plate: Annotated[Text, Meta(description="Of a vehicle of the fleet that is not registered.")] | None = (
        None
    )
    kind: Annotated[VehicleWord, Meta(description="Of one that is not registered.")] | None = None
    is_fleet: Annotated[bool, Meta(description="false: another vehicle, of which no plate is kept.")] = True
    manoeuvre: Note = ""
    responsibility: Share | None = None


class AccidentFacts(Input, frozen=True, kw_only=True):
    """A whole account of an accident: what is not said in it is not known."""

    occurred_at: Annotated[Moment, Meta(description="When; or `occurred_on`.")] | None = None
    occurred_on: Annotated[date, Meta(description="Where only the civil day is known.")] | None = None
    reporter: Reporter
    police_no: Note = ""
    claim_no: Note = ""
    county: Note = ""
    place: Note = ""
    position: Ground | None = None
    road_class: Annotated[Note, Meta(description="Codes as `getAccidentCodes` lists them.")] = ""
    weather: Note = ""
    lighting: Note = ""
    form: Note = ""
    loss_yuan: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    casualties: Annotated[list[CasualtySaid], Meta(max_length=200)] = msgspec.field(default_factory=list)
    casualties_known: Annotated[
        bool, Meta(description="These are all of them; none listed then means that nobody was hurt.")
    ] = False
    vehicles: Annotated[list[VehicleSaid], Meta(min_length=1, max_length=50)]


Why = Annotated[
    str,
    Meta(min_length=1, max_length=LONGEST_REASON, pattern=WRITTEN, description="Why; it stays on record."),
]
KnownAt = Annotated[
    Moment | None, Meta(description="When the reporter knew it, if earlier than now. No old answer changes.")
]


class NewAccident(Input, frozen=True, kw_only=True):
    """An accident that the ledger does not have."""

    code: AccidentCode
    facts: AccidentFacts
    why: Annotated[str, Meta(max_length=LONGEST_REASON, pattern=WRITTEN)] = ""
    known_at: KnownAt = None


class Correction(Input, frozen=True, kw_only=True):
    """Another account of an accident: a new version."""

    version: Annotated[
        int, Meta(ge=1, le=2**31 - 1, description="How many versions there were when you saw it; else 412.")
    ]
    facts: AccidentFacts
    why: Why
    known_at: KnownAt = None


# ---------------------------------------------------------------- what is answered


class GroundFound(msgspec.Struct, frozen=True, kw_only=True):
    """A place on the ground, degrees, WGS 84."""

    lat: float
    lon: float


class AccidentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An accident in short: what counts."""

    code: str
    occurred: Annotated[str, Meta(description="RFC 3339, or the civil day where only that is known.")]
    county: str | None
    place: str | None
    position: GroundFound | None
    status: Status
    merged_into: str | None
    companies: Annotated[list[str], Meta(description="Empty text: a company that nobody has named.")]
    fleet_vehicles: list[str]
    scopes: Annotated[dict[str, bool | None], Meta(description="A1, A2, A3; null: undecided.")]
    casualties_known: bool
    deaths_7d: Most
    deaths_30d: Most
    serious: Most
    light: Most


class AccidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of accidents, newest first."""

    as_of: str
    rules: Annotated[dict[str, int], Meta(description="Versions of the rules by which scopes are derived.")]
    items: list[AccidentSummary]
    total: Annotated[int, Meta(ge=0, description="On all pages.")]
    recorded: Annotated[
        int, Meta(ge=0, description="Accidents that count, whatever was asked for. 0 is not: none happened.")
    ]
    next: str | None


class Coded(msgspec.Struct, frozen=True, kw_only=True):
    """A code of the police, and what it means."""

    code: str
    known: Annotated[bool, Meta(description="false: no table has it; it is kept as it came.")]
    en: str
    zh: str


class SeverityClass(msgspec.Struct, frozen=True, kw_only=True):
    """A class of severity."""

    en: str
    zh: str
    certain: Annotated[bool, Meta(description="false: the least that it can be.")]


class CasualtyFound(msgspec.Struct, frozen=True, kw_only=True):
    """One person hurt."""

    injury: Injury
    role: Role
    died: str | None
    died_within_days: int | None


class VehicleFound(msgspec.Struct, frozen=True, kw_only=True):
    """One vehicle."""

    is_fleet: bool
    vehicle: str | None
    plate: Annotated[str | None, Meta(description="Of one of the fleet that is not registered.")]
    company: str | None
    kind: str | None
    manoeuvre: Coded | None
    responsibility: Share | None


class AccidentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One account of it, in the order in which they replace one another."""

    version: int
    recorded_at: str
    known_from: str
    known_to: Annotated[str | None, Meta(description="When the next account took over; null: it counts.")]
    status: Status
    reason: str
    who: str
    why: str
    merged_into: str | None
    changes: Annotated[list[str], Meta(description="Names of the facts that it changes.")]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a vehicle recorded around it."""

    evidence_id: int
    vehicle: str
    version: Annotated[int, Meta(description="Of the accident, for which it was made.")]
    made_at: str
    from_: str = msgspec.field(name="from")
    until: str
    sha256: Annotated[str, Meta(description="Of the fixes in stored units.")]
    summary: Annotated[dict[str, Any], Meta(description="Figures, with units in the names; null: not known.")]
    has_drawing: bool


class Accident(AccidentSummary, frozen=True, kw_only=True):
    """An accident with all that is known of it."""

    as_of: str
    rules: dict[str, int]
    reporter: Reporter
    police_handled: bool
    police_no: str | None
    claim_no: str | None
    loss_yuan: int | None
    road_class: Coded | None
    weather: Coded | None
    lighting: Coded | None
    form: Coded | None
    severity: dict[str, SeverityClass | None]
    casualties: list[CasualtyFound]
    vehicles: list[VehicleFound]
    versions: list[AccidentVersion]
    evidence: Annotated[list[Evidence], Meta(description="The newest of each vehicle.")]


class CodeFound(msgspec.Struct, frozen=True, kw_only=True):
    """A code and what it means."""

    code: str
    en: str
    zh: str


class AccidentCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Codes of the police by the fact that they are of."""

    tables: dict[str, list[CodeFound]]
    counties: Annotated[list[str], Meta(description="Names that the ledger and the fences have.")]

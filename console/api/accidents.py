"""The accident ledger: accidents as known at any time, and what people enter and correct."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from analytics.ledger import documents, history
from analytics.ledger.accident import LedgerError
from analytics.ledger.codes import CODE_TABLES
from analytics.ledger.counting import rule_versions
from analytics.ledger.evidence import store as evidence
from analytics.ledger.history import Writer
from analytics.ledger.scopes import NO, Scope, in_scope
from analytics.ledger.store import add, change, read_fleet, read_versions
from console import masking
from console.accident_facts import facts_of
from console.models.accidents import (
    Accident,
    AccidentCodes,
    AccidentPage,
    AccidentPlace,
    AccidentQuery,
    AsOf,
    Correction,
    DrawingPlace,
    NewAccident,
)
from console.operation import Answer, Operation, json_of
from console.problems import Kind, ProblemError
from console.queries import QUERIES
from fleet import audit
from fleet.audit import Act, Entry
from fleet.registry_import.problem import CellError
from fleet.units import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from analytics.ledger.history import Version
    from console.operation import Call
    from fleet.language import Words

    Ledger = Mapping[str, Sequence[Version]]


async def list_accidents(call: Call) -> web.Response:
    """Return a page of accidents as known at a time, newest first."""
    query: AccidentQuery = call.query
    at = _as_of(call, query.as_of)
    ledger = await read_versions(call.desk.pool, at)
    return json_of(await asyncio.to_thread(_page, ledger, query, at))


def _page(ledger: Ledger, query: AccidentQuery, at: datetime) -> AccidentPage:
    current = {
        code: one
        for code, versions in ledger.items()
        if (one := history.as_of(versions, at)) is not None and (one.counts or query.withdrawn)
    }
    found = [(code, one) for code, one in current.items() if _is_asked(one, query)]
    found.sort(key=lambda pair: (pair[1].facts.occurred.at, pair[0]), reverse=True)
    codes = [code for code, _ in found]
    if query.after is not None and query.after not in codes:
        raise ProblemError(Kind.BAD_REQUEST, "`after` names no accident of this list: take `next` as it was.")
    begin = 0 if query.after is None else codes.index(query.after) + 1
    shown = found[begin : begin + query.limit]
    page = {
        "as_of": documents.told(at),
        "rules": rule_versions(),
        "items": [documents.accident_document(code, one) for code, one in shown],
        "total": len(found),
        "recorded": sum(one.counts for one in current.values()),
        "next": shown[-1][0] if len(found) > begin + query.limit else None,
    }
    return msgspec.convert(msgspec.to_builtins(page), AccidentPage)


def _is_asked(version: Version, query: AccidentQuery) -> bool:
    facts = version.facts
    return (
        (query.from_ is None or facts.occurred.day >= query.from_)
        and (query.to is None or facts.occurred.day <= query.to)
        and (query.county is None or facts.county == query.county)
        and (query.company is None or query.company in facts.companies)
        and (query.vehicle is None or any(one.vehicle == query.vehicle for one in facts.fleet))
        and (query.scope is None or in_scope(facts, Scope(query.scope)) != NO)
    )


async def get_accident(call: Call) -> web.Response:
    """Return one accident as known at a time, with every account of it."""
    return json_of(await _read(call, call.path.code, _as_of(call, call.query.as_of)))


async def _read(call: Call, code: str, at: datetime) -> Accident:
    ledger = await read_versions(call.desk.pool, at, [code])
    version = history.as_of(ledger.get(code, ()), at)
    if version is None:
        raise _no_accident()
    details = documents.details_document(version.facts)
    if not call.may_act:
        for vehicle in details["vehicles"]:
            vehicle["plate"] = vehicle["plate"] and masking.masked_plate(vehicle["plate"])
    found = {
        "as_of": documents.told(at),
        "rules": rule_versions(),
        **documents.accident_document(code, version),
        **details,
        "versions": documents.versions_document(ledger[code]),
        "evidence": await evidence.read_evidence(call.desk.pool, code, at),
    }
    return msgspec.convert(msgspec.to_builtins(found), Accident)


def _no_accident() -> ProblemError:
    return ProblemError(Kind.NOT_FOUND, "The ledger has no accident of this number, or had none then.")


async def create_accident(call: Call) -> web.Response:
    """Record an accident that the ledger does not have."""
    body: NewAccident = call.body
    by = _writer(call, body.why, body.known_at)
    with _told():
        async with call.desk.pool.acquire() as connection, connection.transaction():
            facts = facts_of(body.facts, await read_fleet(connection))
            await add(connection, body.code, history.report(facts, by), by.recorded_at)
            await _on_record(connection, call, Act.ACCIDENT_RECORDED, body.code)
            await evidence.collect(connection, body.code, 1, facts, by)
    return json_of(await _read(call, body.code, _as_of(call, None)))


async def correct_accident(call: Call) -> web.Response:
    """Record another account of an accident: a new version, unless it says nothing new."""
    body: Correction = call.body
    code, by = call.path.code, _writer(call, body.why, body.known_at)
    with _told():
        async with call.desk.pool.acquire() as connection, connection.transaction():
            fleet = await read_fleet(connection)

            def revised(ledger: Ledger) -> Version | None:
                versions = ledger[code]
                if len(versions) != body.version:
                    raise ProblemError(Kind.CHANGED, "Somebody else has recorded a version since you saw it.")
                base = history.known_at(versions, by).facts
                return history.revise(versions, facts_of(body.facts, fleet, base), by)

            if code not in await read_versions(connection, by.recorded_at, [code]):
                raise _no_accident()
            version = await change(connection, [code], by.recorded_at, revised)
            if version is not None:
                await _on_record(connection, call, Act.ACCIDENT_CORRECTED, code)
                await evidence.collect(connection, code, version.number, version.facts, by)
    return json_of(await _read(call, code, _as_of(call, None)))


async def get_drawing(call: Call) -> web.Response:
    """Return the drawing of what a vehicle recorded around an accident."""
    drawing = await evidence.read_drawing(call.desk.pool, call.path.code, call.path.evidence_id)
    if drawing is None:
        raise ProblemError(Kind.NOT_FOUND, "There is no drawing of this number.")
    return web.Response(text=drawing, content_type="image/svg+xml")


async def get_codes(call: Call) -> web.Response:
    """Return the codes of the police, for forms."""
    tables = {
        name: [{"code": code, "en": label.en, "zh": label.zh} for code, label in table.codes.items()]
        for name, table in CODE_TABLES.items()
    }
    counties = [row["county"] for row in await call.desk.pool.fetch(QUERIES["counties"])]
    return json_of(msgspec.convert({"tables": tables, "counties": counties}, AccidentCodes))


def _as_of(call: Call, asked: datetime | None) -> datetime:
    now = to_datetime(call.desk.clock.now_us())
    if asked is not None and asked > now:
        raise ProblemError(
            Kind.BAD_REQUEST, "`as_of` lies in the future: nobody knows yet what will be known."
        )
    return asked or now


def _writer(call: Call, why: str, known_at: datetime | None) -> Writer:
    now = to_datetime(call.desk.clock.now_us())
    assert call.identity is not None  # noqa: S101 - operations that act are not open
    return Writer(call.identity.name, now, known_at or now, why.strip())


async def _on_record(connection: asyncpg.Connection, call: Call, act: Act, code: str) -> None:
    assert call.identity is not None  # noqa: S101 - operations that act are not open
    address = call.desk.authentication.address_of(call.request)
    await audit.record(connection, Entry(act, call.identity.actor, code, address=address))


@contextmanager
def _told() -> Iterator[None]:
    """Answer with what the ledger says against it, in both languages."""
    try:
        yield
    except (LedgerError, CellError) as error:
        words: Words = error.words
        raise ProblemError(Kind.BAD_REQUEST, words.en, more={"words": words._asdict()}) from error


_PROBLEMS = (Kind.NOT_JSON, Kind.TOO_LARGE, Kind.TOO_SLOW)
_NOW: dict[int, Answer] = {200: Answer("The accident as it is known now.", Accident)}

OPERATIONS = (
    Operation(
        method="GET",
        path="/accidents",
        name="listAccidents",
        summary="Accidents as known at a time, newest first, page by page.",
        handle=list_accidents,
        query=AccidentQuery,
        answers={200: Answer("A page of accidents.", AccidentPage)},
    ),
    Operation(
        method="GET",
        path="/accidents/{code}",
        name="getAccident",
        summary="One accident as known at a time: facts, every version, evidence.",
        handle=get_accident,
        place=AccidentPlace,
        query=AsOf,
        answers={200: Answer("The accident.", Accident)},
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        method="POST",
        path="/accidents",
        name="createAccident",
        summary="Record an accident that the ledger does not have.",
        handle=create_accident,
        body=NewAccident,
        answers=_NOW,
        problems=_PROBLEMS,
        acts=True,
    ),
    Operation(
        method="POST",
        path="/accidents/{code}/versions",
        name="correctAccident",
        summary="Record another account of an accident. The same account twice is one.",
        handle=correct_accident,
        place=AccidentPlace,
        body=Correction,
        answers=_NOW,
        problems=(*_PROBLEMS, Kind.NOT_FOUND, Kind.CHANGED),
        acts=True,
    ),
    Operation(
        method="GET",
        path="/accidents/{code}/evidence/{evidence_id}/drawing",
        name="getAccidentDrawing",
        summary="The drawing of what a vehicle recorded around an accident, SVG.",
        handle=get_drawing,
        place=DrawingPlace,
        answers={200: Answer("The drawing.", media="image/svg+xml")},
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path="/accident-codes",
        name="getAccidentCodes",
        summary="Codes of the police by the fact that they are of, and names of counties.",
        handle=get_codes,
        answers={200: Answer("The codes.", AccidentCodes)},
    ),
)

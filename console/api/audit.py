"""Who changed who may do what, who logged in, and who was refused: for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from console.models.session import AuditEntry, AuditPage, AuditQuery
from console.operation import Answer, Operation, json_of
from fleet.audit import newest

if TYPE_CHECKING:
    from aiohttp import web

    from console.operation import Call


async def list_audit(call: Call) -> web.Response:
    """Return a page of the audit, newest first."""
    query: AuditQuery = call.query
    found = await newest(call.desk.pool, before=query.after, act=query.act, limit=query.limit + 1)
    items = [msgspec.convert(row, AuditEntry) for row in found[: query.limit]]
    return json_of(AuditPage(items=items, next=items[-1].id if len(found) > query.limit else None))


OPERATIONS = (
    Operation(
        method="GET",
        path="/audit",
        name="listAudit",
        summary="Who changed who may do what, logged in, who was refused, newest first; for administrators.",
        handle=list_audit,
        query=AuditQuery,
        answers={200: Answer("A page of the audit.", AuditPage)},
        administers=True,
    ),
)

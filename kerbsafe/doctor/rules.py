"""The rulebook file: is it sound, and is it what the database has under its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.in_force.rulebooks import RulebookError
from alerts.rulebook import documents
from alerts.rulebook.rulebook_store import is_recorded, recorded_documents
from fleet.db import DatabaseError, connect, leave
from fleet.migrate import require_schema
from kerbsafe.doctor.finding import Finding, notice, ok, wrong

if TYPE_CHECKING:
    from fleet.settings import Settings


async def check_rules(settings: Settings) -> list[Finding]:
    """Compare the file with the database; nothing where there is no file, or no database of ours."""
    document = settings.rulebook_document()
    if document is None:
        return []
    try:
        connection = await connect(settings.dsn, application="doctor")
    except DatabaseError:
        return []
    try:
        await require_schema(connection)
        return [_judge(f"KERBSAFE_RULES, {settings.rules}", document, await recorded_documents(connection))]
    except DatabaseError:
        return []
    finally:
        await leave(connection)


def _judge(name: str, document: str, recorded: dict[str, str]) -> Finding:
    try:
        if is_recorded(document, recorded):
            return ok("rules", f"{name}: as its version is recorded in the database")
        version = documents.parse(document).version
    except RulebookError as error:
        return wrong("rules", f"{name}: {error}")
    said = f"{name}: version {version!r} is not in force yet"
    return notice("rules", said, "`kerbsafe ingest` puts it in force when it starts")

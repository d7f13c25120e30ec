"""A report as JSON: every text in both languages, every table with its raw values, figures by their data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from analytics.report.document import (
    Boxes,
    Bullets,
    Figure,
    Note,
    Paragraph,
    Table,
)

if TYPE_CHECKING:
    from analytics.report.document import Block, Cell, Document, Raw
    from fleet.language import Words

    Json = dict[str, Any]


def as_json(document: Document) -> bytes:
    """Write a report as JSON."""
    found = {
        "number": document.number,
        "title": _words(document.title),
        "period": _words(document.period),
        "as_of": told(document.as_of),
        "simulated": document.simulated,
        "cover": [{"name": _words(name), "value": _words(value)} for name, value in document.cover],
        "sections": [
            {
                "key": section.key,
                "title": _words(section.title),
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in document.sections
        ],
        "verdict_file": document.verdict_file,
    }
    return (json.dumps(found, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def told(at: datetime) -> str:
    """Write a time, to the microsecond where it has any: a report is made again from it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").replace(".000000Z", "Z")


def _block(block: Block) -> Json:
    match block:
        case Paragraph(text):
            return {"paragraph": _words(text)}
        case Note(text):
            return {"note": _words(text)}
        case Bullets(heading, items):
            return {"list": _words(heading), "items": [_words(item) for item in items]}
        case Table():
            return {"table": _table(block)}
        case Figure():
            return {
                "figure": block.key,
                "title": _words(block.title),
                "description": _words(block.description),
                "table": _table(block.data),
            }
        case Boxes(boxes):
            return {
                "verdicts": [
                    {
                        "heading": _words(box.heading),
                        "wording": _words(box.wording),
                        "tone": box.tone.value,
                        "numbers": [
                            {"name": _words(name), "value": _words(value)} for name, value in box.numbers
                        ],
                    }
                    for box in boxes
                ]
            }


def _table(table: Table) -> Json:
    return {
        "key": table.key,
        "title": _words(table.title),
        "columns": [
            {"heading": _words(column.heading), "kind": column.kind.value, "parts": column.parts}
            for column in table.columns
        ],
        "rows": [[_cell(cell) for cell in row] for row in table.rows],
    }


def _cell(cell: Cell) -> Json:
    raw = [_raw(value) for value in cell.raw]
    return {"shown": _words(cell.shown), "raw": raw[0] if len(raw) == 1 else raw}


def _raw(value: Raw) -> int | float | str | None:
    if isinstance(value, datetime):
        return told(value)
    return value.isoformat() if isinstance(value, date) else value


def _words(words: Words) -> Json:
    return {"zh": words.zh, "en": words.en}

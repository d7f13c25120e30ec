"""A report as a PDF on A4, set by Typst: margins and sizes by GB/T 9704, fonts from a wheel alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.report.document import Boxes, Bullets, Figure, Kind, Note, Paragraph, Table
from analytics.report.marks import FIGURE, SIMULATED, TABLE
from analytics.report.report_input import ReportError, civil_day

if TYPE_CHECKING:
    from analytics.report.document import Block, Document
    from fleet.language import Language

    Json = dict[str, Any]

_TEMPLATE = Path(__file__).with_name("report.typ")


def as_pdf(document: Document, language: Language) -> bytes:
    """Write a report as a PDF in one language."""
    compiler = _compiler()
    written: bytes = compiler.compile(
        input=_TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"report": json.dumps(_report(document, language), ensure_ascii=False)},
        timestamp=int(document.as_of.timestamp()),
    )
    return written


@cache
def _compiler() -> Any:
    try:
        import typst  # noqa: PLC0415 - an extra; the rest of the report works without it
        from pylopdf_fonts_zh_cn import sans_path  # noqa: PLC0415 - the same
    except ImportError as error:
        raise ReportError(
            f"a PDF needs the report extra ({error.name} is missing): pip install 'kerbsafe[report]'"
        ) from None
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(sans_path().parent)]
    )
    return typst.Compiler(font_paths=fonts)


def _report(document: Document, language: Language) -> Json:
    day = civil_day(document.as_of)
    return {
        "language": language,
        "number": document.number,
        "title": document.title.to(language),
        "period": document.period.to(language),
        "date": [day.year, day.month, day.day],
        "mark": SIMULATED.to(language) if document.simulated else "",
        "table_word": TABLE.to(language),
        "figure_word": FIGURE.to(language),
        "cover": [[name.to(language), value.to(language)] for name, value in document.cover],
        "sections": [
            {
                "key": section.key,
                "title": section.title.to(language),
                "blocks": [_block(block, language) for block in section.blocks],
            }
            for section in document.sections
        ],
    }


def _block(block: Block, language: Language) -> Json:
    match block:
        case Paragraph(text):
            return {"kind": "paragraph", "text": text.to(language)}
        case Note(text):
            return {"kind": "note", "text": text.to(language)}
        case Bullets(heading, items):
            return {
                "kind": "list",
                "heading": heading.to(language),
                "items": [item.to(language) for item in items],
            }
        case Table():
            return _table(block, language)
        case Figure():
            return {
                "kind": "figure",
                "title": block.title.to(language),
                "description": block.description.to(language),
                "svg": block.draw(language).decode(),
            }
        case Boxes(boxes):
            return {
                "kind": "boxes",
                "boxes": [
                    {
                        "heading": box.heading.to(language),
                        "wording": box.wording.to(language),
                        "tone": box.tone.value,
                        "numbers": [[name.to(language), value.to(language)] for name, value in box.numbers],
                    }
                    for box in boxes
                ],
            }


def _table(table: Table, language: Language) -> Json:
    return {
        "kind": "table",
        "title": table.title.to(language),
        "weights": [column.weight for column in table.columns],
        "texts": [column.kind is Kind.TEXT for column in table.columns],
        "headings": [column.heading.to(language) for column in table.columns],
        "rows": [[cell.shown.to(language) for cell in row] for row in table.rows],
    }

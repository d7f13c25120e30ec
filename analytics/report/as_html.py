"""A report as one HTML file: nothing is loaded from elsewhere, no script runs."""

from __future__ import annotations

import base64
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.report.document import Boxes, Bullets, Figure, Kind, Note, Paragraph, Table
from analytics.report.marks import CONTENTS, FIGURE, SIMULATED, TABLE

if TYPE_CHECKING:
    from analytics.report.document import Block, Document, VerdictBox
    from fleet.language import Language

_STYLE = Path(__file__).with_name("report.css")
#: The page may show its own pictures and styles, and nothing else.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def as_html(document: Document, language: Language) -> bytes:
    """Write a report as a page in one language."""
    title = escape(f"{document.title.to(language)} {document.period.to(language)}")
    mark = f'<div class="mark">{escape(SIMULATED.to(language))}</div>\n' if document.simulated else ""
    writer = _Writer(language)
    body = "\n".join(writer.section(place, document) for place in range(len(document.sections)))
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}">\n<head>\n'
        f'<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{title}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n"
        f"{mark}<h1>{title}</h1>\n{_cover(document, language)}\n{_contents(document, language)}\n{body}\n"
        f"<footer>{escape(document.number)}</footer>\n</body>\n</html>\n"
    ).encode()


@cache
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")


def _cover(document: Document, language: Language) -> str:
    rows = (
        f"<dt>{escape(name.to(language))}</dt><dd>{escape(value.to(language))}</dd>"
        for name, value in document.cover
    )
    return f'<dl class="cover">{"".join(rows)}</dl>'


def _contents(document: Document, language: Language) -> str:
    rows = (
        f'<li><a href="#{section.key}">{escape(section.title.to(language))}</a></li>'
        for section in document.sections
    )
    return f"<nav><h3>{escape(CONTENTS.to(language))}</h3><ol>{''.join(rows)}</ol></nav>"


class _Writer:
    """Writes blocks in one language, and numbers tables and figures."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._tables = self._figures = 0

    def section(self, place: int, document: Document) -> str:
        """Write one section with its number."""
        section = document.sections[place]
        blocks = "\n".join(self._block(block) for block in section.blocks)
        title = escape(section.title.to(self._language))
        return f'<section id="{section.key}">\n<h2>{place + 1}. {title}</h2>\n{blocks}\n</section>'

    def _block(self, block: Block) -> str:
        wanted = self._language
        match block:
            case Paragraph(text):
                return f"<p>{escape(text.to(wanted))}</p>"
            case Note(text):
                return f'<p class="note">{escape(text.to(wanted))}</p>'
            case Bullets(heading, items):
                lines = "".join(f"<li>{escape(item.to(wanted))}</li>" for item in items)
                return f"<h3>{escape(heading.to(wanted))}</h3><ul>{lines}</ul>"
            case Table():
                return self._table(block)
            case Figure():
                return self._figure(block)
            case Boxes(boxes):
                return "\n".join(self._box(box) for box in boxes)

    def _table(self, table: Table) -> str:
        self._tables += 1
        wanted = self._language
        marks = [' class="text"' if column.kind is Kind.TEXT else "" for column in table.columns]
        head = "".join(
            f'<th scope="col"{mark}>{escape(column.heading.to(wanted))}</th>'
            for mark, column in zip(marks, table.columns, strict=True)
        )
        rows = "\n".join(
            "<tr>"
            + "".join(
                f"<td{mark}>{escape(cell.shown.to(wanted))}</td>"
                for mark, cell in zip(marks, row, strict=True)
            )
            + "</tr>"
            for row in table.rows
        )
        title = f"{TABLE.to(wanted)} {self._tables} {escape(table.title.to(wanted))}"
        return (
            f'<h3 id="{table.key}">{title}</h3>\n<div class="scroll"><table aria-labelledby="{table.key}">'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
        )

    def _figure(self, figure: Figure) -> str:
        self._figures += 1
        wanted = self._language
        title = f"{FIGURE.to(wanted)} {self._figures} {escape(figure.title.to(wanted))}"
        described = escape(figure.description.to(wanted))
        picture = base64.b64encode(figure.draw(wanted)).decode()
        return (
            f'<h3>{title}</h3>\n<figure><img alt="{described}" src="data:image/svg+xml;base64,{picture}">'
            f"<figcaption>{described}</figcaption></figure>"
        )

    def _box(self, box: VerdictBox) -> str:
        wanted = self._language
        numbers = "".join(
            f"<div><dt>{escape(name.to(wanted))}</dt><dd>{escape(value.to(wanted))}</dd></div>"
            for name, value in box.numbers
        )
        return (
            f'<div class="box {box.tone.value}"><h3>{escape(box.heading.to(wanted))}</h3>'
            f"<p>{escape(box.wording.to(wanted))}</p><dl>{numbers}</dl></div>"
        )

"""Registry files as an import understands them, told in a few words."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import openpyxl

from fleet.entities import Company
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices
from fleet.registry_import.planning import Plan, Starts, plan
from fleet.registry_import.problem import ImportRefusedError
from fleet.registry_import.reading import read_registry
from fleet.registry_import.understanding import understand

if TYPE_CHECKING:
    from fleet.language import Words
    from fleet.registry_import.planning import Registered

#: What was registered before, unless a test says otherwise.
TWO_COMPANIES: Registered = {
    Kind.COMPANIES: {
        "JX-01": Company(code="JX-01", name="一号搅拌站"),
        "JX-02": Company(code="JX-02", name="二号搅拌站"),
    }
}


def workbook(*merged: str, **sheets: list[list[Any]]) -> bytes:
    """Return a workbook; `merged` are ranges of its first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def features(*found: dict[str, Any], **members: Any) -> bytes:
    """Return a GeoJSON FeatureCollection."""
    return json.dumps({"type": "FeatureCollection", "features": list(found), **members}).encode()


class Outcome:
    """What would become of a file: `made` rows by kind and code, `problems`, and `notes`."""

    def __init__(
        self,
        data: bytes,
        registered: Registered | None = None,
        *,
        kind: Kind | None = None,
        encoding: str | None = None,
        **choices: Any,
    ) -> None:
        self.plan: Plan | None = None
        self.problem_words: list[Words] = []
        self.note_words: list[Words] = []
        known = TWO_COMPANIES if registered is None else registered
        try:
            contents = read_registry(data, encoding=encoding)
            said = understand(contents.tables, known, Choices(**choices), kind)
        except ImportRefusedError as refused:
            self.problem_words = [problem.words for problem in refused.problems]
            return
        self.plan = plan(said.entries, known, Starts(0, 0), said.problems)
        self.problem_words = [problem.words for problem in self.plan.problems]
        self.note_words = [*contents.notes, *said.notes]

    @property
    def problems(self) -> list[str]:
        return [words.en for words in self.problem_words]

    @property
    def notes(self) -> list[str]:
        return [words.en for words in self.note_words]

    @property
    def counts(self) -> str:
        """`vehicles 2 create, 1 error`, or the first problem if nothing could be planned."""
        if self.plan is None:
            return self.problems[0]
        told = [
            f"{kind} " + ", ".join(f"{count} {fate}" for fate, count in fates.items() if count)
            for kind, fates in self.plan.counts().items()
        ]
        return "; ".join(told)

    def record(self, kind: Kind, code: str) -> Any:
        """Return the record that a row makes."""
        assert self.plan is not None
        (found,) = [fate.record for fate in self.plan.fates if (fate.kind, fate.code) == (kind, code)]
        return found

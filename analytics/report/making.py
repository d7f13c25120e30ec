"""A report as files: four formats, and a manifest of what they are made of. The same input, the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report.as_json import as_json
from analytics.report.composing import compose
from analytics.report.manifest import manifest
from fleet.language import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.report_input import ReportInput

LANGUAGES: tuple[Language, ...] = ("zh", "en")


def make(report_input: ReportInput, languages: Sequence[Language] = LANGUAGES) -> dict[str, bytes]:
    """Return the files of a report by name, `manifest.json` with the hashes of the others among them.

    Raises `ReportError` where no whole report can be made: a month that is not closed, an empty ledger.
    """
    document = compose(report_input)
    files = {"report.json": as_json(document)}
    files["manifest.json"] = manifest(report_input, document, files, languages)
    return files

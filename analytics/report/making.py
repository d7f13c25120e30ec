"""A report as files: four formats, and a manifest of what they are made of; always the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report.as_html import as_html
from analytics.report.as_json import as_json
from analytics.report.as_pdf import as_pdf
from analytics.report.as_xlsx import as_xlsx
from analytics.report.composing import compose
from analytics.report.manifest import NAME, manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.report_input import ReportInput
    from fleet.language import Language

LANGUAGES: tuple[Language, ...] = ("zh", "en")


def make(report_input: ReportInput, languages: Sequence[Language] = LANGUAGES) -> dict[str, bytes]:
    """Return the files of a report by name, `manifest.json` with the hashes of the others among them.

    Raises `ReportError` where no whole report can be made: a month that is not closed, an empty ledger.
    """
    document = compose(report_input)
    files = {"report.json": as_json(document)}
    for language in languages:
        files[f"report.{language}.html"] = as_html(document, language)
        files[f"report.{language}.xlsx"] = as_xlsx(document, language)
        files[f"report.{language}.pdf"] = as_pdf(document, language)
    files[NAME] = manifest(report_input, document, files, languages)
    return files

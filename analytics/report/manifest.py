"""The manifest of a report: what it is, what it was made of and by, and the hash of each of its files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from analytics.ledger.counting import rule_versions
from analytics.report.as_json import told
from analytics.report.knowledge import known_at
from analytics.report.report_input import civil_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.report.document import Document
    from analytics.report.report_input import ReportInput
    from fleet.language import Language

NAME = "manifest.json"
#: What has a say in the bytes of a file.
_PARTS = ("kerbsafe", "matplotlib", "numpy", "pylopdf-fonts-zh-cn", "scipy", "typst", "xlsxwriter")


def manifest(
    given: ReportInput, document: Document, files: Mapping[str, bytes], languages: Sequence[Language]
) -> bytes:
    """Return the manifest of a report's other files."""
    found = {
        "report": document.number,
        "title": {"zh": document.title.zh, "en": document.title.en},
        "month": f"{given.month:%Y-%m}",
        "scope": given.scope,
        "stage": given.stage.value,
        "as_of": told(given.as_of),
        "as_of_day": civil_day(given.as_of).isoformat(),
        "simulated": document.simulated,
        "languages": list(languages),
        "versions": {**{name: _version(name) for name in _PARTS}, "rules": rule_versions()},
        "baseline": None if given.baseline is None else _approved(given.baseline),
        "policy": None if given.policy is None else _approved(given.policy),
        "inputs": _inputs(given),
        "files": {
            name: {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])}
            for name in sorted(files)
        },
    }
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _approved(record: Any) -> dict[str, Any]:
    return {"version": record.version, "approved_by": record.approved_by, "hash": record.hash}


def _inputs(given: ReportInput) -> dict[str, Any]:
    """Count and hash what was known as of the report: what came later does not change it."""
    facts = [
        # An end that came later was not known.
        (
            *(fact.scope, fact.month, fact.measure, fact.value, fact.coverage, fact.source, fact.known_from),
            fact.known_to if fact.known_to and fact.known_to <= given.as_of else None,
        )
        for fact in given.facts
        if fact.known_from <= given.as_of
    ]
    versions = [
        (code, asdict(version))
        for code, all_versions in given.ledger.items()
        for version in all_versions
        if version.recorded_at <= given.as_of
    ]
    return {
        "facts": {"count": len(facts), "sha256": _hash(facts)},
        "accident_versions": {"count": len(versions), "sha256": _hash(versions)},
        "accidents_counting": len(known_at(given, given.as_of).accidents),
    }


def _hash(rows: Iterable[Any]) -> str:
    """Hash rows whatever their order."""
    lines = sorted(json.dumps(row, default=_plain, sort_keys=True, ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in the input of a report")

"""The tables of `docs/registry.md`, made from the layouts."""

from __future__ import annotations

from fleet.registry_import.column import Kind, Need
from fleet.registry_import.layout import LAYOUTS

_NEEDS = {Need.ALWAYS: "always", Need.WHEN_NEW: "when new", Need.NO: ""}


def table(kind: Kind) -> str:
    """Return the Markdown table of one kind's columns."""
    rows = ["| column | also called | needed | from a time on | meaning |", "|---|---|---|---|---|"]
    for column in LAYOUTS[kind].columns:
        cells = (
            f"`{column.name}`",
            ", ".join(column.synonyms),
            _NEEDS[column.need],
            "yes" if column.effective else "",
            column.meaning.en + (" (personal: never shown)" if column.personal else ""),
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def heading(kind: Kind) -> str:
    """Return the Markdown heading over it: the names of its sheet."""
    return f"### {', '.join((kind, *LAYOUTS[kind].sheets))}\n"

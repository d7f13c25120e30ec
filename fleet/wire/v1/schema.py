"""JSON Schemas (draft 2020-12) and the tables of `docs/device-protocol.md`, generated from the types.

`python -m fleet.wire.v1.schema docs` writes both; a test fails while the committed ones differ. A schema
is necessary, not sufficient: it cannot say that a payload is at most 4 MiB of UTF-8, nor that the thirtieth
of February is no day.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from fleet.wire.reasons import Reason
from fleet.wire.topics import Kind
from fleet.wire.v1.payloads import (
    MAX_ELEMENTS,
    AckIn,
    CameraIn,
    CommandOut,
    FixIn,
    HealthIn,
    Signals,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DRAFT = "https://json-schema.org/draft/2020-12/schema"
STRUCTS: dict[Kind, type[msgspec.Struct]] = {
    Kind.FIX: FixIn,
    Kind.HISTORY: FixIn,
    Kind.CAMERA: CameraIn,
    Kind.HEALTH: HealthIn,
    Kind.ACK: AckIn,
    Kind.COMMAND: CommandOut,
}
#: Both of `lat` and `lon` are numbers, or neither is there.
_PAIRED = {
    "anyOf": [
        {"required": ["lat", "lon"], "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}}},
        {"properties": {"lat": {"type": "null"}, "lon": {"type": "null"}}},
    ]
}


def schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema of the payloads of one kind."""
    struct: Any = STRUCTS[kind]
    shape = struct
    if kind is not Kind.COMMAND:
        shape = struct | Annotated[list[struct], Meta(min_length=1, max_length=MAX_ELEMENTS)]
    made = msgspec.json.schema(shape)
    if kind is Kind.CAMERA:
        made["$defs"][struct.__name__] |= _PAIRED
    head = {"$schema": DRAFT, "title": f"kerbsafe/v1/{{company}}/{{vehicle}}/{kind}"}
    return head | _renamed(made)


def _renamed(made: dict[str, Any]) -> dict[str, Any]:
    """Take the names of the Python classes out of a schema: `FixIn` is `fix`."""
    text = json.dumps(made)
    for kind, struct in STRUCTS.items():
        if kind is not Kind.HISTORY:
            text = text.replace(struct.__name__, kind)
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def schema_files() -> dict[str, str]:
    """Return the name and text of each file under `docs/schemas/v1`."""
    return {f"{kind}.json": json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n" for kind in STRUCTS}


# ---------------------------------------------------------------- the tables of the docs


def fill_in(page: str) -> str:
    """Return a page with every `<!-- table: NAME -->` … `<!-- end -->` filled in again."""
    tables = {f"fields of {kind}": _field_table(kind) for kind in STRUCTS if kind is not Kind.HISTORY}
    tables["reasons"] = _reason_table()

    def table(match: re.Match[str]) -> str:
        return f"<!-- table: {match[1]} -->\n{tables[match[1]]}<!-- end -->"

    return re.sub(r"<!-- table: ([\w ]+) -->\n.*?<!-- end -->", table, page, flags=re.DOTALL)


def _field_table(kind: Kind) -> str:
    definition = schema(kind)["$defs"][str(kind)] if "$defs" in schema(kind) else schema(kind)
    lines = ["| field | | value | meaning |", "|---|---|---|---|"]
    for name, field in definition["properties"].items():
        need = "required" if name in definition["required"] else ""
        lines.append(f"| `{name}` | {need} | {_values(field)} | {_meaning(field)} |")
    return "\n".join(lines) + "\n"


def _reason_table() -> str:
    lines = [f"| `{reason}` | {reason.sentence} |" for reason in Reason]
    return "\n".join(["| reason | meaning |", "|---|---|", *lines]) + "\n"


def _alternatives(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the branches of a field other than null."""
    for branch in field.get("anyOf", [field]):
        if "anyOf" in branch:
            yield from _alternatives(branch)
        elif branch.get("type") != "null":
            yield branch


def _meaning(field: dict[str, Any]) -> str:
    branch = next(_alternatives(field))
    shared = Signals.__doc__ if "$ref" in branch else ""
    return str(field.get("description") or branch.get("description") or shared).rstrip(".")


def _values(field: dict[str, Any]) -> str:
    branches = list(_alternatives(field))
    if any(branch.get("format") == "date-time" for branch in branches):
        return "a time"
    (branch,) = branches
    if "enum" in branch:
        return ", ".join(f"`{word}`" for word in branch["enum"])
    if "$ref" in branch:
        parts = ", ".join(f"`{name}`" for name in Signals.__struct_fields__)
        return f"an object of {parts}, each `true` or `false`"
    return _PLAIN_VALUES[branch["type"]](branch)


_PLAIN_VALUES: dict[str, Callable[[dict[str, Any]], str]] = {
    "number": lambda b: f"{b['minimum']:,} to {b['maximum']:,}",
    "integer": lambda b: f"{b['minimum']:,} to {b['maximum']:,}, whole",
    "string": lambda b: f"text, {'1 to' if b.get('minLength') else 'at most'} {b['maxLength']} characters",
    "boolean": lambda _: "`true` or `false`",
    "object": lambda _: "an object",
}


def main(docs: Path) -> None:
    """Write the schemas and the tables under a folder of docs."""
    folder = docs / "schemas" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    page = docs / "device-protocol.md"
    page.write_text(fill_in(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

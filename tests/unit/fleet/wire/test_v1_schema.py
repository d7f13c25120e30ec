"""The committed schemas and tables are those of the code, and say what the decoder says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fleet.wire.topics import Kind
from fleet.wire.v1.schema import STRUCTS, fill_in, main, schema, schema_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.wire.v1 import Decoded

    Decode = Callable[..., Decoded]

DOCS = Path(__file__).resolve().parents[4] / "docs"
REMEDY = "run: .venv/bin/python -m fleet.wire.v1.schema docs"


def test_committed_schemas_are_those_of_the_code() -> None:
    committed = {path.name: path.read_text("utf-8") for path in (DOCS / "schemas" / "v1").iterdir()}
    assert committed == schema_files(), REMEDY


def test_tables_of_the_device_protocol_are_those_of_the_code() -> None:
    page = (DOCS / "device-protocol.md").read_text("utf-8")
    assert fill_in(page) == page, REMEDY
    assert page.count("<!-- table:") == len(STRUCTS)  # history has that of fix; and the reasons


def test_the_remedy_writes_them(tmp_path: Path) -> None:
    (tmp_path / "device-protocol.md").write_text("<!-- table: reasons -->\nold\n<!-- end -->\n")
    main(tmp_path)
    assert "`too_old`" in (tmp_path / "device-protocol.md").read_text()
    assert json.loads((tmp_path / "schemas/v1/fix.json").read_text()) == schema(Kind.FIX)


@pytest.mark.parametrize("kind", STRUCTS)
def test_a_schema_is_one(kind: Kind) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert "In" not in {name[-2:] for name in schema(kind).get("$defs", {})}


VALID: dict[str, dict[str, Any]] = {
    "fix": {"time": "2026-08-22T10:00:00Z", "lat": 30.5, "lon": 120},
    "camera": {"time": 1_787_392_800_000, "id": "a", "side": "right", "phase": "start"},
    "health": {"time": 1_787_392_800_000.5, "camera": "ok"},
    "ack": {"time": "2026-08-22T18:00:00.5+08:00", "id": "a", "result": "done"},
}
#: Values near every border. Not 7.0: to a schema it is an integer, to the decoder it is not.
VALUES = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        7.5,
        90,
        90.1,
        -90,
        -91,
        180,
        181,
        200,
        201,
        255,
        256,
        360,
        360.5,
        400,
        401,
    ),
    *(-500, -501, 9000, 9001, 20_000_000, 20_000_001, 1e300, -62_135_596_800_000, -62_135_596_800_001),
    *(
        253_402_300_799_999,
        253_402_300_800_000,
        [],
        {},
        [1],
        "",
        "a",
        "ok",
        "x" * 64,
        "x" * 65,
        "x" * 512,
        "x" * 513,
    ),
    *(
        "a\n",
        "a\0",
        "嘉兴",
        "right",
        "left",
        "start",
        "end",
        "cycle",
        "unknown",
        "loaded",
        "gcj02",
        "cut",
        "fault",
    ),
    *(
        "done",
        "2026-08-22T10:00:00",
        "2026-08-22T10:00:00Z",
        "2026-08-22 10:00:00.123+0800",
        "2026-08-22T10:00:00Z\n",
    ),
    *({"brake": True}, {"brake": None}, {"brake": 1}, {"x": 1}),
]
VALIDATORS = {kind: Draft202012Validator(schema(Kind(kind))) for kind in VALID}
FIELDS = sorted({name for struct in STRUCTS.values() for name in struct.__struct_fields__} | {"x"})


def agree(decoded: Decode, kind: str, document: object) -> bool:
    """Assert that schema and decoder say the same of a document; return what."""
    accepted = not decoded(json.dumps(document), kind=kind).rejects
    errors = [error.message for error in VALIDATORS[kind].iter_errors(document)]
    assert accepted == (not errors), (document, errors)
    return accepted


@pytest.mark.parametrize("kind", VALID)
def test_schema_and_decoder_agree_on_every_value_in_every_field(decoded: Decode, kind: str) -> None:
    assert agree(decoded, kind, VALID[kind])
    verdicts = {agree(decoded, kind, VALID[kind] | {field: value}) for field in FIELDS for value in VALUES}
    assert verdicts == {True, False}
    for field in VALID[kind]:
        assert not agree(decoded, kind, {name: value for name, value in VALID[kind].items() if name != field})


@pytest.mark.parametrize("document", [[], None, 3, "x", {}, [[]], [None], [VALID["fix"]], [VALID["fix"], {}]])
def test_schema_and_decoder_agree_on_shapes(decoded: Decode, document: object) -> None:
    agree(decoded, "fix", document)


@given(
    st.sampled_from(sorted(VALID)),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=4),
)
def test_schema_and_decoder_agree_on_mixtures(decoded: Decode, kind: str, fields: dict[str, Any]) -> None:
    agree(decoded, kind, VALID[kind] | fields)
    agree(decoded, kind, [VALID[kind] | fields, VALID[kind]])

"""Whatever the bytes, a file is planned or refused with a RegistryError."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import openpyxl
from hypothesis import example, given
from hypothesis import strategies as st

from fleet.entities import RegistryError
from fleet.kinds import VehicleKind
from fleet.registry_import.column import Kind
from fleet.registry_import.entry import Choices
from fleet.registry_import.layout import LAYOUTS
from fleet.registry_import.planning import Starts, plan
from fleet.registry_import.reading import read_registry
from fleet.registry_import.understanding import understand
from fleet.textfile import ENCODINGS
from tests.unit.fleet.registry_import.files import workbook

HEADERS = [
    name
    for layout in LAYOUTS.values()
    for column in layout.columns
    for name in (column.name, *column.synonyms)
]


def import_bytes(data: bytes, encoding: str | None = None, kind: Kind | None = None) -> None:
    with contextlib.suppress(RegistryError):
        plan_bytes(data, encoding, kind)


def plan_bytes(data: bytes, encoding: str | None, kind: Kind | None) -> None:
    contents = read_registry(data, encoding=encoding)
    choices = Choices(datum="gcj02", company={"": "JX-9"}, vehicle_kind=VehicleKind.MIXER)
    said = understand(contents.tables, {}, choices, kind)
    made = plan(said.entries, {}, Starts(0, 0), said.problems)
    assert all(problem.words.en and problem.words.zh for problem in made.problems)
    assert all(note.zh for note in (*contents.notes, *said.notes))


kinds = st.none() | st.sampled_from(Kind)


@given(st.binary(), st.none() | st.sampled_from(sorted(ENCODINGS)), kinds)
@example(b"PK\x03\x04", "utf-8", None)
def test_any_bytes(data: Any, encoding: str | None, kind: Kind | None) -> None:
    import_bytes(data, encoding, kind)


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["code", "company", "kind"])
    book.active.append(["M-1", "JX-1", "mixer"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WORKBOOK = _workbook()


@given(
    st.lists(st.tuples(st.integers(4, len(WORKBOOK) - 1), st.integers(0, 255)), max_size=3),
    st.integers(0, 200),
)
def test_any_damaged_workbook(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(WORKBOOK)
    for place, byte in changes:
        data[place] = byte
    import_bytes(bytes(data[: len(data) - cut]))


cells = st.text("ab1-,;\"'\n\t车 ", max_size=6) | st.sampled_from(
    ["60", "mixer", "2026-01-31", "mon 07:00-09:00"]
)


@given(
    st.lists(st.sampled_from(HEADERS), max_size=6), st.lists(st.lists(cells, max_size=7), max_size=4), kinds
)
def test_any_csv(headers: list[str], rows: list[list[str]], kind: Kind | None) -> None:
    text = "\n".join(",".join(row) for row in [headers, *rows])
    import_bytes(text.encode(), kind=kind)


#: What a ledger of vehicles with their drivers may have, and rows that are no data.
LEDGER = ["车牌号", "车型", "企业", "驾驶员", "联系电话", "自编号", "车架号", "合计", "例：", "序号"]
ledger_cells = (
    st.none()
    | st.sampled_from(
        [*LEDGER, "浙F12345", "浙 f12345", "HD", "恒达", "张 三", "无", "-", "=1", "#N/A", "\u202e"]
    )
    | st.integers(-1, 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.booleans()
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4)
)


@given(
    st.lists(st.lists(st.sampled_from(LEDGER), max_size=6), max_size=3),
    st.lists(st.lists(ledger_cells, max_size=7), max_size=5),
    st.sampled_from(["车辆台账", "Sheet1"]),
    kinds,
)
def test_any_ledger(headers: list[list[Any]], rows: list[list[Any]], title: str, kind: Kind | None) -> None:
    import_bytes(workbook(**{title: [*headers, *rows], "驾驶员": rows}), kind=kind)


numbers = st.integers(-(10**20), 10**20) | st.floats() | st.integers(119, 121)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from([*HEADERS, "type", "coordinates", "features", "properties"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*Kind, "车辆", "x"]), values, max_size=3) | values, kinds)
def test_any_json(document: Any, kind: Kind | None) -> None:
    import_bytes(json.dumps(document).encode(), kind=kind)


positions = st.lists(st.sampled_from([0, 1, 2, 120.5, -1e308, 1e-320]) | numbers, min_size=1, max_size=3)
rings = st.lists(positions, max_size=6).map(lambda ring: [*ring, *ring[:1]])


@given(st.lists(rings, max_size=3), st.sampled_from(["Polygon", "MultiPolygon"]))
def test_any_polygon(polygon: Any, kind: Kind | None) -> None:
    coordinates = polygon if kind == "Polygon" else [polygon, polygon]
    feature = {
        "type": "Feature",
        "properties": {"code": "F-1", "kind": "site"},
        "geometry": {"type": kind, "coordinates": coordinates},
    }
    import_bytes(json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())

"""The document says what the server does: every route, every parameter, every problem."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from console.openapi import PREFIX, document
from console.pages import Pages
from console.server import OPERATIONS, make_app

if TYPE_CHECKING:
    from console.operation import Operation

DOCUMENT = document(OPERATIONS)


def described() -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_every_route_of_the_api_is_described_and_no_other() -> None:
    app = make_app(SimpleNamespace(pages=Pages({}), tiles=None))
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith(PREFIX)
        and route.method != "HEAD"
    }
    assert served - {("GET", f"{PREFIX}/openapi.json")} == described()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_each_operation_is_described_whole(operation: Operation) -> None:
    found: dict[str, Any] = DOCUMENT["paths"][PREFIX + operation.path][operation.method.lower()]
    assert found["operationId"] == operation.name
    assert found["summary"].endswith(".")
    in_path = {one["name"] for one in found["parameters"] if one["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", operation.path))
    assert all(one["description"] and one["schema"] for one in found["parameters"])
    assert ("security" in found and found["security"] == []) == operation.is_open
    assert {str(status) for status in operation.answers} <= set(found["responses"])
    assert "400" in found["responses"]


def test_names_are_unique() -> None:
    names = [one.name for one in OPERATIONS]
    assert len(names) == len(set(names))


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert references <= set(schemas)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    from kerbsafe.cli import main  # noqa: PLC0415

    assert main(["console", "openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT

"""The OpenAPI 3.1 document, made from the operations themselves."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from console import problems
from console.models.handling import StaleVersion
from console.problems import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from console.operation import Operation

PREFIX = "/api/v1"
_REFERENCE = "#/components/schemas/{name}"
#: What any operation may answer with.
_OF_ALL = (Kind.BAD_REQUEST, Kind.MISDIRECTED, Kind.REFUSED, Kind.OVERLOADED)
_OF_CLOSED = (Kind.LOGIN_REQUIRED, Kind.NEW_PASSWORD_REQUIRED)
#: Problems that say more than others.
_BODIES: dict[int, type[msgspec.Struct]] = {Kind.STALE_VERSION.status: StaleVersion}
_ABOUT = """\
What the console shows, for programs. Log in with a token: `kerbsafe console token add NAME`, with
`--scope act` if it is to do something to alerts or to order something of a vehicle, then
`Authorization: Bearer ks_…`. Errors are problem documents (RFC 9457). Times are RFC 3339 and UTC,
positions WGS 84, speeds km/h. Lists come in pages: repeat the request with `after` = `next` until
`next` is null."""


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document."""
    types = [answer.body for one in operations for answer in one.answers.values() if answer.body is not None]
    types += [one.body for one in operations if one.body is not None]
    types += [Problem, *_BODIES.values()]
    _, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kerbsafe console",
            "version": version("kerbsafe"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "kerbsafe"},
            },
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": [*_parameters(one.place, "path"), *_parameters(one.query, "query")],
        "responses": {**_answers(one), **_problems(one)},
    }
    if one.is_open:
        described["security"] = []
    if one.body is not None:
        content = {"application/json": {"schema": _schema(one.body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answers(one: Operation) -> dict[str, Any]:
    answers = {}
    for status, answer in one.answers.items():
        described: dict[str, Any] = {"description": answer.about}
        if answer.body is not None:
            described["content"] = {answer.media: {"schema": _schema(answer.body)}}
        answers[str(status)] = described
    return answers


def _problems(one: Operation) -> dict[str, Any]:
    kinds = [*_OF_ALL, *(() if one.is_open else _OF_CLOSED), *one.problems]
    return {
        str(status): {
            "description": " / ".join(titles),
            "content": {problems.CONTENT_TYPE: {"schema": _schema(_BODIES.get(status, Problem))}},
        }
        for status, titles in _by_status(kinds)
    }


def _by_status(kinds: Iterable[Kind]) -> list[tuple[int, list[str]]]:
    titles: dict[int, list[str]] = {}
    for kind in kinds:
        titles.setdefault(kind.status, []).append(kind.title)
    return sorted(titles.items())


def _parameters(struct: type[msgspec.Struct], where: str) -> list[dict[str, Any]]:
    """Return the fields of a struct as parameters."""
    (_,), components = msgspec.json.schema_components([struct], ref_template=_REFERENCE)
    described = components[struct.__name__]
    parameters = []
    for name, described_as in described["properties"].items():
        schema = _without_null(described_as)
        parameters.append(
            {
                "name": name,
                "in": where,
                "required": where == "path" or name in described.get("required", ()),
                "description": schema.pop("description", name.replace("_", " ")),
                "schema": schema,
            }
        )
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that is given: one that may be left out is not null."""
    rest = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return {**choices[0], **rest} if choices else rest


def _schema(of: type[msgspec.Struct]) -> dict[str, Any]:
    return {"$ref": _REFERENCE.format(name=of.__name__)}

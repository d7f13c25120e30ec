"""What the command line offers without importing the code is what the code has."""

from __future__ import annotations

from console import accounts
from fleet.credentials import Role
from fleet.datum import DATUMS
from fleet.registry_import.column import Kind
from fleet.textfile import ENCODINGS
from kerbsafe.cli import build_parser
from kerbsafe.commands import console, device, registry


def test_kinds_and_roles() -> None:
    assert list(registry._KINDS) == list(Kind)
    assert list(device._ROLES) == list(Role)
    assert console._ROLES == accounts.ROLES
    assert console._SCOPES == accounts.SCOPES


def test_datums_and_encodings() -> None:
    parser = build_parser()
    for option, values in (("--datum", DATUMS), ("--encoding", ENCODINGS)):
        for value in values:
            parser.parse_args(["registry", "import", "FILE", option, value])

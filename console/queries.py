"""The console's SQL: what its API, its feed and its positions ask of the store."""

from __future__ import annotations

from pathlib import Path

from fleet.db import Queries

QUERIES = Queries(Path(__file__).with_name("queries.sql"))

"""What the benches share: a city on real parts, traffic, a publisher in a process apart, floors, peers."""

from pathlib import Path

from fleet.db import Queries

QUERIES = Queries(Path(__file__).with_name("queries.sql"))

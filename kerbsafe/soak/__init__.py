"""A storm of faults over real parts, and whether anything was lost, doubled or judged otherwise.

The city (`city`) is TimescaleDB, Mosquitto, ingest and worker, with a proxy on each way between them
(`proxy`); trucks (`devices`) send a course of fixes that are late, doubled and disordered (`course`);
faults (`faults`) strike at seeded moments (`storm`); at the end the store is compared with what was sent
(`verdict`).
"""

from pathlib import Path

from fleet.db import Queries

QUERIES = Queries(Path(__file__).with_name("queries.sql"))

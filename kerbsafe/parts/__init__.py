"""Find, start and stop the real parts that tests, benches and the demo run on.

Each is a context manager that yields a small frozen handle: `embedded_postgres`, `timescaledb`,
`embedded_broker`, `mosquitto`, `chromium`. What cannot be had raises `PartUnavailableError` with reason and
remedy. `KERBSAFE_TEST_PARTS=none` hides those that are not wheels, as if this machine had none.
"""

from kerbsafe.parts.chromium import Chromium, chromium
from kerbsafe.parts.mqtt import (
    Broker,
    MosquittoOptions,
    embedded_broker,
    mosquitto,
    with_mosquitto_clients,
)
from kerbsafe.parts.part import (
    PartFailedError,
    PartUnavailableError,
    cache_dir,
    free_port,
    hidden,
    must_be_here,
)
from kerbsafe.parts.postgres import PostgresServer, embedded_postgres, timescaledb
from kerbsafe.parts.postgres_programs import embedded_programs
from kerbsafe.parts.process import Process, kerbsafe_process

__all__ = [
    "Broker",
    "Chromium",
    "MosquittoOptions",
    "PartFailedError",
    "PartUnavailableError",
    "PostgresServer",
    "Process",
    "cache_dir",
    "chromium",
    "embedded_broker",
    "embedded_postgres",
    "embedded_programs",
    "free_port",
    "hidden",
    "kerbsafe_process",
    "mosquitto",
    "must_be_here",
    "timescaledb",
    "with_mosquitto_clients",
]

"""Find, start and stop the real parts that tests, benches and the demo run on.

Each is a context manager that yields a small frozen handle: `embedded_postgres`, `timescaledb`,
`embedded_broker`, `mosquitto`, `chromium`. What cannot be had raises `PartUnavailableError` with reason and
remedy.
"""

from kerbsafe.parts.chromium import Chromium, chromium
from kerbsafe.parts.mqtt import Broker, MosquittoOptions, embedded_broker, mosquitto
from kerbsafe.parts.part import PartFailedError, PartUnavailableError, cache_dir, free_port
from kerbsafe.parts.postgres import PostgresServer, embedded_postgres, timescaledb
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
    "free_port",
    "kerbsafe_process",
    "mosquitto",
    "timescaledb",
]

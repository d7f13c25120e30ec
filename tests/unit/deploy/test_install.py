"""deploy/install and what it puts on a machine; tests/integration/deploy/test_machine.py does it on one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from alerts.worker import DEFAULT_PORT as WORKER_PORT
from console.process import DEFAULT_WATCH_PORT as CONSOLE_PORT
from fleet.environment import read_settings, unknown_settings
from ingest.process import DEFAULT_PORT as INGEST_PORT
from tests.door import program

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
SCRIPTS = sorted(
    path
    for path in DEPLOY.iterdir()
    if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh", b"#!/usr/bin/env bash"))
)


def install(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [DEPLOY / "install", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def settings(path: Path) -> set[str]:
    """The lines of a file that are no comments."""
    return {line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")}


def test_install_says_what_it_does() -> None:
    status, said = install("--help")
    assert status == 0
    assert said.startswith("usage: deploy/install [--wheels DIR]\n")


def test_install_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    assert install("--wheel", "x") == (2, "install: what is '--wheel'? See deploy/install --help\n")
    assert install("--wheels") == (2, "install: --wheels: nothing is not a folder\n")
    assert install("--wheels", f"{tmp_path}/none") == (
        2,
        f"install: --wheels: {tmp_path}/none is not a folder\n",
    )
    assert install("--wheels", str(tmp_path)) == (
        2,
        f"install: --wheels: there is no kerbsafe-*.whl in {tmp_path}\n",
    )


def test_the_broker_is_the_same_as_in_a_container() -> None:
    """But for paths, and for what Debian's /etc/mosquitto/mosquitto.conf says already."""
    container = settings(DEPLOY / "mosquitto/mosquitto.conf")
    assert settings(DEPLOY / "mosquitto/systemd.conf") == {
        line.replace("/mosquitto/credentials", "/etc/mosquitto/kerbsafe").replace(
            "listener 1883", "listener 1883 127.0.0.1"
        )
        for line in container
        - {
            "persistence true",
            "persistence_location /mosquitto/data/",
            "log_dest stderr",
            "include_dir /mosquitto/config/devices",
        }
    }
    assert settings(DEPLOY / "mosquitto/systemd-devices.conf") == {
        re.sub(r"/run/secrets/(\w+)", r"/etc/mosquitto/kerbsafe/\1.pem", line).replace(
            "/mosquitto/credentials", "/etc/mosquitto/kerbsafe"
        )
        for line in settings(DEPLOY / "mosquitto/devices-tls/devices.conf")
    }


@pytest.mark.parametrize(
    "name", ["mosquitto/systemd.conf", "mosquitto/systemd-devices.conf", "systemd/mosquitto.conf"]
)
def test_install_knows_its_own_files_again(name: str) -> None:
    assert (DEPLOY / name).read_text("utf-8").startswith("# Kerbsafe: ")


def test_a_persons_command_has_the_settings_of_composes_operator() -> None:
    exported = dict(
        re.findall(r"^export (KERBSAFE_\w+)=(\S+)$", (DEPLOY / "kerbsafe").read_text("utf-8"), re.MULTILINE)
    )
    assert unknown_settings(exported) == []
    read_settings({name: value for name, value in exported.items() if "$secrets" not in value})
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    theirs = set(compose["services"]["operator"]["environment"])
    # Without containers every process answers on this machine, where it is looked for anyway.
    assert set(exported) == theirs - {"KERBSAFE_HTTP_HOST", "KERBSAFE_LOG_LEVEL", "KERBSAFE_PROBES"}


def test_prometheus_asks_every_process_where_its_unit_answers() -> None:
    [job] = yaml.safe_load((DEPLOY / "prometheus/kerbsafe.yml").read_text("utf-8"))["scrape_configs"]
    assert job["job_name"] == "kerbsafe"
    asked = {one["labels"]["process"]: one["targets"] for one in job["static_configs"]}
    ports = {"ingest": INGEST_PORT, "worker": WORKER_PORT, "console": CONSOLE_PORT}
    assert asked == {process: [f"127.0.0.1:{port}"] for process, port in ports.items()}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    shellcheck = program("shellcheck", "shellcheck")
    done = subprocess.run([shellcheck, script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == ""

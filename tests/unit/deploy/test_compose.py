"""The compose files: nothing is published or trusted by accident. With the client, it reads them itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.worker import DEFAULT_PORT as WORKER_PORT
from console.process import DEFAULT_WATCH_PORT as CONSOLE_PORT
from fleet.environment import read_settings, unknown_settings
from fleet.grants import ROLES
from ingest.gateway.process import DEFAULT_PORT as GATEWAY_PORT
from ingest.process import DEFAULT_PORT as INGEST_PORT
from kerbsafe.cli import build_parser
from tests import door

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
GATEWAY = yaml.safe_load((DEPLOY / "compose.gateway.yaml").read_text("utf-8"))
TLS = yaml.safe_load((DEPLOY / "compose.tls.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("kerbsafe:")}
ONCE = {"migrate", "credentials", "operator"}
LONG_RUNNING = set(SERVICES) - ONCE
PORTS = {"ingest": INGEST_PORT, "worker": WORKER_PORT, "console": CONSOLE_PORT}


def default(text: object) -> str:
    """Return what a value is where .env says nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text))


@pytest.mark.parametrize("name", SERVICES)
def test_everything_is_published_on_loopback_until_configured(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert default(port).startswith("127.0.0.1:"), port


def test_what_is_published() -> None:
    inside = {
        name: [default(port).rsplit(":", 1)[-1] for port in s.get("ports", [])]
        for name, s in SERVICES.items()
    }
    published = {name: ports for name, ports in inside.items() if ports}
    assert published == {
        "broker": ["8883"],
        "console": ["9400"],
        "prometheus": ["9090"],
        "grafana": ["3000"],
    }
    for name in published:
        assert "outside" in SERVICES[name]["networks"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", sorted(LONG_RUNNING))
def test_long_running_services_are_bounded_watched_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert re.fullmatch(r"\d+[mg]", default(service["mem_limit"]))
    assert 0 < float(default(service["cpus"])) <= 2
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"database"}))
def test_no_service_but_the_database_keeps_a_privilege(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(OURS | {"broker", "prometheus"}))
def test_root_file_systems_are_read_only(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_runs_once_is_not_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_commands_and_settings_exist(name: str) -> None:
    service = SERVICES[name]
    build_parser(service["command"]).parse_args(service["command"])
    environment = {key: default(value) for key, value in service["environment"].items()}
    assert unknown_settings(environment) == []
    read_settings({key: value for key, value in environment.items() if "/run/secrets" not in value})
    secrets = {value for value in environment.values() if value.startswith("/run/secrets/")}
    assert secrets <= {f"/run/secrets/{secret}" for secret in service["secrets"]}


@pytest.mark.parametrize("role", ROLES)
def test_each_process_has_its_own_role_and_only_its_secret(role: str) -> None:
    service = SERVICES[role.removeprefix("kerbsafe_")]
    assert f"//{role}@" in service["environment"]["KERBSAFE_DSN"]
    password = f"db_{role.removeprefix('kerbsafe_')}"
    assert [secret for secret in service["secrets"] if secret.startswith("db_")] == [password]


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_health_is_what_readyz_says(name: str, port: int) -> None:
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "ready", str(port)]
    targets = yaml.safe_load((DEPLOY / "prometheus/targets/compose.yml").read_text("utf-8"))
    assert {"targets": [f"{name}:{port}"], "labels": {"process": name}} in targets


def test_images_are_pinned() -> None:
    for service in SERVICES.values():
        if not service["image"].startswith("kerbsafe:"):
            assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+(-\w+)?(@sha256:[0-9a-f]{64})?", service["image"])
    by_digest = {name for name, service in SERVICES.items() if "@sha256:" in service["image"]}
    assert by_digest == {"prometheus", "grafana"}  # docs/operations.md says which are not, and why


def test_what_builds_is_checked_by_hash() -> None:
    tools = (DEPLOY / "build-tools.txt").read_text("utf-8")
    pinned = re.findall(r"^([\w.-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", tools, re.MULTILINE)
    assert len(pinned) == tools.count("==")
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    assert {"uv", *backend} <= set(pinned)
    for file in ("Makefile", "deploy/Dockerfile", "deploy/install"):
        text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
        installs = re.findall(r"^.*\bpip(?: --\S+)* (?:install|sync) .*$", text, re.MULTILINE)
        assert installs
        checked = ("--require-hashes", "--no-deps", "--no-index")
        assert [line for line in installs if not any(option in line for option in checked)] == []
        assert all(
            "--require-hashes" in line
            for line in re.findall(r"^.*\bbuild --(?:wheel|quiet).*$", text, re.MULTILINE)
        )


def test_the_page_says_how_the_worker_can_read_the_secret_of_the_webhook() -> None:
    """A file that only root may read is not the container's user's."""
    page = " ".join((ROOT / "docs/operations.md").read_text("utf-8").split())
    assert "`deploy/secrets/webhook`, with `chmod 444`" in page


def test_every_file_that_is_mounted_exists() -> None:
    for service in [*SERVICES.values(), *TLS["services"].values()]:
        for volume in service.get("volumes", []):
            source = default(volume).split(":")[0]
            if source.startswith("./") and source != "./files":
                assert (DEPLOY / source).exists(), source


def test_secrets_are_files_that_prepare_makes_and_git_does_not_know(tmp_path: Path) -> None:
    files = {secret["file"] for secret in (COMPOSE["secrets"] | GATEWAY["secrets"]).values()}
    assert {Path(file).parent.as_posix() for file in files} == {"secrets"}
    prepare = shutil.copy(DEPLOY / "prepare", tmp_path)
    subprocess.run([prepare], check=True, capture_output=True)
    made = {f"./secrets/{path.name}": path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == files
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in made.values())
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    subprocess.run([prepare], check=True, capture_output=True)
    assert {f"./secrets/{path.name}": path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    ignored = (DEPLOY / ".gitignore").read_text("utf-8").splitlines()
    assert {"/secrets/", "/.env"} <= set(ignored)


def test_everything_that_env_example_offers_is_read() -> None:
    offered = re.findall(r"^#([A-Z_]+)=", (DEPLOY / "env.example").read_text("utf-8"), re.MULTILINE)
    known = "".join(path.read_text("utf-8") for path in DEPLOY.glob("compose*.yaml"))
    assert offered
    assert [name for name in offered if f"${{{name}:" not in known and name != "COMPOSE_FILE"] == []


def test_the_image_gets_every_package_and_no_more() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    packages = re.search(r"^packages = (\[.*\])$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert packages is not None
    copied = re.findall(r"^COPY (\w+)/ \1/$", dockerfile, re.MULTILINE)
    # Of benchmarks/ the wheel takes the naive peers.
    assert sorted(copied) == sorted([*json.loads(packages[1]), "benchmarks"])
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert next(line for line in allowed if not line.startswith("#")) == "*"
    assert {f"!{package}" for package in copied} <= set(allowed)
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)


# ---------------------------------------------------------------- as the client reads them


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """The command of Docker's client, which needs no engine to read a file."""
    forms = (("docker", "compose"), ("docker-compose",))
    commands = [[found, *words] for name, *words in forms if (found := door.look_for(name))]
    working = (command for command in commands if works(command))
    return next(working, None) or door.lacking_program("docker compose", "docker-compose")


def works(command: list[str]) -> bool:
    done = subprocess.run([*command, "version"], capture_output=True, check=False, timeout=30)
    return done.returncode == 0


@pytest.mark.parametrize(
    "files", [["compose.yaml"], ["compose.yaml", "compose.tls.yaml"]], ids=["plain", "tls"]
)
def test_the_client_accepts_the_files(compose: list[str], files: list[str], tmp_path: Path) -> None:
    for name in ("compose.yaml", "compose.tls.yaml"):
        shutil.copy(DEPLOY / name, tmp_path)
    shutil.copy(DEPLOY / "env.example", tmp_path / ".env")
    chosen = [word for file in files for word in ("-f", str(tmp_path / file))]
    command = [*compose, *chosen, "--profile", "operator", "config", "--format", "json"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower()
    read = json.loads(done.stdout)["services"]
    assert set(read) == set(SERVICES)
    assert {name for name, service in read.items() if service["restart"] == "no"} == ONCE
    assert {port["host_ip"] for service in read.values() for port in service.get("ports", [])} == {
        "127.0.0.1"
    }
    [mounted] = [v["source"] for v in read["broker"]["volumes"] if v["target"] == "/mosquitto/config/devices"]
    assert Path(mounted).name == ("devices-tls" if "compose.tls.yaml" in files else "devices")


def test_the_gateway_is_bounded_and_published_on_loopback_until_configured() -> None:
    service = GATEWAY["services"]["gateway"]
    assert [default(port) for port in service["ports"]] == ["127.0.0.1:6808:6808"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert re.fullmatch(r"\d+[mg]", default(service["mem_limit"]))
    assert service["healthcheck"]["test"] == ["CMD", "ready", str(GATEWAY_PORT)]
    assert [secret for secret in service["secrets"] if secret.startswith("db_")] == ["db_gateway"]


@pytest.mark.parametrize("name", ["gateway", "credentials-gateway"])
def test_commands_and_settings_of_the_gateway_exist(name: str) -> None:
    service = GATEWAY["services"][name]
    build_parser(service["command"]).parse_args(service["command"])
    environment = {key: default(value) for key, value in service["environment"].items()}
    assert unknown_settings(environment) == []
    read_settings({key: value for key, value in environment.items() if "/run/secrets" not in value})
    secrets = {value for value in environment.values() if value.startswith("/run/secrets/")}
    assert secrets <= {f"/run/secrets/{secret}" for secret in service["secrets"]}
    assert set(service["secrets"]) <= set(GATEWAY["secrets"]) | set(COMPOSE["secrets"])


def test_the_gateway_leaves_the_other_services_their_secrets() -> None:
    assert set(SERVICES["database"]["secrets"]) < set(GATEWAY["services"]["database"]["secrets"])

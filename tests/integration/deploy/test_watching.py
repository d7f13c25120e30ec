"""A whole installation from deploy/: under its roles, behind its broker, watched by its Prometheus.

Every expression of the dashboards is asked of a real Prometheus that reads the real pages, and must answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from kerbsafe import parts
from kerbsafe.parts.part import Part, Program, free_port, stopping
from tests.door import program
from tests.integration.deploy.conftest import CODES, ROOT, DeployedMosquitto
from tests.unit.deploy.promql import OF_EVERY_TARGET, TARGET_LABELS, reads, series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.deploy.conftest import Deployed

pytestmark = pytest.mark.parametrize("server", ["timescaledb"], indirect=True)
#: Messages of `sent`.
SENT = 63
PROCESSES = ("ingest", "worker", "console", "gateway")
BOARDS = sorted(ROOT.glob("deploy/grafana/dashboards/*.json"))
EXPRESSIONS = [
    target["expr"]
    for board in BOARDS
    for panel in json.loads(board.read_text("utf-8"))["panels"]
    for target in panel.get("targets", [])
]


@dataclass(frozen=True)
class Watched:
    """The running processes, and a truck."""

    #: Of the probes of each process.
    ports: dict[str, int]
    console_port: int
    device_port: int
    secret: str
    logs: dict[str, Path]

    def page(self, process: str) -> str:
        return get(self.ports[process], "/metrics")

    def samples(self) -> dict[str, float]:
        """Every sample of ingest, added up over its labels."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(self.page("ingest")):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    async def publish(self, *messages: tuple[str, object]) -> None:
        """Send as the truck B-1."""
        v5 = aiomqtt.ProtocolVersion.V5
        async with aiomqtt.Client(
            "127.0.0.1", self.device_port, username="B-1", password=self.secret, protocol=v5
        ) as device:
            for kind, payload in messages:
                body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
                await device.publish(f"kerbsafe/v1/b/B-1/{kind}", body, qos=1)


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return str(answer.read().decode())


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def watched(
    deployed: Deployed, broker_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Broker and processes, each with the settings that the compose file gives it."""
    folder = tmp_path_factory.mktemp("watched")
    (broker_files / "console_admin").write_text("0f1e2d3c4b5a69788796a5b4\n")
    (broker_files / "gateway_codes").write_text("2b1d0f3e5c4a69788796a5b4c3d2e1f0\n")
    options = DeployedMosquitto(folder=broker_files, device_port=free_port())
    console_port = free_port()
    with ExitStack() as stack:
        broker = stack.enter_context(parts.mosquitto(options))
        settings = {
            "KERBSAFE_BROKER": f"mqtt://kerbsafe.ingest@127.0.0.1:{broker.port}",
            "KERBSAFE_BROKER_PASSWORD_FILE": str(broker_files / "broker_ingest"),
            "KERBSAFE_CONSOLE_PORT": str(console_port),
            "KERBSAFE_CONSOLE_ADMIN_PASSWORD_FILE": str(broker_files / "console_admin"),
        }
        of = {
            "gateway": {
                "KERBSAFE_BROKER": f"mqtt://kerbsafe.gateway@127.0.0.1:{broker.port}",
                "KERBSAFE_BROKER_PASSWORD_FILE": str(broker_files / "broker_gateway"),
                "KERBSAFE_GATEWAY_SECRET_FILE": str(broker_files / "gateway_codes"),
                "KERBSAFE_GATEWAY_PORT": "0",
            }
        }
        logs = {process: folder / f"{process}.log" for process in PROCESSES}
        secret = (broker_files / "B-1").read_text()
        made = Watched({}, console_port, options.device_port, secret, logs)
        for process in PROCESSES:
            running = parts.kerbsafe_process(
                process,
                settings=deployed.settings(process) | settings | of.get(process, {}),
                log_path=logs[process],
            )
            made.ports[process] = stack.enter_context(running).port
            if process == "ingest":  # before the worker looks at the store for the first time
                asyncio.run(made.publish(*sent()))
                wait_until(lambda: made.samples()["kerbsafe_ingest_messages_total"] >= SENT, "all is counted")
        yield made


def drive(seconds: int, speed_kmh: int) -> list[tuple[str, object]]:
    """1 Hz fixes that end now."""
    now_ms = int(time.time() * 1000)
    return [
        (
            "fix",
            {
                "time": now_ms - 1000 * (seconds - i),
                "lat": 30.7 + i * 2e-4,
                "lon": 120.7,
                "speed_kmh": speed_kmh,
            },
        )
        for i in range(seconds)
    ]


def sent() -> list[tuple[str, object]]:
    """A speeding drive, a repetition, rubbish and a back-fill."""
    fixes = drive(60, 80)
    last_week = {"time": int(time.time() * 1000) - 7 * 86_400_000, "lat": 30.7, "lon": 120.7}
    return [*fixes, fixes[0], ("fix", b"{"), ("history", [last_week])]


def test_what_a_truck_sends_is_counted(watched: Watched) -> None:
    wait_until(lambda: "kerbsafe_broker_stored_messages" in watched.samples(), "the broker is heard")
    samples = watched.samples()
    for name, value in {
        "kerbsafe_ingest_observations_total": SENT,
        "kerbsafe_ingest_stored_total": 61,
        "kerbsafe_ingest_duplicates_total": 1,
        "kerbsafe_ingest_rejected_total": 1,
        "kerbsafe_ingest_episodes_total": 1,
        "kerbsafe_ingest_alert_seconds_count": 1,
        "kerbsafe_ingest_connected": 1,
        "kerbsafe_ingest_caught_up": 1,
        "kerbsafe_ingest_vehicles_reporting": 1,
        "kerbsafe_mqtt_received_messages_total": SENT,
        "kerbsafe_mqtt_acknowledged_total": SENT,
        "kerbsafe_mqtt_unacknowledged_messages": 0,
        "kerbsafe_mqtt_connects_total": 2,
        "kerbsafe_broker_dropped_messages_total": 0,
    }.items():
        assert samples[name] == value, name
    assert samples["kerbsafe_ingest_days_ahead"] in {2, 3}  # 2 for the minute after a midnight
    assert 0 < samples["kerbsafe_ingest_ack_seconds_sum"] < 60
    assert abs(samples["kerbsafe_ingest_clock_skew_seconds"]) < 30
    worker = watched.page("worker")
    assert f"kerbsafe_vehicles_registered {len(CODES):.1f}" in worker
    assert 'kerbsafe_alerts_unfinished{rule="speeding",severity="2",state="open"} 1.0' in worker


def test_every_name_and_label_stands_on_a_page(watched: Watched) -> None:
    get(watched.console_port, "/")
    on_pages: dict[str, set[str]] = {}
    for process in PROCESSES:
        for family in text_string_to_metric_families(watched.page(process)):
            if family.type in ("counter", "gauge", "histogram"):
                labels = {label for sample in family.samples for label in sample.labels} - {"le"}
                for name, found in series([(family, labels)]).items():
                    on_pages[name] = on_pages.get(name, set()) | found
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))["groups"]
    alerts = [rule["expr"] for group in rules for rule in group["rules"]]
    for expression in [*EXPRESSIONS, *alerts]:
        for name, labels in reads(expression):
            assert name in on_pages or name in OF_EVERY_TARGET, expression
            assert labels <= on_pages.get(name, set()) | TARGET_LABELS, expression


def test_no_log_holds_a_secret(watched: Watched, deployed: Deployed, broker_files: Path) -> None:
    secrets = [path.read_text().strip() for path in deployed.secrets.iterdir()]
    secrets += [
        (broker_files / name).read_text().strip()
        for name in ("broker_ingest", "broker_gateway", "gateway_codes", "console_admin", "B-1")
    ]
    for log in watched.logs.values():
        text = log.read_text("utf-8")
        assert [secret for secret in secrets if secret in text] == []


# ---------------------------------------------------------------- with Prometheus


@pytest.fixture(scope="module")
def prometheus(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Prometheus with the files of deploy/, which looks every second here; yields its port."""
    server = program("prometheus", "prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    configuration = (ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8")
    configuration = configuration.replace("15s", "1s").replace("10s", "1s")
    (folder / "prometheus.yml").write_text(configuration, "utf-8")
    shutil.copy(ROOT / "deploy/prometheus/rules.yml", folder)
    targets = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"process": process}}
        for process, port in watched.ports.items()
    ]
    (folder / "targets.yml").write_text(json.dumps(targets), "utf-8")
    argv = (
        server,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
    part = Part(Program("Prometheus", argv), folder / "prometheus.log", answers=lambda: is_ready(port))
    with stopping(part):
        part.start(60)
        yield port


def is_ready(port: int) -> bool:
    try:
        return "Ready" in get(port, "/-/ready")
    except (urllib.error.URLError, OSError):
        return False


def ask(port: int, expression: str) -> list[dict[str, Any]]:
    query = urllib.parse.urlencode({"query": expression.replace("$__rate_interval", "10s")})
    answer = json.loads(get(port, f"/api/v1/query?{query}"))
    assert answer["status"] == "success"
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def test_every_panel_has_an_answer(watched: Watched, prometheus: int) -> None:
    wait_until(lambda: len(ask(prometheus, "up == 1")) == len(PROCESSES), "all targets answer")
    get(watched.console_port, "/")
    twice = "min(count_over_time(kerbsafe_console_request_seconds_count[1m])) >= 2"
    wait_until(lambda: bool(ask(prometheus, twice)), "a request to the console is read twice")
    asyncio.run(watched.publish(*drive(40, 90)))
    wait_until(lambda: watched.samples()["kerbsafe_ingest_stored_total"] >= 90, "the drive is stored")
    seen = "changes(kerbsafe_ingest_stored_total[1m]) >= 1 and min_over_time(up[2s]) == 1"
    wait_until(lambda: bool(ask(prometheus, seen)), "the drive is seen")
    unanswered, deadline_s = set(EXPRESSIONS), time.monotonic() + 60
    while unanswered and time.monotonic() < deadline_s:  # an increase needs two readings of each process
        unanswered = {e for e in unanswered if not ask(prometheus, e)}
        time.sleep(0.1)
    assert unanswered == set()
    [rate] = ask(prometheus, "sum(rate(kerbsafe_ingest_stored_total[3m]))")
    assert float(rate["value"][1]) > 0
    [lag] = ask(
        prometheus, "histogram_quantile(0.95, sum by (le) (rate(kerbsafe_ingest_ack_seconds_bucket[3m])))"
    )
    assert 0 < float(lag["value"][1]) < 10


def test_nothing_fires_in_a_healthy_installation(prometheus: int) -> None:
    def rules() -> list[dict[str, Any]]:
        groups = json.loads(get(prometheus, "/api/v1/rules"))["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: {rule["health"] for rule in rules()} == {"ok"}, "every rule has been evaluated")
    assert len(rules()) > 20
    assert [rule["name"] for rule in rules() if rule["state"] == "firing"] == []
    assert {re.sub(r".*#", "", rule["annotations"]["runbook_url"]) for rule in rules()} == {
        rule["name"].lower() for rule in rules()
    }

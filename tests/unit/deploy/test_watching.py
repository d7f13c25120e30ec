"""Rules and dashboards of deploy/: they name metrics that we have, and rules fire when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.door import program
from tests.unit.deploy.promql import OF_EVERY_TARGET, TARGET_LABELS, families, our_registry, reads, series

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "deploy/prometheus"
BOARDS = sorted(ROOT.glob("deploy/grafana/dashboards/*.json"))
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")


@pytest.fixture(scope="module")
def promtool() -> str:
    return program("promtool", "prometheus")


def panels(board: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(board.read_text("utf-8"))["panels"] if panel["type"] != "row"]


EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in RULES] + [
    (f"{board.stem}: {panel['title']}", target["expr"])
    for board in BOARDS
    for panel in panels(board)
    for target in panel["targets"]
]


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ('up{job="kerbsafe"} == 0', [("up", {"job"})]),
        ("abs(x_y) > 1", [("x_y", set())]),
        ('sum by (le, a) (rate(b_bucket{c=~"d|e"}[$__rate_interval]))', [("b_bucket", {"le", "a", "c"})]),
        ("a < 0.5 * (b offset 15m) and on (i) c or vector(0)", [("a", {"i"}), ("b", {"i"}), ("c", {"i"})]),
    ],
)
def test_what_an_expression_reads(expression: str, read: list[tuple[str, set[str]]]) -> None:
    assert reads(expression) == read


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_metric_and_label_is_there(where: str, expression: str) -> None:
    known = series(families(our_registry())) | OF_EVERY_TARGET
    read = reads(expression)
    assert read, where
    for name, labels in read:
        assert name in known, where
        assert labels <= known[name] | TARGET_LABELS, where


def test_every_metric_of_ours_is_shown_or_watched() -> None:
    """What nobody looks at is not worth keeping; a histogram is looked at by its buckets."""
    used = {name for _, expression in EXPRESSIONS for name, _ in reads(expression)}
    ours = {name for name in series(families(our_registry())) if not name.endswith(("_sum", "_count"))}
    assert ours - used == {
        "kerbsafe_broker_stored_bytes",
        "kerbsafe_console_dropped_listeners_total",
        "kerbsafe_console_positions_query_seconds",
        "kerbsafe_mqtt_acknowledged_total",
        "kerbsafe_mqtt_received_bytes_total",
        "kerbsafe_mqtt_received_messages_total",
        "kerbsafe_mqtt_salvaged_total",
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_dashboards_can_be_read(board: Path) -> None:
    whole = json.loads(board.read_text("utf-8"))
    assert whole["uid"] == f"kerbsafe-{board.stem}"
    assert "id" not in whole  # Grafana gives it one
    ids = [panel["id"] for panel in whole["panels"]]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in whole["panels"]:
        place = panel["gridPos"]
        mine = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert max(x for x, _ in mine) < 24
        assert not mine & cells, panel["title"]
        cells |= mine
    for panel in panels(board):
        assert panel["description"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"prometheus"}
        named = re.findall(r"Kerbsafe[A-Z]\w+", panel["description"])
        assert set(named) <= {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_leads_to_its_section(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "https://github.com/kerbsafe/kerbsafe/blob/main/docs/operations.md"
    assert anchor == rule["alert"].lower()
    section = re.search(rf"^### {rule['alert']}\n\n(.+?)(?=^#|\Z)", OPERATIONS, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert len(section[1]) > 100


def test_no_section_without_a_rule() -> None:
    sections = re.findall(r"^### (Kerbsafe[A-Z]\w+)$", OPERATIONS, re.MULTILINE)
    assert sections == [rule["alert"] for rule in RULES]


def test_the_page_explains_every_metric() -> None:
    section = OPERATIONS.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(kerbsafe_\w+)` \| ([^|]*) \| [^|]+ \|$", section, re.MULTILINE)
    explained = {name: set(re.findall(r"\w+", labels)) for name, labels in rows}
    have = {
        family.name + ("_total" if family.type == "counter" else ""): labels
        for family, labels in families(our_registry())
    }
    assert explained == have
    assert len(rows) == len(explained)


def test_promtool_accepts_rules_and_configuration(promtool: str, tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    shutil.copy(PROMETHEUS / "targets/compose.yml", tmp_path / "targets.yml")
    check(promtool, "check", "config", "--lint-fatal", str(tmp_path / "prometheus.yml"))
    check(promtool, "check", "rules", "--lint-fatal", str(tmp_path / "rules.yml"))


def check(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------- what makes each rule fire

REQUESTS = 'kerbsafe_console_request_seconds_bucket{instance="c",operation="alerts"'
INGEST = 'job="kerbsafe",instance="i",process="ingest"'
#: Series of a healthy installation, a sample a minute, as promtool writes them: start+step x times.
HEALTHY = {
    f"up{{{INGEST}}}": "1x125",
    'up{job="kerbsafe",instance="w",process="worker"}': "1x125",
    f"kerbsafe_ready{{{INGEST}}}": "1x125",
    f"process_start_time_seconds{{{INGEST}}}": "1000x125",
    f"kerbsafe_ingest_connected{{{INGEST}}}": "1x125",
    f"kerbsafe_ingest_days_ahead{{{INGEST}}}": "3x125",
    f"kerbsafe_ingest_clock_skew_seconds{{{INGEST}}}": "-0.2x125",
    f"kerbsafe_ingest_vehicles_reporting{{{INGEST}}}": "1000x125",
    f'kerbsafe_ingest_messages_total{{{INGEST},source="live"}}': "0+15000x125",
    f'kerbsafe_ingest_observations_total{{{INGEST},source="live"}}': "0+15000x125",
    f'kerbsafe_ingest_rejected_total{{{INGEST},reason="future"}}': "0+10x125",
    f'kerbsafe_ingest_fixes_total{{{INGEST},timeliness="judged"}}': "0+14990x125",
    f'kerbsafe_ingest_fixes_total{{{INGEST},timeliness="late"}}': "0+10x125",
    f'kerbsafe_ingest_fixes_total{{{INGEST},timeliness="history"}}': "0+9000x125",
    f'kerbsafe_ingest_ack_seconds_bucket{{{INGEST},source="live",le="0.05"}}': "0+100x125",
    f'kerbsafe_ingest_ack_seconds_bucket{{{INGEST},source="live",le="2.5"}}': "0+100x125",
    f'kerbsafe_ingest_ack_seconds_bucket{{{INGEST},source="live",le="+Inf"}}': "0+100x125",
    f'kerbsafe_ingest_alert_seconds_bucket{{{INGEST},rule="speeding",le="1"}}': "0+5x125",
    f'kerbsafe_ingest_alert_seconds_bucket{{{INGEST},rule="speeding",le="10"}}': "0+5x125",
    f'kerbsafe_ingest_alert_seconds_bucket{{{INGEST},rule="speeding",le="+Inf"}}': "0+5x125",
    f'kerbsafe_ingest_rule_failures{{{INGEST},rule="dwell"}}': "0x125",
    f'kerbsafe_mqtt_unacknowledged_messages{{{INGEST},session="live"}}': "7x125",
    f'kerbsafe_mqtt_failures_total{{{INGEST},session="live"}}': "1x125",
    f'kerbsafe_mqtt_sessions_forgotten_total{{{INGEST},session="live"}}': "1x125",
    f"kerbsafe_broker_stored_messages{{{INGEST}}}": "60x125",
    f"kerbsafe_broker_dropped_messages_total{{{INGEST}}}": "5x125",
    f'kerbsafe_ingest_transport_gap_noted_timestamp_seconds{{{INGEST},source="queue_full"}}': "_x125",
    'kerbsafe_settler_backlog_seconds{job="kerbsafe",instance="w"}': "300x125",
    'kerbsafe_settler_verdicts_total{instance="w",verdict="confirmed"}': "0+1x125",
    'kerbsafe_settler_verdicts_total{instance="w",verdict="withdrawn"}': "0x125",
    'kerbsafe_notices_oldest_seconds{instance="w"}': "0x20 30x5 0x100",
    'kerbsafe_notices_dead_total{instance="w"}': "2x125",
    'kerbsafe_console_problems_total{instance="c",status="500"}': "0x125",
    f'{REQUESTS},le="0.5"}}': "0+9x125",
    f'{REQUESTS},le="5"}}': "0+9x125",
    f'{REQUESTS},le="+Inf"}}': "0+9x125",
    'kerbsafe_console_logins_total{instance="c",outcome="wrong"}': "0+1x10 20x115",
    'kerbsafe_gateway_refused_total{instance="g",reason="not_kept"}': "3x125",
    'kerbsafe_gateway_refused_total{instance="g",reason="unknown_terminal"}': "0+1x125",
    'kerbsafe_gateway_terminals{instance="g"}': "400x125",
    'kerbsafe_gateway_ack_seconds_bucket{instance="g",le="5"}': "0+100x125",
    'kerbsafe_gateway_ack_seconds_bucket{instance="g",le="10"}': "0+100x125",
    'kerbsafe_gateway_ack_seconds_bucket{instance="g",le="+Inf"}': "0+100x125",
    'kerbsafe_gateway_commands_total{instance="g",result="sent"}': "0+1x125",
    'kerbsafe_gateway_commands_total{instance="g",result="timed_out"}': "0x125",
}
#: What changes from the 50th sample on, 50 minutes after the start.
ILL = {
    "KerbsafeProcessDown": {f"up{{{INGEST}}}": "1x50 0x75"},
    "KerbsafeNotReady": {f"kerbsafe_ready{{{INGEST}}}": "1x50 0x75"},
    "KerbsafeRestarting": {f"process_start_time_seconds{{{INGEST}}}": "1000x50 2000x2 3000x2 4000x2 5000x69"},
    "KerbsafeBrokerLinkDown": {f"kerbsafe_ingest_connected{{{INGEST}}}": "1x50 0x75"},
    "KerbsafeHotPathStalled": {
        f'kerbsafe_ingest_messages_total{{{INGEST},source="live"}}': "0+15000x50 3000000x75"
    },
    "KerbsafeDaysRunOut": {f"kerbsafe_ingest_days_ahead{{{INGEST}}}": "3x50 1x75"},
    "KerbsafeBrokerDrops": {f"kerbsafe_broker_dropped_messages_total{{{INGEST}}}": "5x50 5+3x75"},
    "KerbsafeTransportGap": {
        "kerbsafe_ingest_transport_gap_noted_timestamp_seconds"
        f'{{{INGEST},source="queue_full"}}': "_x50 3000x75"
    },
    "KerbsafeSessionForgotten": {
        f'kerbsafe_mqtt_sessions_forgotten_total{{{INGEST},session="live"}}': "1x50 2x75"
    },
    "KerbsafeBrokerQueue": {f"kerbsafe_broker_stored_messages{{{INGEST}}}": "60x50 200000x75"},
    "KerbsafeReconnecting": {f'kerbsafe_mqtt_failures_total{{{INGEST},session="live"}}': "1x50 1+1x75"},
    "KerbsafeNothingReceived": {
        f'kerbsafe_ingest_messages_total{{{INGEST},source="live"}}': "0+15000x50 3000000x75",
        f'kerbsafe_mqtt_unacknowledged_messages{{{INGEST},session="live"}}': "7x50 0x75",
    },
    "KerbsafeRejects": {f'kerbsafe_ingest_rejected_total{{{INGEST},reason="future"}}': "0+10x50 2000+900x75"},
    "KerbsafeRuleFails": {f'kerbsafe_ingest_rule_failures{{{INGEST},rule="dwell"}}': "0x50 1x75"},
    "KerbsafeSlowAcknowledgement": {
        f'kerbsafe_ingest_ack_seconds_bucket{{{INGEST},source="live",le="0.05"}}': "0+100x50 20000x75"
    },
    "KerbsafeAlertsLate": {
        f'kerbsafe_ingest_alert_seconds_bucket{{{INGEST},rule="speeding",le="1"}}': "0+5x50 1000x75"
    },
    "KerbsafeFixesNotJudged": {
        f'kerbsafe_ingest_fixes_total{{{INGEST},timeliness="late"}}': "0+10x50 2000+900x75"
    },
    "KerbsafeVehiclesSilent": {f"kerbsafe_ingest_vehicles_reporting{{{INGEST}}}": "1000x50 300x75"},
    "KerbsafeClockSkew": {f"kerbsafe_ingest_clock_skew_seconds{{{INGEST}}}": "-0.2x50 -4x75"},
    "KerbsafeSettlerBehind": {
        'kerbsafe_settler_backlog_seconds{job="kerbsafe",instance="w"}': "300x50 7200x75"
    },
    "KerbsafeSettlerDisagrees": {
        'kerbsafe_settler_verdicts_total{instance="w",verdict="withdrawn"}': "0x50 0+1x75"
    },
    "KerbsafeNoticesWait": {'kerbsafe_notices_oldest_seconds{instance="w"}': "0x50 700+60x75"},
    "KerbsafeNoticeGivenUp": {'kerbsafe_notices_dead_total{instance="w"}': "2x50 3x75"},
    "KerbsafeConsoleFailing": {'kerbsafe_console_problems_total{instance="c",status="500"}': "0x50 0+6x75"},
    "KerbsafeConsoleSlow": {f'{REQUESTS},le="0.5"}}': "0+9x50 1800x75"},
    "KerbsafePasswordsGuessed": {
        'kerbsafe_console_logins_total{instance="c",outcome="wrong"}': "0+1x10 20x40 20+6x75"
    },
    "KerbsafeTerminalsNotKept": {
        'kerbsafe_gateway_refused_total{instance="g",reason="not_kept"}': "3x50 3+1x75"
    },
    "KerbsafeTerminalsGone": {'kerbsafe_gateway_terminals{instance="g"}': "400x50 150x75"},
    "KerbsafeGatewaySlow": {'kerbsafe_gateway_ack_seconds_bucket{instance="g",le="5"}': "0+100x50 5000x75"},
    "KerbsafeCommandsUnanswered": {
        'kerbsafe_gateway_commands_total{instance="g",result="timed_out"}': "0x50 0+1x75"
    },
}
#: Minutes after the change: long enough for the slowest rule; VehiclesSilent compares with 15 minutes before.
SEEN_AT = {
    "KerbsafeRestarting": "60m",
    "KerbsafeVehiclesSilent": "60m",
    "KerbsafeTerminalsGone": "60m",
    "KerbsafeSettlerDisagrees": "115m",
}
BEFORE, AFTER = "49m", "85m"
ALSO = {"KerbsafeHotPathStalled": {"KerbsafeNothingReceived"}}


def test_every_rule_has_a_case() -> None:
    assert list(ILL) == [rule["alert"] for rule in RULES]


def test_each_rule_fires_when_it_should_and_only_then(promtool: str, tmp_path: Path) -> None:
    cases = [case("healthy", {}, AFTER, set())]
    for name, changes in ILL.items():
        assert set(changes) <= set(HEALTHY)
        cases.append(case(name, changes, SEEN_AT.get(name, AFTER), {name} | ALSO.get(name, set())))
    document = {"rule_files": [str(PROMETHEUS / "rules.yml")], "evaluation_interval": "1m", "tests": cases}
    (tmp_path / "tests.yml").write_text(json.dumps(document), "utf-8")  # JSON is YAML
    check(promtool, "test", "rules", str(tmp_path / "tests.yml"))


def case(name: str, changes: dict[str, str], at: str, fire: set[str]) -> dict[str, Any]:
    """Nothing fires before the change, and afterwards exactly these."""
    sample = [{"labels": f'{{alertname="{rule}"}}', "value": 1} for rule in sorted(fire)]
    expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": key, "values": v} for key, v in (HEALTHY | changes).items()],
        "promql_expr_test": [
            {"expr": expression, "eval_time": BEFORE, "exp_samples": []},
            {"expr": expression, "eval_time": at, "exp_samples": sample},
        ],
    }

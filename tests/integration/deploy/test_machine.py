"""docs/operations.md done literally, on a bare Debian 13 that systemd boots.

What a person types stands in the page alone: the tests take the blocks from there. The machine has no
network, so two things are done for it: the tree is put where `git` would, and `deploy/install` gets wheels.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from kerbsafe.parts.machine import Machine, bare_machine
from tests.integration.deploy.delivery import make_wheels, put_tree, with_migration
from tests.integration.deploy.person import TRUCK, Installed, block, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
PROCESSES = ("ingest", "worker", "console")
#: Fails where a process still runs.
WHEN_STOPPED = """do $$ begin
    if exists (select from pg_stat_activity where application_name ~ '^kerbsafe (ingest|worker|console)') then
        raise exception 'a process runs while it is migrated';
    end if;
end $$;
create table migrated_when_stopped ();
"""


INSTALL = block("Install with systemd", "apt-get update")
PACKAGES = re.findall(r"apt-get install --yes (.+)", "\n".join(blocks("Install with systemd")))


# ---------------------------------------------------------------- the machine, and what is put on it


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    wheels = tmp_path_factory.mktemp("wheels")
    make_wheels(wheels)
    packages = " ".join(PACKAGES).split()
    with bare_machine(packages) as booted:
        root = booted.root / "root"
        put_tree(root / "kerbsafe")
        shutil.copytree(wheels, root / "wheels")
        with_migration(wheels, root / "wheels-new", WHEN_STOPPED)
        with_migration(wheels, root / "wheels-bad", "select 1 / 0;")
        with (booted.root / "etc/hosts").open("a") as hosts:
            hosts.write("127.0.0.1 localhost broker.example.cn\n")
        yield booted


@pytest.fixture(scope="module")
def installed(machine: Machine) -> Installed:
    """After the first page: installed, devices let in, a fleet, a login."""
    fresh = Installed(machine)
    said = fresh.type(INSTALL)
    assert "all is well" in said
    assert "Devices cannot come in yet: kerbsafe-broker-certificate FULLCHAIN KEY" in said
    assert "Nobody sets this machine's clock" in said
    fresh.type(block("Devices and TLS", "openssl req"))
    said = fresh.type(block("Install with systemd", "kerbsafe-broker-certificate"))
    secret = re.search(r"^secret: (\S+)$", said, re.MULTILINE)
    token = re.search(r"ks_[\w-]+", fresh.type("kerbsafe console token add dispatch-board"))
    assert secret is not None
    assert token is not None
    return Installed(machine, secret[1], token[0])


# ---------------------------------------------------------------- what a person then finds


def test_all_is_well_and_runs_as_the_units_say(installed: Installed) -> None:
    said = installed.doctor()
    for process in PROCESSES:
        assert f"`kerbsafe {process}` is connected since" in said
        assert (
            installed.type(f"systemctl is-active kerbsafe-{process}; systemctl is-enabled kerbsafe-{process}")
            == "active\nenabled\n"
        )
        assert installed.type(f"systemctl show --value -p NRestarts kerbsafe-{process}") == "0\n"
        [user] = installed.type(
            f"ps -o user:32= -p $(systemctl show --value -p MainPID kerbsafe-{process})"
        ).split()
        assert user not in {"root", "postgres", "mosquitto"}
    assert "TimescaleDB" in said


def test_a_truck_over_tls_raises_an_alert_in_the_api(installed: Installed) -> None:
    installed.drive()
    [alert] = installed.wait_for_alerts()
    assert (alert["vehicle"], alert["rule"], alert["peak"], alert["limit"]) == (TRUCK, "speeding", 70, 40)
    with pytest.raises(AssertionError, match="Not authorized"):
        Installed(installed.machine, "guessed").drive()


def test_who_can_read_what(installed: Installed) -> None:
    assert installed.mode("/etc/kerbsafe/secrets") == "700 root root"
    assert installed.mode("/etc/kerbsafe/secrets/db_owner") == "600 root root"
    assert installed.mode("/etc/mosquitto/kerbsafe") == "750 mosquitto mosquitto"
    assert installed.mode("/etc/mosquitto/kerbsafe/broker_key.pem") == "640 root mosquitto"
    assert installed.mode("/etc/mosquitto/kerbsafe/passwd") == "600 mosquitto mosquitto"


def test_the_logs_are_where_the_page_says(installed: Installed) -> None:
    said = installed.type(block("Install with systemd", "journalctl"))
    assert '"event": "mqtt_up"' in said
    assert "==> /var/log/mosquitto/mosquitto.log <==" in said
    assert "database system is ready to accept connections" in said


def test_prometheus_takes_ours_in_addition(installed: Installed) -> None:
    said = installed.type(block("Install with systemd", "apt-get install --yes prometheus"))
    assert "24 rules found" in said
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9090/api/v1/query?query=up').read().decode())"
    deadline_s, up = time.monotonic() + 90, set[str]()
    while not up >= {*PROCESSES, "prometheus"}:
        assert time.monotonic() < deadline_s, up
        time.sleep(1)
        result = json.loads(installed.type(f'python3 -c "{ask}"'))["data"]["result"]
        up = {one["metric"].get("process", one["metric"]["job"]) for one in result if one["value"][1] == "1"}


def test_a_renewed_certificate_cuts_nobody_off(installed: Installed) -> None:
    def pid() -> str:
        return installed.type("systemctl show --value -p MainPID mosquitto")

    before = pid()
    installed.type(block("Devices and TLS", "openssl req"))
    ours, _compose = block("Devices and TLS", "kerbsafe-broker-certificate").split("\n# compose")
    installed.type(ours)
    assert pid() == before
    installed.drive(speed_kmh=30)


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("fullchain.pem ca.key", "ca.key is not the key of fullchain.pem"),
        ("ca.key privkey.pem", "ca.key cannot be read as a certificate"),
        ("fullchain.pem nothing.pem", "nothing.pem cannot be read as a key"),
        ("fullchain.pem", "which? broker-certificate FULLCHAIN KEY"),
    ],
)
def test_a_wrong_certificate_is_refused(installed: Installed, certificate: str, words: str) -> None:
    assert words in installed.type(f"kerbsafe-broker-certificate {certificate}", expect=2)


def test_only_root_gets_at_the_secrets(installed: Installed) -> None:
    as_nobody = "setpriv --reuid nobody --regid nogroup --clear-groups --"
    said = installed.type(f"cd /; {as_nobody} kerbsafe doctor", expect=2)
    assert said == "kerbsafe: the secrets in /etc/kerbsafe/secrets are for root alone: sudo kerbsafe doctor\n"


def test_a_person_may_say_otherwise_as_the_units_may(installed: Installed) -> None:
    """Of two files the second holds, with quotes or without; what looks like a command is none."""
    lines = """cat > /etc/kerbsafe/operator.env <<'END'
# KERBSAFE_LOG_LEVEL=error
KERBSAFE_LOG_LEVEL="debug"
KERBSAFE_CONSOLE_PORT=9401
KERBSAFE_TILE_ATTRIBUTION=$(touch /root/run)
END
    kerbsafe doctor
    rm /etc/kerbsafe/operator.env; test ! -e /root/run"""
    said = installed.type(lines)
    assert re.search(r"^KERBSAFE_LOG_LEVEL +debug$", said, re.MULTILINE)
    assert re.search(r"^KERBSAFE_CONSOLE_PORT +9401$", said, re.MULTILINE)
    assert "$(touch /root/run)" in said


# ---------------------------------------------------------------- backup, restore, upgrade


def test_a_dump_and_what_is_made_of_it(installed: Installed) -> None:
    """From a tree that only root can read."""
    installed.drive()
    there = installed.wait_for_alerts()
    rows = "runuser -u postgres -- psql -XAt -d kerbsafe -c 'select count(*) from fix'"
    before = installed.type(f"cd /; {rows}")
    said = installed.type(block("Backup and restore", "kerbsafe-backup"))
    assert (
        said
        == "restored kerbsafe_new: point KERBSAFE_DSN to it, run `kerbsafe migrate` and `kerbsafe doctor`\n"
    )
    assert installed.mode("kerbsafe.dump") == "600 root root"
    assert "there is kerbsafe.dump already" in installed.type("kerbsafe-backup kerbsafe.dump", expect=2)
    installed.type("umask 022; kerbsafe-backup > redirected.dump")
    assert installed.mode("redirected.dump") == "600 root root"
    installed.type(block("Backup and restore", "systemctl stop"))
    installed.doctor()
    assert installed.type(f"cd /; {rows}") == before
    assert [one["alert_id"] for one in installed.alerts()] == [one["alert_id"] for one in there]
    installed.drive(speed_kmh=30)


def test_an_upgrade_migrates_while_nothing_runs(installed: Installed) -> None:
    """A migration that fails leaves the old build running; the next one is done, and all is well."""
    build = installed.type("readlink /opt/kerbsafe")
    said = installed.type("deploy/install", wheels="wheels-bad", expect=2)
    assert "the build of before runs again" in said
    assert installed.type("readlink /opt/kerbsafe") == build
    installed.doctor()
    said = installed.type(block("Upgrade", "kerbsafe-backup"), wheels="wheels-new")
    steps = re.findall(r"^== (\w+)", said, re.MULTILINE)
    assert steps == [
        "check",
        "build",
        "stop",
        "secrets",
        "database",
        "broker",
        "switch",
        "start",
        "kerbsafe",
        "installed",
    ]
    assert "applied 0" in said
    assert "_one_more" in said
    assert installed.mode("before-upgrade.dump") == "600 root root"
    installed.doctor()
    installed.drive(speed_kmh=30)
    left = installed.type("ls -d /opt/kerbsafe-*").split()
    assert len(left) == 2
    assert build.strip() in left


def test_after_a_reboot_all_is_well_by_itself(installed: Installed) -> None:
    installed.machine.reboot()
    installed.type("for _ in $(seq 60); do kerbsafe doctor > /dev/null && break; sleep 1; done")
    said = installed.doctor()
    for process in PROCESSES:
        assert f"`kerbsafe {process}` is connected since" in said
    installed.drive(speed_kmh=30)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "echo 'listener 1884' > /etc/mosquitto/conf.d/other.conf",
            "rm /etc/mosquitto/conf.d/other.conf",
            "/etc/mosquitto/conf.d/other.conf has 'listener': Kerbsafe's broker is for Kerbsafe alone",
        ),
        (
            "echo KERBSAFE_DSN=postgresql://kerbsafe_owner@db/kerbsafe > /etc/kerbsafe/operator.env",
            "rm /etc/kerbsafe/operator.env",
            "the database is elsewhere",
        ),
        (
            "mv /usr/local/bin/kerbsafe /root/kerbsafe.link; touch /usr/local/bin/kerbsafe",
            "mv /root/kerbsafe.link /usr/local/bin/kerbsafe",
            "/usr/local/bin/kerbsafe is something else",
        ),
    ],
    ids=["another listener", "another database", "another command"],
)
def test_what_install_does_not_know_it_refuses(
    installed: Installed, before: str, after: str, words: str
) -> None:
    running = "systemctl show --value -p MainPID kerbsafe-ingest"
    pid = installed.type(running)
    installed.type(before)
    try:
        assert words in installed.type("deploy/install", expect=2)
    finally:
        installed.type(after)
    assert installed.type(running) == pid

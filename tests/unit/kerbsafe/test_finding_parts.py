"""Where real parts are looked for, in which order, and what is said when there is none."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleet.errors import KerbsafeError
from kerbsafe import parts
from kerbsafe.parts import __main__ as preparing
from kerbsafe.parts import docker, mqtt, postgres, postgres_programs, rootfs
from kerbsafe.parts.part import PartUnavailableError, barrier, cache_dir, may_enter
from kerbsafe.parts.warden import Warden

if TYPE_CHECKING:
    from collections.abc import Callable


def missing(reason: str) -> object:
    def absent() -> object:
        raise PartUnavailableError(reason)

    return absent


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing is installed, no variable is set and the cache is empty."""
    for variable in [name for name in os.environ if name.startswith("KERBSAFE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("KERBSAFE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(postgres_programs, "_installed_servers", list)
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)  # noqa: ARG005 - the signature is shutil's


def test_a_named_server_is_used_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_DSN", "postgresql://me:secret@db.example:6432/postgres?sslmode=require")
    with parts.timescaledb() as server:
        assert (server.host, server.port, server.data_dir) == ("db.example", 6432, None)
        assert server.database("mine") == "postgresql://me:secret@db.example:6432/mine?sslmode=require"
        with pytest.raises(PartUnavailableError, match="not ours to stop; unset KERBSAFE_TEST_DSN"):
            server.kill()


def test_a_named_broker_is_used_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_BROKER", "mqtt://me@mq.example:2883")
    with parts.mosquitto() as broker:
        assert broker.url == "mqtt://me@mq.example:2883"
        with pytest.raises(PartUnavailableError, match="not ours to stop; unset KERBSAFE_TEST_BROKER"):
            broker.kill()


def test_a_named_broker_cannot_have_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_BROKER", "mqtt://mq.example")
    monkeypatch.setattr(mqtt, "find_rootfs", missing("no rootfs"))
    with (
        pytest.raises(PartUnavailableError, match="Mosquitto is not here"),
        parts.mosquitto(parts.MosquittoOptions(persistence_dir=tmp_path)),
    ):
        pass


@pytest.mark.parametrize(
    ("part", "remedy"),
    [
        (parts.timescaledb, "Install postgresql-17-timescaledb, or set KERBSAFE_TEST_DSN"),
        (parts.mosquitto, "Install mosquitto, or set KERBSAFE_TEST_BROKER"),
    ],
)
def test_what_is_missing_is_named_with_all_that_was_tried(
    monkeypatch: pytest.MonkeyPatch, part: object, remedy: str
) -> None:
    monkeypatch.setattr(rootfs, "why_not_here", lambda: "this is not Debian")
    with pytest.raises(PartUnavailableError) as raised, part():  # type: ignore[operator]
        pass
    assert "none is installed, this is not Debian, Docker is not installed" in str(raised.value)
    assert remedy in str(raised.value)


def test_an_installed_server_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old, new = tmp_path / "15/bin", tmp_path / "17/bin"
    monkeypatch.setattr(postgres_programs, "_installed_servers", lambda: [new, old])
    monkeypatch.setattr(postgres_programs, "_offers_timescaledb", lambda folder: folder == old)
    monkeypatch.setattr(postgres_programs, "find_rootfs", missing("not asked"))
    found = postgres_programs.find_timescaledb()
    assert found is not None
    assert (found.folder, found.preload, found.rootfs) == (old, "timescaledb", None)


def test_an_installed_server_offers_timescaledb_by_its_control_file(tmp_path: Path) -> None:
    share = tmp_path / "share"
    pg_config = tmp_path / "pg_config"
    assert not postgres_programs._offers_timescaledb(tmp_path)
    pg_config.write_text(f"#!/bin/sh\necho {share}\n")
    pg_config.chmod(0o755)
    assert not postgres_programs._offers_timescaledb(tmp_path)
    (share / "extension").mkdir(parents=True)
    (share / "extension/timescaledb.control").touch()
    assert postgres_programs._offers_timescaledb(tmp_path)


def test_docker_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "find_rootfs", missing("not Debian"))
    monkeypatch.setattr(postgres_programs, "require_docker", lambda: None)
    assert postgres_programs.find_timescaledb() is None


def test_nothing_is_prepared_without_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "why_not_here", lambda: "")
    monkeypatch.setattr(rootfs, "_make", lambda folder: (folder / "kerbsafe-complete").parent.mkdir())
    with pytest.raises(PartUnavailableError, match="`make test` does it, or KERBSAFE_TEST_INSTALL=1"):
        rootfs.find_rootfs()
    assert not cache_dir().exists()
    monkeypatch.setenv("KERBSAFE_TEST_INSTALL", "1")
    assert rootfs.find_rootfs().folder == cache_dir() / "rootfs-trixie-forky"
    assert (cache_dir() / "rootfs-trixie-forky").is_dir()


def test_what_is_prepared_needs_no_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "why_not_here", lambda: "")
    folder = cache_dir() / "rootfs-trixie-forky"
    folder.mkdir(parents=True)
    (folder / "kerbsafe-complete").touch()
    assert rootfs.find_rootfs() == rootfs.Rootfs(folder)


@pytest.mark.parametrize(
    ("variables", "may"),
    [
        ({}, False),
        ({"CI": "true"}, True),
        ({"KERBSAFE_TEST_INSTALL": "1"}, True),
        ({"KERBSAFE_TEST_INSTALL": "0"}, False),
        ({"CI": "true", "KERBSAFE_TEST_INSTALL": "0"}, False),
    ],
)
def test_leave_to_install(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], may: bool) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert rootfs.may_install() == may


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is prepared on a Debian where we are root and nothing is installed."""
    done: list[str] = []
    monkeypatch.setattr(rootfs, "why_not_here", lambda: "")
    monkeypatch.setattr(rootfs, "find_rootfs", lambda: done.append("rootfs"))
    monkeypatch.setattr(preparing, "install", lambda: done.append("chromium"))
    return done


def test_make_test_says_what_it_prepares_and_how_to_forbid_it(
    monkeypatch: pytest.MonkeyPatch, prepared: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_INSTALL", "1")
    assert preparing.main() == 0
    assert prepared == ["rootfs", "chromium"]
    servers, browser = capsys.readouterr().err.splitlines()
    forbid = "(KERBSAFE_TEST_INSTALL=0 forbids it)"
    put = f"puts TimescaleDB and Mosquitto of Debian trixie into {rootfs.cached_folder()}, 600 MB"
    assert servers == f"kerbsafe: make test {put} {forbid}"
    assert browser == f"kerbsafe: make test installs chromium and fonts-noto-cjk on this machine {forbid}"


@pytest.mark.parametrize("variables", [{"KERBSAFE_TEST_INSTALL": "0"}, {"KERBSAFE_TEST_PARTS": "none"}])
def test_make_test_leaves_a_machine_alone_whose_owner_says_so(
    monkeypatch: pytest.MonkeyPatch, prepared: list[str], variables: dict[str, str]
) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_INSTALL", "1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert preparing.main() == 0
    assert prepared == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("TimescaleDB", lambda: parts.timescaledb().__enter__()),
        ("Mosquitto", lambda: parts.mosquitto().__enter__()),
        ("Chromium", lambda: parts.chromium().__enter__()),
        ("mosquitto_pub", lambda: parts.with_mosquitto_clients("sh")),
    ],
)
def test_real_parts_are_hidden_wherever_they_are(
    monkeypatch: pytest.MonkeyPatch, name: str, part: Callable[[], object]
) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_DSN", "postgresql://db.example/postgres")
    monkeypatch.setenv("KERBSAFE_TEST_BROKER", "mqtt://mq.example")
    monkeypatch.setattr(shutil, "which", lambda name, path=None: f"/usr/bin/{name}")  # noqa: ARG005
    monkeypatch.setenv("KERBSAFE_TEST_PARTS", "none")
    with pytest.raises(
        PartUnavailableError, match=f"^{name} is not here: KERBSAFE_TEST_PARTS=none hides it$"
    ):
        part()


def test_parts_are_hidden_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERBSAFE_TEST_PARTS", "all")
    with pytest.raises(KerbsafeError, match="KERBSAFE_TEST_PARTS is 'all': only `none` is known"):
        parts.hidden()


@pytest.mark.parametrize(
    ("lines", "mirror"),
    [
        ("http://mirror.example/debian bookworm\n", "http://mirror.example/debian"),
        ("http://a/security bookworm-security\nhttp://b/debian/ bookworm\n", "http://b/debian"),
        ("https://packages.example/apt stable\n", "http://deb.debian.org/debian"),
        ("", "http://deb.debian.org/debian"),
    ],
)
def test_the_machines_own_mirror_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: str, mirror: str
) -> None:
    apt_get = tmp_path / "apt-get"
    apt_get.write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    apt_get.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(rootfs, "_codename", lambda: "bookworm")
    assert rootfs.debian_mirror() == mirror


def test_a_program_of_the_rootfs_runs_unprivileged_and_dies_with_its_parent() -> None:
    command = rootfs.Rootfs(Path("/r")).command_as((101, 103), "/bin/x", "-y", stop_signal=signal.SIGINT)
    assert command[:5] == ("unshare", "--mount", "--propagation", "private", "sh")
    assert command[-8:] == (
        "setpriv", "--reuid=101", "--regid=103", "--clear-groups", "--pdeathsig=INT", "--", "/bin/x", "-y",
    )  # fmt: skip


def test_a_container_listens_on_loopback_only_and_goes_when_it_ends() -> None:
    command = docker.Container("image:1", (2883, 1883), ("/data",), ("A=b",), name="n").command("run", "-v")
    assert " ".join(command) == (
        "docker run --rm --init --name n --publish 127.0.0.1:2883:1883 --volume /data:/data "
        "--env A=b image:1 run -v"
    )


@pytest.mark.parametrize(
    ("mode", "by_owner", "by_others"),
    [(0o755, True, True), (0o711, True, True), (0o700, True, False), (0o600, False, False)],
)
def test_who_may_enter_a_folder(tmp_path: Path, mode: int, by_owner: bool, by_others: bool) -> None:
    tmp_path.chmod(mode)
    owner = tmp_path.stat().st_uid
    assert may_enter(tmp_path, (owner, 0)) == by_owner
    assert may_enter(tmp_path, (owner + 1, 0)) == by_others
    tmp_path.chmod(0o700)


def test_the_first_closed_folder_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    closed.chmod(0o600)
    nobody = (closed.stat().st_uid + 1, 0)
    expected = next(f for f in [*reversed(tmp_path.parents), tmp_path, closed] if not may_enter(f, nobody))
    assert barrier(closed / "open/data", nobody) == expected
    closed.chmod(0o700)


def test_every_listener_of_a_broker_is_on_loopback(tmp_path: Path) -> None:
    assert 'listen = "127.0.0.1:1"' in mqtt._rumqttd_listener("v5", 1)
    options = parts.MosquittoOptions(password_file=tmp_path / "p", persistence_dir=tmp_path / "d")
    lines = options.config("1", "127.0.0.1").splitlines()
    assert "listener 1 127.0.0.1" in lines
    assert "allow_anonymous false" in lines
    assert f"persistence_location {tmp_path}/d/" in lines
    assert options.folders() == (str(tmp_path), str(tmp_path / "d"))


def test_servers_listen_on_loopback_and_keep_what_they_must() -> None:
    durable = postgres._server_settings(1, durable=True, preload="")
    assert "listen_addresses=127.0.0.1" in durable
    assert "fsync=off" not in durable
    quick = postgres._server_settings(1, durable=False, preload="timescaledb")
    assert {"fsync=off", "timescaledb.telemetry_level=off"} <= set(quick)


def test_the_warden_stops_by_force_what_does_not_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    deaf = [
        "python3",
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
    ]
    spec = {"argv": deaf, "user": None, "stop_signal": 15, "grace_s": 0.1, "remove": str(tmp_path)}
    warden = Warden(spec)
    warden.obey("start")
    assert warden.part is not None
    while "1" not in capfd.readouterr().err:
        assert warden.part.poll() is None
    warden.finish()
    assert warden.part.returncode == -signal.SIGKILL
    assert not tmp_path.exists()

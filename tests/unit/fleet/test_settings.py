"""Settings: read once, everything wrong reported together, secrets never shown."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import webhook
from fleet.environment import SettingsError, in_use, read_settings, redact, settings_table, unknown_settings
from fleet.setting_values import BrokerAddress, Proxies, parse_broker
from fleet.settings import Settings

VARIABLES = [one.metadata["variable"] for one in fields(Settings)]


def test_nothing_set_is_the_defaults() -> None:
    assert read_settings({}) == Settings()
    assert read_settings(dict.fromkeys(VARIABLES, "  ")) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("KERBSAFE_DSN", "postgresql://u:p@h:1/d", "dsn", "postgresql://u:p@h:1/d"),
        ("KERBSAFE_BROKER", "mqtts://u@h", "broker", BrokerAddress("h", 8883, tls=True, user="u")),
        ("KERBSAFE_HTTP_PORT", "0", "http_port", 0),
        ("KERBSAFE_RECEIVE_MAXIMUM", "65535", "receive_maximum", 65_535),
        ("KERBSAFE_UNACKED_BYTES", "16777216", "unacked_bytes", 16_777_216),
        ("KERBSAFE_BATCH_AGE_MS", " 250 ", "batch_age_ms", 250),
        ("KERBSAFE_LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("KERBSAFE_RULES", __file__, "rules", Path(__file__)),
        ("KERBSAFE_MOSQUITTO_ACL_FILE", "/not/yet", "mosquitto_acl_file", Path("/not/yet")),
        ("KERBSAFE_CONSOLE_ORIGIN", "https://Desk.example.cn/", "console_origin", "https://desk.example.cn"),
        ("KERBSAFE_CONSOLE_ORIGIN", "http://[::1]:9400", "console_origin", "http://[::1]:9400"),
        ("KERBSAFE_CONSOLE_ORIGIN", "http://localhost", "console_origin", "http://localhost"),
        (
            "KERBSAFE_CONSOLE_PROXIES",
            "127.0.0.1, 10.0.3.0/24,::1",
            "console_proxies",
            Proxies((ip_network("127.0.0.1"), ip_network("10.0.3.0/24"), ip_network("::1"))),
        ),
        (
            "KERBSAFE_TILE_URL",
            "https://{s}.tile.example/{z}/{x}/{y}.png?key=a%20b",
            "tile_url",
            "https://{s}.tile.example/{z}/{x}/{y}.png?key=a%20b",
        ),
        ("KERBSAFE_TILE_URL", "/tiles/{z}/{y}/{x}.png", "tile_url", "/tiles/{z}/{y}/{x}.png"),
        ("KERBSAFE_TILE_DATUM", "GCJ02", "tile_datum", "gcj02"),
    ],
)
def test_what_is_set_is_used(variable: str, text: str, name: str, value: object) -> None:
    assert getattr(read_settings({variable: text}), name) == value


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("KERBSAFE_DSN", "mysql://h/d", "KERBSAFE_DSN is not usable: it must be postgresql://"),
        ("KERBSAFE_HTTP_PORT", "65536", "is '65536': it must be a whole number from 0 to 65535"),
        ("KERBSAFE_HTTP_PORT", "-1", "is '-1': it must be a whole number"),
        ("KERBSAFE_HTTP_PORT", "٣", "it must be a whole number"),
        ("KERBSAFE_RECEIVE_MAXIMUM", "0", "from 1 to 65535"),
        ("KERBSAFE_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("KERBSAFE_RULES", "/no/such/file", "is '/no/such/file': it must be the path of a file"),
        ("KERBSAFE_CONSOLE_ORIGIN", "https://desk.example.cn/console", "nothing behind it"),
        ("KERBSAFE_CONSOLE_ORIGIN", "desk.example.cn", "it must be https://host"),
        ("KERBSAFE_CONSOLE_ORIGIN", "http://desk.example.cn", "http:// only on loopback"),
        ("KERBSAFE_CONSOLE_ORIGIN", "http://10.0.0.5:9400", "http:// only on loopback"),
        ("KERBSAFE_CONSOLE_PROXIES", "proxy.example.cn", "addresses or networks"),
        ("KERBSAFE_CONSOLE_PROXIES", "0.0.0.0/0", "not all there are"),
        ("KERBSAFE_CONSOLE_PROXIES", "::/0", "not all there are"),
        ("KERBSAFE_CONSOLE_PROXIES", "10.0.0.1,", "addresses or networks"),
        ("KERBSAFE_TILE_URL", "https://tile.example/{z}/{x}.png", "with {z}, {x} and {y}"),
        ("KERBSAFE_TILE_URL", "https://a.example;script-src * /{z}/{x}/{y}", "it must be http(s)://host"),
        ("KERBSAFE_TILE_URL", "javascript:alert({x}{y}{z})", "it must be http(s)://host"),
        ("KERBSAFE_TILE_DATUM", "bd09", "one of wgs84, gcj02"),
        ("KERBSAFE_BROKER", "http://h", "it must be mqtt://user@host:port"),
        ("KERBSAFE_BROKER", "mqtt://h:0", "it must be mqtt://user@host:port"),
        ("KERBSAFE_BROKER", "mqtt://h:99999", "it must be mqtt://user@host:port"),
    ],
)
def test_what_is_wrong_is_said(variable: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({variable: text})
    assert said in str(raised.value)
    assert variable in str(raised.value)


def test_everything_wrong_is_said_at_once() -> None:
    wrong = {"KERBSAFE_HTTP_PORT": "x", "KERBSAFE_LOG_LEVEL": "x", "KERBSAFE_BATCH_AGE_MS": "x"}
    with pytest.raises(SettingsError) as raised:
        read_settings(wrong)
    assert all(variable in str(raised.value) for variable in wrong)


@pytest.mark.parametrize(
    ("variable", "text"),
    [("KERBSAFE_DSN", "mysql://u:hunter2@h/d"), ("KERBSAFE_BROKER", "mqtt://u:hunter2@h")],
)
def test_no_secret_in_errors(variable: str, text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({variable: text})
    assert "hunter2" not in str(raised.value)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "webhook"
    path.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    return path


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.cn/kerbsafe?key=hunter2",
        "https://hooks.example.cn:8443",
        "http://127.0.0.1:9000/hook",
        "http://[::1]/hook",
        "http://localhost/hook",
    ],
)
def test_webhooks(url: str, secret_file: Path) -> None:
    said = {"KERBSAFE_WEBHOOK_URL": url, "KERBSAFE_WEBHOOK_SECRET_FILE": str(secret_file)}
    settings = read_settings(said)
    assert settings.webhook_url == url
    assert "hunter2" not in in_use(settings)["KERBSAFE_WEBHOOK_URL"] + repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.cn/hunter2",
        "http://127.0.0.1.example.cn/hunter2",
        "https://u:hunter2@hooks.example.cn/",
        "https:///hunter2",
        "https://h/hunter2#x",
        "https://h/hunter2 x",
        "https://h:99999/hunter2",
        "https://h:0/hunter2",
        "https://[/hunter2",
        "ftp://h/hunter2",
        "//h/hunter2",
        "hunter2",
    ],
)
def test_webhooks_that_cannot_be(url: str, secret_file: Path) -> None:
    said = {"KERBSAFE_WEBHOOK_URL": url, "KERBSAFE_WEBHOOK_SECRET_FILE": str(secret_file)}
    with pytest.raises(
        SettingsError, match="KERBSAFE_WEBHOOK_URL is not usable: it must be https://"
    ) as raised:
        read_settings(said)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hunter2",
        b"whsec_",
        b"whsec_hunter2!",
        b"whsec_aHVudGVyMg==",
        b"whsec_" + b"A" * 88,
        b"\xff\x00",
    ],
)
def test_secrets_of_webhooks_that_cannot_be(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "webhook"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="first line is whsec_ and the base64 of 24 to 64") as raised:
        read_settings({"KERBSAFE_WEBHOOK_SECRET_FILE": str(path)})
    assert "hunter2" not in str(raised.value)


@given(st.one_of(st.text(), st.text().map("https://{}".format), st.text().map("http://127.0.0.1{}".format)))
def test_any_text_is_a_webhook_or_is_told_its_form(text: str) -> None:
    try:
        said = webhook.show_url(webhook.parse_url(text))
    except ValueError as error:
        said = str(error)
    assert said.startswith("http")


def test_a_webhook_needs_its_secret() -> None:
    with pytest.raises(SettingsError, match="KERBSAFE_WEBHOOK_URL needs KERBSAFE_WEBHOOK_SECRET_FILE"):
        read_settings({"KERBSAFE_WEBHOOK_URL": "https://h/"})


def test_no_secret_is_shown() -> None:
    settings = read_settings({"KERBSAFE_DSN": "postgresql://u:hunter2@h:5432/d?passfile=hunter2"})
    assert "hunter2" not in repr(settings)
    assert in_use(settings)["KERBSAFE_DSN"] == "postgresql://u@h:5432/d"
    assert list(in_use(settings)) == VARIABLES


@given(st.binary(min_size=1).filter(lambda data: b"\n" not in data and not data.endswith(b"\r")))
def test_the_password_of_the_database_comes_from_a_file(tmp_path_factory: object, password: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "secret"  # type: ignore[attr-defined]
    path.write_bytes(password + b"\nsecond line\n")
    settings = read_settings(
        {"KERBSAFE_DSN": "postgresql://u@h:1/d", "KERBSAFE_DSN_PASSWORD_FILE": str(path)}
    )
    assert unquote_to_bytes(urlsplit(settings.dsn).password or "") == password
    assert redact(settings.dsn) == "postgresql://u@h:1/d"


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:hunter2@h/d", "postgresql://h/d", "postgresql:///d?host=/run"]
)
def test_a_password_file_needs_a_user_without_a_password(dsn: str) -> None:
    with pytest.raises(SettingsError, match="without a password, with KERBSAFE_DSN_PASSWORD_FILE") as raised:
        read_settings({"KERBSAFE_DSN": dsn, "KERBSAFE_DSN_PASSWORD_FILE": __file__})
    assert "hunter2" not in str(raised.value)


@given(
    st.text(st.characters(exclude_characters="@:/?#[]\\", min_codepoint=33, max_codepoint=126), min_size=8)
)
def test_redaction_takes_any_password(password: str) -> None:
    assert redact(f"postgresql://u:{password}@h:1/d") == "postgresql://u@h:1/d"


@pytest.mark.parametrize("text", ["mqtt://h:1884", "mqtts://u@h:8883", "mqtt://[::1]:1883"])
def test_broker_addresses_print_as_they_are_read(text: str) -> None:
    assert str(parse_broker(text)) == text


@given(st.one_of(st.text(), st.text().map("mqtt://{}".format), st.text().map("mqtts://[{}".format)))
def test_any_text_is_an_address_or_is_told_its_form(text: str) -> None:
    try:
        said = str(parse_broker(text))
    except ValueError as error:
        said = str(error)
    assert said.startswith("mqtt")


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\nmore\n"])
def test_the_password_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    settings = read_settings({"KERBSAFE_BROKER_PASSWORD_FILE": str(file)})
    assert settings.broker_password() == b"hunter2"


def test_misspelt_variables_are_found() -> None:
    environment = {
        "KERBSAFE_DNS": "",
        "KERBSAFE_DSN": "",
        "KERBSAFE_TEST_DSN": "",
        "KERBSAFE_CACHE": "",
        "HOME": "",
    }
    assert unknown_settings(environment) == ["KERBSAFE_DNS"]


def test_the_documented_table_is_this_one() -> None:
    page = Path(__file__).resolve().parents[3] / "docs/settings.md"
    assert settings_table() in page.read_text("utf-8"), "run `kerbsafe doctor --settings`, paste it there"

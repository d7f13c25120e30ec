"""The broker's files, as Mosquitto reads them."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

from fleet.credentials import (
    HEADER,
    Listener,
    Role,
    acl_file,
    device_account,
    hash_secret,
    password_file,
    service_account,
)


def test_the_hash_is_what_mosquitto_passwd_writes() -> None:
    """Written by mosquitto_passwd 2.0.21 for the password `secretpw`."""
    salt = b64decode("2hnqIGMxhju/m7ow")
    assert hash_secret("secretpw", salt) == (
        "$7$101$2hnqIGMxhju/m7ow$"
        "TzOOEW3bztmj0iNnpNUF+gvJS7oCqD3ekhL1Be7aVFAX1uANc79rjogppCeEFjvz2+QBTLWyBo9WPA5ZotWK7w=="
    )


def test_a_device_may_write_as_its_vehicle_and_read_its_commands() -> None:
    assert acl_file([device_account("U-1", "x", "M-1", ["JX-1"])]) == HEADER + (
        "\n"
        "user U-1\n"
        "topic write kerbsafe/v1/JX-1/M-1/fix\n"
        "topic write kerbsafe/v1/JX-1/M-1/history\n"
        "topic write kerbsafe/v1/JX-1/M-1/camera\n"
        "topic write kerbsafe/v1/JX-1/M-1/health\n"
        "topic write kerbsafe/v1/JX-1/M-1/ack\n"
        "topic read kerbsafe/v1/JX-1/M-1/command\n"
    )


def test_before_a_change_of_company_it_may_do_both() -> None:
    account = device_account("U-1", "x", "M-1", ["JX-2", "JX-1"])
    assert len(account.writes) == 10
    assert account.reads == ("kerbsafe/v1/JX-1/M-1/command", "kerbsafe/v1/JX-2/M-1/command")


def test_services_have_what_they_need() -> None:
    assert acl_file(
        [
            service_account("kerbsafe.gateway", "x", Role.GATEWAY),
            service_account("kerbsafe.a", "x", Role.INGEST),
        ]
    ) == HEADER + (
        "\n"
        "user kerbsafe.a\n"
        "topic write kerbsafe/v1/+/+/command\n"
        "topic read kerbsafe/v1/#\n"
        "topic read $SYS/broker/#\n"
        "\n"
        "user kerbsafe.gateway\n"
        "topic write kerbsafe/v1/+/+/fix\n"
        "topic write kerbsafe/v1/+/+/history\n"
        "topic write kerbsafe/v1/+/+/camera\n"
        "topic write kerbsafe/v1/+/+/health\n"
        "topic write kerbsafe/v1/+/+/ack\n"
        "topic read kerbsafe/v1/+/+/command\n"
        "topic read kerbsafe/v1/+/+/ack\n"
    )


def test_passwords_stand_in_the_order_of_logins() -> None:
    accounts = [device_account(login, f"hash of {login}", "M-1", ["JX-1"]) for login in ("B", "A")]
    assert password_file(accounts) == HEADER + "A:hash of A\nB:hash of B\n"
    assert password_file([]) == HEADER


def test_a_listener_knows_its_own() -> None:
    accounts = [
        device_account("U-1", "u", "M-1", ["JX-1"]),
        service_account("kerbsafe.ingest", "s", Role.INGEST),
    ]
    assert password_file(accounts, Listener.DEVICES) == HEADER + "U-1:u\n"
    assert password_file(accounts, Listener.SERVICES) == HEADER + "kerbsafe.ingest:s\n"
    assert acl_file(accounts, Listener.DEVICES) == HEADER + (
        "\n"
        "user U-1\n"
        "topic write devices/kerbsafe/v1/JX-1/M-1/fix\n"
        "topic write devices/kerbsafe/v1/JX-1/M-1/history\n"
        "topic write devices/kerbsafe/v1/JX-1/M-1/camera\n"
        "topic write devices/kerbsafe/v1/JX-1/M-1/health\n"
        "topic write devices/kerbsafe/v1/JX-1/M-1/ack\n"
        "topic read devices/kerbsafe/v1/JX-1/M-1/command\n"
    )
    assert acl_file(accounts, Listener.SERVICES) == HEADER + (
        "\n"
        "user kerbsafe.ingest\n"
        "topic write kerbsafe/v1/+/+/command\n"
        "topic write devices/kerbsafe/v1/+/+/command\n"
        "topic read kerbsafe/v1/#\n"
        "topic read devices/kerbsafe/v1/#\n"
        "topic read $SYS/broker/#\n"
    )
    assert Listener.DEVICES.file(Path("/etc/m/passwd")) == Path("/etc/m/passwd_devices")

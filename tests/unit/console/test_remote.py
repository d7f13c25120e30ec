"""Where a request comes from: what a proxy of ours says is believed, and what a client says is not."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from console.remote import client_address, one_client
from fleet.setting_values import Proxies

OURS = Proxies((ip_network("127.0.0.1"), ip_network("10.0.3.0/24"), ip_network("::1")))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # the first is the client's own word
        ("127.0.0.1", ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["203.0.113.7, 10.0.3.9"], "203.0.113.7"),  # two proxies of ours
        ("127.0.0.1", ["10.0.3.8, 10.0.3.9"], "10.0.3.8"),
        ("203.0.113.7", ["127.0.0.1"], "203.0.113.7"),  # no proxy of ours
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.7, <script>"], "127.0.0.1"),
        ("127.0.0.1", ["", ","], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("::1", ["2001:DB8::7"], "2001:db8::7"),
        ("", ["203.0.113.7"], ""),
    ],
)
def test_whose_request_it_is(peer: str, forwarded: list[str], address: str) -> None:
    assert client_address(peer, forwarded, OURS) == address


def test_without_a_setting_nobody_is_believed() -> None:
    assert client_address("127.0.0.1", ["203.0.113.7"], Proxies()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "client"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("", "")],
)
def test_what_all_addresses_of_one_client_share(address: str, client: str) -> None:
    assert one_client(address) == client

"""Where a request comes from, also through a proxy. Pure.

A proxy says whom it forwards for, and so can whoever sends a request: only what a trusted proxy has added is
believed, which is the end of the list.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.setting_values import Proxies

#: Whoever has one address of IPv6 has this many leading bits of them.
_OF_ONE_V6 = 64


def client_address(peer: str, forwarded: Iterable[str], trusted: Proxies) -> str:
    """Return the address of a client.

    Parameters
    ----------
    peer
        Who is connected to us.
    forwarded
        Values of all `X-Forwarded-For` headers, in their order.
    trusted
        Proxies that are believed.
    """
    found = _plain(peer)
    told = [part.strip() for value in forwarded for part in value.split(",")]
    while found in trusted and told:
        before = _plain(told.pop())
        if not before:
            break
        found = before
    return found


def _plain(text: str) -> str:
    """Return an address in its shortest form, IPv4 where that is meant; "" if it is none."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def one_client(address: str) -> str:
    """Return what all addresses of one client have in common: of IPv6, the network."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _OF_ONE_V6), strict=False))

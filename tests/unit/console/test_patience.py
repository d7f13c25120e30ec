"""Who does not take what was sent is cut off, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from console.patience import TAKEN_S, Unsent


class Connection:
    """What is asked of a connection of the server: it has a transport with so many bytes to send."""

    def __init__(self, unsent: int) -> None:
        self.transport = self
        self.unsent = unsent
        self.is_cut = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.is_cut = True


class Server:
    """The connections that are open."""

    def __init__(self, *connections: Connection) -> None:
        self.connections = list(connections)


@pytest.mark.parametrize(
    ("unsent", "is_cut"),
    [
        ((9, 9, 9), True),
        ((9, 5, 1), True),  # a trickle
        ((0, 0, 0), False),
        ((9, 0, 9), False),  # all of it was taken, and there is more
    ],
)
def test_whoever_has_something_to_take_for_too_long(unsent: tuple[int, ...], is_cut: bool) -> None:
    unsent_since, connection = Unsent(), Connection(0)
    server: Any = Server(connection, Connection(0))
    for look, size in enumerate(unsent):
        connection.unsent = size
        unsent_since.look(server, look * (TAKEN_S / 2 + 1))
    assert [one.is_cut for one in server.connections] == [is_cut, False]


def test_a_connection_that_is_gone_is_forgotten() -> None:
    unsent_since, server = Unsent(), Server(Connection(9))
    given: Any = server
    unsent_since.look(given, 0.0)
    server.connections.clear()
    unsent_since.look(given, 1.0)
    assert unsent_since._since_s == {}

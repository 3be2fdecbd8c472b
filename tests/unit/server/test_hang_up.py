import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from server.hang_up import hang_up, stop_listening


@contextmanager
def connected() -> Iterator[tuple[int, socket.socket, socket.socket]]:
    """Give a port, and both ends of a connection to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
            server, _ = listener.accept()
            with server:
                yield port, caller, server


def test_what_was_written_arrives_before_the_end():
    with connected() as (port, caller, server):
        server.sendall(b"last words")
        hang_up([port])
        assert caller.recv(100) == b"last words"
        assert caller.recv(100) == b""


def test_connections_of_other_ports_and_our_own_to_others_go_on():
    with connected() as (port, _, _), connected() as (_, caller, server):
        hang_up([port])
        server.sendall(b"still here")
        assert caller.recv(100) == b"still here"
        caller.sendall(b"so am I")
        assert server.recv(100) == b"so am I"


def test_descriptors_that_are_no_connections_are_left_alone(tmp_path):
    with connected() as (port, caller, _), (tmp_path / "file").open("w") as file:
        one, other = socket.socketpair()
        with one, other:
            hang_up([port])
            one.sendall(b"x")
            assert other.recv(1) == b"x"
        file.write("x")
        assert caller.recv(1) == b""


def test_door_that_is_closed_takes_nobody_and_its_number_stays_taken():
    with connected() as (port, caller, server), socket.create_server(("127.0.0.1", 0)) as other:
        listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            number = listener.getsockname()[1]
            stop_listening([number])
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", number), timeout=20)
            with socket.create_server(("127.0.0.1", number)):  # free for whoever follows
                pass
        with socket.create_connection(other.getsockname(), timeout=20):
            server.sendall(b"x")
            assert caller.recv(1) == b"x"
        assert port != number

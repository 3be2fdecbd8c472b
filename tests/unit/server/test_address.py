import socket

import pytest

from artifacts.errors import ConfigError
from server.address import authority, check_free, reserve


def test_free_port_passes():
    check_free("127.0.0.1", 0)


def test_port_that_another_process_would_share_is_refused():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be bound"):
            check_free("127.0.0.1", port)


def test_reserved_port_is_held_for_those_who_share_it_alone():
    with reserve("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be bound"):
            check_free("127.0.0.1", port)
        with socket.socket() as worker:
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind(("127.0.0.1", port))
            worker.listen()
            with socket.create_connection(("127.0.0.1", port)) as caller:
                accepted, address = worker.accept()
                accepted.close()
                assert address == caller.getsockname()


def test_address_of_another_machine_is_refused():
    with pytest.raises(ConfigError, match="cannot be bound"):
        check_free("192.0.2.1", 0)


def test_ipv6_addresses_are_bracketed():
    assert authority("::1", 5) == "[::1]:5"
    assert authority("127.0.0.1", 5) == "127.0.0.1:5"

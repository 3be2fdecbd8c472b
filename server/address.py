"""The address that a server binds."""

import socket
from contextlib import closing

from artifacts.errors import ConfigError

NEARBY = 100
"""Ports that are tried for the admin service where none is named."""
LAST_PORT = 65_535


def check_free(host: str, port: int) -> None:
    """Return if nothing listens on the address.

    gRPC shares ports by default, so that two servers on one port split the calls in silence; this
    socket does not share.

    Raises:
        ConfigError: the port is taken, the host is unknown, or this process may not bind it.
    """
    # Lets connections of an earlier server linger, and still refuses one that listens.
    with closing(_bound(host, port, socket.SO_REUSEADDR)):
        pass


def next_free(host: str, after: int) -> int:
    """Return the first port behind `after` that nothing listens on.

    Raises:
        ConfigError: the host is unknown, or none of the next `NEARBY` ports is free.
    """
    refused: ConfigError | None = None
    for port in range(after + 1, min(after + NEARBY, LAST_PORT) + 1):
        try:
            check_free(host, port)
        except ConfigError as error:
            refused = error
        else:
            return port
    raise ConfigError(f"[server] admin_port: no port near {after} is free on {host}") from refused


def reserve(host: str, port: int) -> socket.socket:
    """Return a socket that holds an address for workers that share it, and takes no connection.

    As long as it is open, none but sharing processes of the same user bind the port.

    Args:
        host: address or name.
        port: port that nothing listens on; 0 picks a free one.

    Raises:
        ConfigError: as `check_free` does.
    """
    check_free(host, port)
    try:
        return _bound(host, port, socket.SO_REUSEPORT)
    except ConfigError:  # nobody listens, so that it is but connections that linger
        return _bound(host, port, socket.SO_REUSEPORT, socket.SO_REUSEADDR)


def _bound(host: str, port: int, *options: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigError(f"[server] host: {host!r} cannot be resolved: {error}") from error
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        for option in options:
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise ConfigError(
            f"[server] {host}:{port} cannot be bound: {error.strerror}; "
            f"stop what listens there or choose another port (0 picks a free one)"
        ) from error
    return bound


def authority(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

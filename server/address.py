"""The address that a server binds."""

import socket

from artifacts.errors import ConfigError


def check_free(host: str, port: int) -> None:
    """Return if nothing listens on the address.

    gRPC shares ports by default, so that two servers on one port split the calls in silence; this
    socket does not share.

    Raises:
        ConfigError: the port is taken, the host is unknown, or this process may not bind it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ConfigError(f"[server] host: {host!r} cannot be resolved: {error}") from error
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        # Lets connections of an earlier server linger, and still refuses one that listens.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise ConfigError(
                f"[server] port: {host}:{port} cannot be bound: {error.strerror}; "
                f"stop what listens there or choose another port (0 picks a free one)"
            ) from error


def authority(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

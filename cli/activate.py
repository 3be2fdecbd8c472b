"""Puts a snapshot in service on a running host, by one call."""

from artifacts.errors import ConfigError
from shelfmate.client import Access, AdminClient, CallError


def activate_snapshot(id: str, address: str, access: Access, *, timeout_s: float) -> str:
    """Return the id of the snapshot that was replaced, once all workers serve the new one.

    Args:
        id: a snapshot of the host.
        address: where the host's admin service listens, host:port.
        access: encryption and credentials.
        timeout_s: seconds to wait; the activation goes on all the same.

    Raises:
        ConfigError: the server cannot be reached, or refuses the snapshot.
    """
    with AdminClient(address, access=access) as client:
        try:
            return client.activate(id, timeout_s=timeout_s).replaced_id
        except CallError as error:
            raise ConfigError(f"server at {address}: {error}") from error

"""Puts a snapshot in service on a running host, by one call."""

import grpc

from artifacts.errors import ConfigError
from shelfmate.client import Access
from shelfmate.client.call_error import call_error
from shelfmate.v1 import admin_pb2, admin_pb2_grpc


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
    request = admin_pb2.ActivateSnapshotRequest(snapshot_id=id)
    with _channel(address, access) as channel:
        stub = admin_pb2_grpc.AdminServiceStub(channel)
        try:
            response = stub.ActivateSnapshot(request, timeout=timeout_s, metadata=access.metadata())
        except grpc.RpcError as error:
            raise ConfigError(f"server at {address}: {call_error(error)}") from error
    return response.replaced_snapshot_id


def _channel(address: str, access: Access) -> grpc.Channel:
    if access.tls is None:
        return grpc.insecure_channel(address)
    return grpc.secure_channel(address, access.tls.credentials())

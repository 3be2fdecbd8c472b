"""`grpc.reflection`: what a server tells generic tools of its services."""

from collections.abc import Sequence

import grpc
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection


def add_reflection(server: grpc.aio.Server, files: Sequence[FileDescriptor]) -> None:
    """Let callers ask for the definitions of all services in `files`."""
    names = [service.full_name for file in files for service in file.services_by_name.values()]
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)

"""`grpc.health.v1`: live is not ready."""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from shelfmate.v1 import admin_pb2, recommender_pb2

RECOMMENDER = recommender_pb2.DESCRIPTOR.services_by_name["RecommenderService"].full_name
ADMIN = admin_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
SERVICES = ("", RECOMMENDER)
"""The server as a whole, and the service that needs a snapshot."""


class Health:
    """NOT_SERVING until a snapshot is loaded and warm, and again once the server drains.

    The admin service answers, and is SERVING, as soon as the server listens.
    """

    def __init__(self) -> None:
        self._servicer = health.aio.HealthServicer()
        self._status = health_pb2.HealthCheckResponse.NOT_SERVING

    async def add_to(self, server: grpc.aio.Server) -> None:
        """Register the service, which says what is known by now."""
        await self._tell()
        await self._servicer.set(ADMIN, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def ready(self) -> None:
        """Tell checks and watches that calls are welcome."""
        self._status = health_pb2.HealthCheckResponse.SERVING
        await self._tell()

    async def drain(self) -> None:
        """Tell checks and watches, for good, that calls are no longer welcome."""
        await self._servicer.enter_graceful_shutdown()

    async def _tell(self) -> None:
        for service in SERVICES:
            await self._servicer.set(service, self._status)

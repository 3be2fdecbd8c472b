"""A gRPC server in this process that says back what it was asked, for what surrounds services."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health_pb2

from server.status import abort
from shelfmate.v1 import admin_pb2
from shelfmate.v1 import recommender_pb2 as pb

HEALTH = health_pb2.HealthCheckResponse


class Echo:
    """Answers `GetItems` with the ids that it was asked for.

    Attributes:
        errors: what to raise for an id.
        gate: calls for `wait` end when it is set.
        arrived: released once for each call for `wait`.
        calls: how many there were.
        metadata: what came with the last one.
    """

    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.gate = asyncio.Event()
        self.arrived = asyncio.Semaphore(0)
        self.calls = 0
        self.metadata: dict[str, str] = {}

    async def get_items(self, request: pb.GetItemsRequest, context) -> pb.GetItemsResponse:
        self.calls += 1
        self.metadata = dict(context.invocation_metadata())
        for item_id in request.item_ids:
            if item_id in self.errors:
                await abort(context, self.errors[item_id])
            if item_id == "wait":
                self.arrived.release()
                await self.gate.wait()
        response = pb.GetItemsResponse()
        for item_id in request.item_ids:
            response.outcomes.add().item.item_id = item_id
        return response

    async def status(self, request, context):
        return admin_pb2.GetServingStatusResponse(server_version="echo")

    async def check(self, request, context):
        return HEALTH(status=HEALTH.SERVING)

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        ways = {
            "shelfmate.v1.RecommenderService": ("GetItems", self.get_items, pb.GetItemsRequest),
            "shelfmate.v1.AdminService": (
                "GetServingStatus",
                self.status,
                admin_pb2.GetServingStatusRequest,
            ),
            "grpc.health.v1.Health": ("Check", self.check, health_pb2.HealthCheckRequest),
        }
        return [
            grpc.method_handlers_generic_handler(
                service,
                {
                    method: grpc.unary_unary_rpc_method_handler(
                        answer, request.FromString, lambda response: response.SerializeToString()
                    )
                },
            )
            for service, (method, answer, request) in ways.items()
        ]


@asynccontextmanager
async def echoing(
    service: Echo,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    credentials: grpc.ServerCredentials | None = None,
) -> AsyncIterator[str]:
    """Serve on a free port of loopback, and give the address."""
    server = grpc.aio.server(interceptors=interceptors)
    server.add_generic_rpc_handlers(service.handlers())
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def question(*item_ids: str) -> pb.GetItemsRequest:
    return pb.GetItemsRequest(item_ids=item_ids)

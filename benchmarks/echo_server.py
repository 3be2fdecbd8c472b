"""The ceiling: a bare grpc.aio server that builds the same message for every call."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import grpc
import typer
import uvloop

from artifacts.folders import write_file
from server.turnstile import Turnstile
from shelfmate.v1 import common_pb2, recommender_pb2_grpc
from shelfmate.v1 import recommender_pb2 as pb

Response = TypeVar(
    "Response",
    pb.RecommendSimilarResponse,
    pb.SearchNeighborsResponse,
    pb.RecommendForSessionResponse,
)

ITEMS = 10


class EchoService(recommender_pb2_grpc.RecommenderServiceServicer):
    """Reads requests as gRPC does, looks at none of them and searches nothing.

    Args:
        entries: in each answer, of `ITEMS` items.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries

    async def RecommendSimilar(
        self, request: object, context: object
    ) -> pb.RecommendSimilarResponse:
        """Answer as to a product."""
        return self.filled(pb.RecommendSimilarResponse())

    async def SearchNeighbors(self, request: object, context: object) -> pb.SearchNeighborsResponse:
        """Answer as to a search."""
        return self.filled(pb.SearchNeighborsResponse())

    async def RecommendForSession(
        self, request: object, context: object
    ) -> pb.RecommendForSessionResponse:
        """Answer as to a session."""
        return self.filled(pb.RecommendForSessionResponse())

    def filled(self, response: Response) -> Response:
        """Build an answer item by item, as any server of messages does."""
        response.info.snapshot_id = "20261124T101500Z-63c2b9de"
        response.info.serving_config = "default"
        response.info.accuracy = common_pb2.ACCURACY_BALANCED
        for _ in range(self._entries):
            add = response.outcomes.add().recommendations.items.add
            for number in range(ITEMS):
                add(
                    item_id=f"{1_000_000 + number}",
                    score=0.5,
                    score_kind=common_pb2.SCORE_KIND_COSINE,
                    source=common_pb2.SOURCE_PRECOMPUTED,
                )
        return response


async def _serve(entries: int, port_file: Path, *, refuse: bool) -> None:
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    echo: Any = EchoService  # has three methods of six
    turnstile: Any = Turnstile(lambda searches: True)
    recommender_pb2_grpc.add_RecommenderServiceServicer_to_server(
        echo(entries), turnstile if refuse else server
    )
    if refuse:
        server.add_generic_rpc_handlers((turnstile,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    write_file(port_file, f"{port}\n".encode())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(None)


def main(
    port_file: Annotated[Path, typer.Option(help="Gets the port.")],
    entries: Annotated[int, typer.Option(help="Entries of each answer.")] = 1,
    refuse: Annotated[bool, typer.Option(help="Refuse every call.")] = False,
) -> None:
    """Serve until SIGTERM."""
    uvloop.run(_serve(entries, port_file, refuse=refuse))


if __name__ == "__main__":
    typer.run(main)

"""The serving process: wiring, start and drain."""

import asyncio
import gc
import logging
import os
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import grpc
import uvloop
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from artifacts.errors import ConfigError
from artifacts.folders import write_file
from artifacts.versions import VersionedRoot
from indexer.native_threads import limit_native_threads
from retrieval.config import RetrievalConfig
from retrieval.recommender import Recommender
from retrieval.state import load_state
from server.address import authority, check_free, reserve
from server.admin_service import AdminService
from server.config import ServerConfig
from server.health import Health
from server.launch import Launch
from server.place import ALONE, Place
from server.recommender_service import RecommenderService
from server.supervisor import supervise
from server.worker import Identity, Worker
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2, recommender_pb2_grpc

logger = logging.getLogger(__name__)

LAST_WORDS_S = 0.5
"""Time for answers to reach the wire, and for watches of health to be told, once calls have ended."""


class Server:
    """One worker: a listening gRPC server and the snapshot that it answers from.

    Made inside the event loop that it will serve on.

    Args:
        config: the table [server].
        retrieval: the tables [serving.<name>].
        snapshots: where snapshots lie; the current one is served.
        place: which worker of the host it is.
    """

    def __init__(
        self,
        config: ServerConfig,
        retrieval: RetrievalConfig,
        snapshots: VersionedRoot,
        place: Place = ALONE,
    ) -> None:
        self._config = config
        self._retrieval = retrieval
        self._snapshots = snapshots
        self.place = place
        self._health = Health()
        self._worker = Worker(
            Identity(version("shelfmate"), os.getpid(), datetime.now(UTC), place.index),
            max_calls=config.max_concurrent_calls,
        )
        # OpenMP counts its threads per calling thread; these search one query each.
        self._pool = ThreadPoolExecutor(
            config.search_threads, "search", initializer=limit_native_threads, initargs=(1,)
        )
        self._server = grpc.aio.server(
            options=(
                ("grpc.so_reuseport", int(place.is_shared)),
                ("grpc.max_receive_message_length", config.max_message_bytes),
                ("grpc.max_send_message_length", config.max_message_bytes),
            ),
        )

    async def start(self) -> int:
        """Listen, ready or not, and return the port.

        Raises:
            ConfigError: the address cannot be bound.
        """
        host, port = self._config.host, self._config.port
        if not self.place.is_shared:
            check_free(host, port)
        await self._add_services()
        try:
            bound = self._server.add_insecure_port(authority(host, port))
        except RuntimeError as error:
            raise ConfigError(f"[server] port: {host}:{port} cannot be bound: {error}") from error
        await self._server.start()
        logger.info("listening address=%s", authority(host, bound))
        return bound

    async def load(self) -> None:
        """Verify, open and warm the current snapshot, then take calls.

        Raises:
            ArtifactError: there is none, or it is damaged or of another format.
            ConfigError: a serving config names a space or relation that it lacks.
        """
        loop = asyncio.get_running_loop()
        recommender = await loop.run_in_executor(self._pool, self._load)
        self._worker.activate(recommender, now=datetime.now(UTC))
        await self._health.ready()
        logger.info("serving snapshot=%s", recommender.state.snapshot.id)

    async def drain(self) -> None:
        """Refuse new calls, let those in flight finish within `drain_s`, and stop."""
        logger.info("draining within_s=%s", self._config.drain_s)
        await self._health.drain()
        finished = await self._worker.drain(self._config.drain_s)
        await self._server.stop(LAST_WORDS_S if finished else None)
        self._pool.shutdown(wait=False, cancel_futures=True)
        logger.info("stopped finished=%s", finished)

    def _load(self) -> Recommender:
        path = self._snapshots.current(hint="shelfmate publish")
        return Recommender(load_state(path), self._retrieval)

    async def _add_services(self) -> None:
        service = RecommenderService(self._worker, self._pool)
        recommender_pb2_grpc.add_RecommenderServiceServicer_to_server(service, self._server)
        admin_pb2_grpc.add_AdminServiceServicer_to_server(AdminService(self._worker), self._server)
        await self._health.add_to(self._server)
        if self._config.reflection:
            files = (recommender_pb2, admin_pb2, health_pb2)
            names = [
                service.full_name
                for file in files
                for service in file.DESCRIPTOR.services_by_name.values()
            ]
            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._server)


async def serve_until(stop: asyncio.Event, server: Server, on_ready: Callable[[int], None]) -> None:
    """Serve until `stop`, and drain.

    A server that is alone listens while it loads, so that its health can be asked. One that shares
    its port listens only when it is ready: connections come to it as soon as it does.

    Args:
        stop: set when it is time to end.
        server: not yet started.
        on_ready: called with the port once calls are answered.
    """
    try:
        port = 0 if server.place.is_shared else await server.start()
        if await _load_unless(stop, server):
            on_ready(port or await server.start())
            await stop.wait()
    finally:
        await server.drain()


async def _load_unless(stop: asyncio.Event, server: Server) -> bool:
    """Load the snapshot and tell whether it is served; False if a signal came first."""
    load, stopped = asyncio.ensure_future(server.load()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({load, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not load.done():
        load.cancel()
        return False
    stopped.cancel()
    load.result()
    # What is loaded lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return True


def serve(
    config: ServerConfig,
    retrieval: RetrievalConfig,
    snapshots: VersionedRoot,
    *,
    port_file: Path | None = None,
) -> None:
    """Serve the current snapshot until SIGTERM or SIGINT; blocks.

    Args:
        config: the table [server]; with several workers this process becomes their supervisor.
        retrieval: the tables [serving.<name>].
        snapshots: where snapshots lie; the current one is served.
        port_file: written with the port once calls are taken, removed at the end.

    Raises:
        ConfigError: the address cannot be bound, or a serving config does not fit the snapshot.
        ArtifactError: there is no snapshot, or it is damaged or of another format.
        NotReadyError: workers die before they are ready, time and again.
    """

    def on_ready(port: int) -> None:
        if port_file is not None:
            write_file(port_file, f"{port}\n".encode())

    try:
        if config.workers == 1:
            uvloop.run(_serve_alone(config, retrieval, snapshots, on_ready))
        else:
            _serve_together(config, retrieval, snapshots, on_ready)
    finally:
        if port_file is not None:
            port_file.unlink(missing_ok=True)


async def _serve_alone(
    config: ServerConfig,
    retrieval: RetrievalConfig,
    snapshots: VersionedRoot,
    on_ready: Callable[[int], None],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve_until(stop, Server(config, retrieval, snapshots), on_ready)


def _serve_together(
    config: ServerConfig,
    retrieval: RetrievalConfig,
    snapshots: VersionedRoot,
    on_ready: Callable[[int], None],
) -> None:
    """Supervise workers that share one port and one folder for what they tell each other."""
    with (
        reserve(config.host, config.port) as held,
        tempfile.TemporaryDirectory(prefix="shelfmate-") as run_dir,
    ):
        port: int = held.getsockname()[1]
        shared = config.model_copy(update={"port": port})
        launches = [
            Launch(
                config=shared,
                retrieval=retrieval,
                snapshots=snapshots.root.absolute(),
                place=Place(index=index, count=config.workers, run_dir=Path(run_dir)),
                log_level=logging.getLogger().level,
            )
            for index in range(config.workers)
        ]
        asyncio.run(supervise(launches, lambda: on_ready(port)))

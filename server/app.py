"""The serving process: wiring, start and drain."""

import asyncio
import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import grpc
import uvloop
from grpc_health.v1 import health_pb2

from artifacts.folders import write_file
from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig
from server.admin_service import AdminService
from server.admission import Admission
from server.brown_out import BrownOut
from server.config import ServerConfig
from server.health import Health
from server.launch import Launch
from server.listeners import Listeners, Ports, reserved
from server.observation.endpoint import metrics_page, shared_metrics
from server.observation.observation import Observation
from server.place import ALONE, Place
from server.recommender_service import RecommenderService
from server.reflected import add_reflection
from server.search_queue import SearchQueue
from server.security.credentials import Credentials
from server.security.guard import Guard
from server.supervisor import supervise
from server.turnstile import Turnstile
from server.upkeep import Upkeep
from server.worker import Identity, Watchers, Worker
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2, recommender_pb2_grpc

logger = logging.getLogger(__name__)

LAST_WORDS_S = 0.1
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
        self.place = place
        self.observation = observation = Observation(config)
        self._health = Health()
        self._worker = Worker(
            Identity(version("shelfmate"), os.getpid(), datetime.now(UTC), place.index),
            max_calls=config.max_concurrent_calls,
            watchers=Watchers(
                observation.activated, observation.metrics.swap_refused, observation.watched
            ),
        )
        self._upkeep = Upkeep(self._worker, config, retrieval, snapshots, place)
        self._searches = SearchQueue(
            config.search_threads,
            config.batching,
            Admission(config.admission, config.search_threads),
            BrownOut(config.brown_out, time.monotonic),
            observation.metrics.batched,
        )
        guards = _guards(config)
        # What a guard turns away is watched, too: then the observer has to stand before it.
        self._watch = None if guards else observation.observer
        passed = [observation.observer, *guards] if guards else []
        self._listeners = Listeners(config, passed, shares_ports=place.is_shared)

    async def start(self) -> Ports:
        """Listen, ready or not, and return the ports.

        Raises:
            ConfigError: an address cannot be bound.
        """
        await self._add_services()
        return await self._listeners.start()

    async def load(self) -> None:
        """Verify, open and warm the current snapshot, then take calls.

        Raises:
            ArtifactError: there is none, or it is damaged or of another format.
            ConfigError: a serving config names a space or relation that it lacks.
        """
        await self._upkeep.start()
        await self._health.ready()
        logger.info("serving snapshot=%s", self._upkeep.swapper.serving_id)

    async def drain(self) -> None:
        """Refuse new calls, let those in flight finish within `drain_s`, and stop."""
        drain_s = self._config.drain_s
        logger.info("draining within_s=%s", drain_s)
        await self._health.drain()
        self._listeners.close_doors()
        dismiss_s = min(self._config.dismiss_s, drain_s)
        finished = await self._worker.drain(dismiss_s)
        if not finished and dismiss_s < drain_s:
            # Callers need not wait for what takes long: they go elsewhere meanwhile.
            self._listeners.dismiss(drain_s)
            finished = await self._worker.drain(drain_s - dismiss_s)
        await self._listeners.stop(LAST_WORDS_S)
        self._searches.close()
        await self._upkeep.stop()
        await asyncio.to_thread(self.observation.close)
        logger.info("stopped finished=%s", finished)

    def _is_full(self, searches: bool) -> bool:
        return self._worker.is_full or (searches and self._searches.is_full)

    async def _add_services(self) -> None:
        public, admin = self._listeners.public, self._listeners.admin
        service = RecommenderService(self._worker, self._searches, self._config.limits)
        turnstile = Turnstile(self._is_full, self._watch)
        recommender_pb2_grpc.add_RecommenderServiceServicer_to_server(
            service,
            turnstile,  # type: ignore[arg-type]  # registers as a server does
        )
        public.add_generic_rpc_handlers((turnstile,))
        gate = Turnstile(lambda searches: False, self._watch)
        admin_pb2_grpc.add_AdminServiceServicer_to_server(
            AdminService(self._worker, self._upkeep),
            gate,  # type: ignore[arg-type]  # as above
        )
        admin.add_generic_rpc_handlers((gate,))
        for server in self._listeners.each:
            await self._health.add_to(server)
        if self._config.reflection:
            files = {public: [recommender_pb2.DESCRIPTOR]}
            files.setdefault(admin, []).append(admin_pb2.DESCRIPTOR)
            for server, services in files.items():
                add_reflection(server, [*services, health_pb2.DESCRIPTOR])


def _guards(config: ServerConfig) -> list[grpc.aio.ServerInterceptor]:
    """Return what turns callers away, where the settings want that."""
    credentials = None if config.auth.is_open else Credentials(config.auth)
    limit = config.limits.max_calls_per_caller
    return [Guard(credentials, limit)] if credentials is not None or limit else []


async def serve_until(
    stop: asyncio.Event, server: Server, on_ready: Callable[[Ports], None]
) -> None:
    """Serve until `stop`, and drain.

    A server that is alone listens while it loads, so that its health can be asked. One that shares
    its port listens only when it is ready: connections come to it as soon as it does.

    Args:
        stop: set when it is time to end.
        server: not yet started.
        on_ready: called with the ports once calls are answered.
    """
    try:
        ports = None if server.place.is_shared else await server.start()
        if await _load_unless(stop, server):
            on_ready(ports or await server.start())
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
        port_file: written with the port, the admin port, and the port of the metrics where there is
            one, a line each, once calls are taken; removed at the end.

    Raises:
        ConfigError: the address cannot be bound, or a serving config does not fit the snapshot.
        ArtifactError: there is no snapshot, or it is damaged or of another format.
        NotReadyError: workers die before they are ready, time and again.
    """

    def on_ready(ports: Ports) -> None:
        if port_file is not None:
            lines = (f"{port}\n" for port in ports if port is not None)
            write_file(port_file, "".join(lines).encode())

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
    on_ready: Callable[[Ports], None],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(config, retrieval, snapshots)
    with metrics_page(config.metrics, server.observation.registry) as metrics:
        await serve_until(stop, server, lambda ports: on_ready(ports._replace(metrics=metrics)))


def _serve_together(
    config: ServerConfig,
    retrieval: RetrievalConfig,
    snapshots: VersionedRoot,
    on_ready: Callable[[Ports], None],
) -> None:
    """Supervise workers that share one port and one folder for what they tell each other."""
    with (
        reserved(config) as ports,
        tempfile.TemporaryDirectory(prefix="shelfmate-") as run_dir,
        shared_metrics(config.metrics, Path(run_dir)) as metrics,
    ):
        shared = config.model_copy(update={"port": ports.public, "admin_port": ports.admin})
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
        ready = ports._replace(metrics=metrics)
        asyncio.run(supervise(launches, lambda: on_ready(ready)))

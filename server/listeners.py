"""Where a worker listens."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import grpc

from artifacts.errors import ConfigError
from server.address import authority, check_free, next_free, reserve
from server.config import ServerConfig
from server.connection_config import ConnectionsConfig
from server.hang_up import hang_up, stop_listening
from server.security.tls import server_credentials

logger = logging.getLogger(__name__)


class Ports(NamedTuple):
    """Where a server answers."""

    public: int
    """Port of those who ask for recommendations."""
    admin: int
    """Port of those who run the host; the same one where they share it."""
    metrics: int | None = None
    """Port of the metrics; None where there is none."""


@contextmanager
def reserved(config: ServerConfig) -> Iterator[Ports]:
    """Hold the ports that workers are to share.

    Raises:
        ConfigError: an address cannot be bound.
    """
    with ExitStack() as held:
        public = admin = _held(held, config.host, config.port)
        if not config.admin_is_public:
            wanted = config.admin_port
            if wanted is None:
                wanted = next_free(config.admin_host, public)
            admin = _held(held, config.admin_host, wanted)
        yield Ports(public, admin)


def _held(stack: ExitStack, host: str, port: int) -> int:
    number: int = stack.enter_context(reserve(host, port)).getsockname()[1]
    return number


class Listeners:
    """A gRPC server for callers and one for those who run the host, which may be the same.

    Made inside the event loop that they will serve on.

    Args:
        config: the table [server].
        interceptors: what calls of both pass, outermost first.
        shares_ports: whether other workers listen on the same ports.

    Attributes:
        public: has the recommender.
        admin: has the admin service.

    Raises:
        ConfigError: a certificate or key cannot be read.
    """

    def __init__(
        self,
        config: ServerConfig,
        interceptors: Sequence[grpc.aio.ServerInterceptor],
        *,
        shares_ports: bool,
    ) -> None:
        self._config = config
        self._shares_ports = shares_ports
        self._ports: tuple[int, ...] = ()
        self._leaving: asyncio.Future[list[None]] | None = None
        self._credentials = server_credentials(config.tls) if config.tls is not None else None
        options = (
            ("grpc.so_reuseport", int(shares_ports)),
            ("grpc.max_receive_message_length", config.max_message_bytes),
            ("grpc.max_send_message_length", config.max_message_bytes),
            *_connection_options(config.connections),
            # Between the two gRPC refuses at random, the more the nearer to the second.
            ("grpc.server.max_pending_requests", 2 * config.admission.max_pending_calls // 3),
            ("grpc.server.max_pending_requests_hard_limit", config.admission.max_pending_calls),
        )
        self.public = grpc.aio.server(interceptors=interceptors, options=options)
        self.admin = self.public
        if not config.admin_is_public:
            self.admin = grpc.aio.server(interceptors=interceptors, options=options)

    @property
    def each(self) -> tuple[grpc.aio.Server, ...]:
        """The servers, each once."""
        return (self.public,) if self.admin is self.public else (self.public, self.admin)

    async def start(self) -> Ports:
        """Listen.

        Raises:
            ConfigError: an address cannot be bound.
        """
        config = self._config
        public = admin = self._bind(self.public, config.host, config.port)
        if self.admin is not self.public:
            wanted = config.admin_port
            if wanted is None:
                wanted = next_free(config.admin_host, public)
            admin = self._bind(self.admin, config.admin_host, wanted)
        for server in self.each:
            await server.start()
        logger.info("listening address=%s admin_port=%d", authority(config.host, public), admin)
        self._ports = public, admin
        return Ports(public, admin)

    def close_doors(self) -> None:
        """Take no further connections; those that there are go on."""
        stop_listening(self._ports)

    def dismiss(self, within_s: float) -> None:
        """Send callers elsewhere, but for the calls that are in flight.

        A call that reaches the server in the moment in which its caller is told is cancelled.

        Args:
            within_s: seconds that calls in flight may take.
        """
        self._leaving = self._stopped(within_s)

    async def stop(self, last_words_s: float) -> None:
        """End all connections, and stop.

        Args:
            last_words_s: seconds for what was answered to reach the wire.
        """
        if self._ports:
            self.close_doors()
            await asyncio.sleep(last_words_s)
            hang_up(self._ports)
        await self._stopped(None)
        if self._leaving is not None:
            await self._leaving

    def _stopped(self, grace_s: float | None) -> "asyncio.Future[list[None]]":
        return asyncio.gather(*(server.stop(grace_s) for server in self.each))

    def _bind(self, server: grpc.aio.Server, host: str, port: int) -> int:
        if not self._shares_ports:
            check_free(host, port)
        address = authority(host, port)
        try:
            if self._credentials is None:
                return server.add_insecure_port(address)
            return server.add_secure_port(address, self._credentials)
        except RuntimeError as error:
            raise ConfigError(f"[server] {address} cannot be bound: {error}") from error


def _connection_options(config: ConnectionsConfig) -> tuple[tuple[str, int], ...]:
    options = (
        ("grpc.server_handshake_timeout_ms", round(1e3 * config.handshake_s)),
        ("grpc.http2.min_ping_interval_without_data_ms", round(1e3 * config.least_ping_s)),
    )
    if not config.keepalive_s:
        return options
    return (
        *options,
        ("grpc.keepalive_time_ms", round(1e3 * config.keepalive_s)),
        ("grpc.keepalive_timeout_ms", round(1e3 * config.keepalive_timeout_s)),
        # It is the shorter of the two that counts, and this one is a minute unless told otherwise.
        ("grpc.http2.ping_timeout_ms", round(1e3 * config.keepalive_timeout_s)),
        # A caller may have gone with no call in flight, and silence is all that there is then.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )

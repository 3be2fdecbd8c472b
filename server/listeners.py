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
        self._credentials = server_credentials(config.tls) if config.tls is not None else None
        options = (
            ("grpc.so_reuseport", int(shares_ports)),
            ("grpc.max_receive_message_length", config.max_message_bytes),
            ("grpc.max_send_message_length", config.max_message_bytes),
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
        return Ports(public, admin)

    async def stop(self, grace_s: float | None) -> None:
        """Stop taking calls, and end those in flight after `grace_s` seconds."""
        await asyncio.gather(*(server.stop(grace_s) for server in self.each))

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

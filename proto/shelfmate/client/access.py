"""How a server is reached, and what is shown at its door."""

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

REQUEST_ID = "x-request-id"


@dataclass(frozen=True, slots=True)
class Tls:
    """Encryption; everything in PEM form.

    Attributes:
        root_certificates: authorities that may have signed the server's certificate; None for
            those that gRPC knows.
        certificate: ours, where the server asks for one.
        key: its private key.
        server_name: what the server's certificate is made out to, where that is not the target.
    """

    root_certificates: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """Return what a channel needs."""
        return grpc.ssl_channel_credentials(self.root_certificates, self.key, self.certificate)


@dataclass(frozen=True, slots=True)
class Access:
    """What belongs to every call of a client.

    Attributes:
        tls: encryption; None for calls in the clear, for servers on this machine alone.
        api_key: sent as `x-api-key`; empty for none.
        token: sent as `authorization: Bearer ...`; a function is asked before each call, so that
            a token can be renewed.
        admin_target: where the admin service listens; empty where that is the target itself.
        request_id: asked before each call for its id, which server and errors repeat; None for
            calls without.
    """

    tls: Tls | None = None
    api_key: str = field(default="", repr=False)
    token: str | Callable[[], str] = field(default="", repr=False)
    admin_target: str = ""
    request_id: Callable[[], str] | None = None

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Options of the channels."""
        if self.tls is None or not self.tls.server_name:
            return ()
        return (("grpc.ssl_target_name_override", self.tls.server_name),)

    def metadata(self) -> tuple[tuple[str, str], ...] | None:
        """Return what is sent with the next call; None where that is nothing."""
        token = self.token if isinstance(self.token, str) else self.token()
        pairs = (
            ("x-api-key", self.api_key),
            ("authorization", token and f"Bearer {token}"),
            (REQUEST_ID, self.request_id() if self.request_id is not None else ""),
        )
        return tuple(pair for pair in pairs if pair[1]) or None


PLAIN = Access()
"""In the clear, and without credentials."""

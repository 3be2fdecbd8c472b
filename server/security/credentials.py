"""Who calls, by what the call's metadata and its connection's certificate say."""

import time
from collections.abc import Callable, Iterable

from server.security.api_keys import ApiKeys, read_api_keys
from server.security.certificates import Certificates
from server.security.config import AuthConfig
from server.security.roles import Caller
from server.security.tokens import Tokens

API_KEY = "x-api-key"
AUTHORIZATION = "authorization"
BEARER = "bearer "


class Credentials:
    """Checks API keys, tokens and certificates.

    Args:
        config: what is good.
        clock: seconds since 1970.

    Attributes:
        has_certificates: whether a certificate may be enough.

    Raises:
        ConfigError: a key or a file of keys is wrong.
        BackendUnavailableError: tokens are wanted and PyJWT is not installed.
    """

    def __init__(self, config: AuthConfig, clock: Callable[[], float] = time.time) -> None:
        further = read_api_keys(config.api_keys_file) if config.api_keys_file else ()
        self._keys = ApiKeys((*config.api_keys, *further))
        self._tokens = Tokens(config.jwt, clock) if config.jwt is not None else None
        self._certificates = Certificates(config.certificates)
        self.has_certificates = bool(config.certificates)

    def sender(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller | None:
        """Return who sent a call by its key or token; None if it has none, or none that is good.

        Args:
            metadata: (name, value) pairs of a call, names in lower case.
        """
        for name, value in metadata:
            if name == API_KEY:
                caller = self._keys.caller(value)
            elif name == AUTHORIZATION:
                caller = self._bearer(value)
            else:
                continue
            if caller is not None:
                return caller
        return None

    def holder(self, identities: Iterable[bytes] | None) -> Caller | None:
        """Return who holds the certificate of a connection; see `Certificates.caller`."""
        return self._certificates.caller(identities)

    def _bearer(self, value: str | bytes) -> Caller | None:
        text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
        if self._tokens is None or text[: len(BEARER)].lower() != BEARER:
            return None
        return self._tokens.caller(text[len(BEARER) :].strip())

"""Callers known by the certificate of their connection."""

from collections.abc import Iterable, Sequence

from artifacts.errors import ConfigError
from server.security.config import KnownCertificate
from server.security.roles import Caller


class Certificates:
    """Finds the caller that a certificate is made out to.

    That the certificate is good has been checked when the connection was made.

    Args:
        known: to whom certificates are made out.

    Raises:
        ConfigError: a name or an identity appears twice.
    """

    def __init__(self, known: Sequence[KnownCertificate]) -> None:
        for what, values in (
            ("name", [one.name for one in known]),
            ("identity", [one.identity for one in known]),
        ):
            if len(set(values)) < len(values):
                raise ConfigError(f"[server.auth] certificates: two have the same {what}")
        self._known = {
            one.identity.encode(): Caller(f"certificate:{one.name}", one.role) for one in known
        }

    def caller(self, identities: Iterable[bytes] | None) -> Caller | None:
        """Return the first caller whose identity is among those of a certificate, or None.

        Args:
            identities: subject alternative names of the certificate, or its common name where it has
                none, as gRPC tells them; None without a certificate.
        """
        for identity in identities or ():
            caller = self._known.get(identity)
            if caller is not None:
                return caller
        return None

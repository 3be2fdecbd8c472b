"""Encryption of the listeners."""

from pathlib import Path

import grpc

from artifacts.errors import ConfigError
from server.security.config import TlsConfig


def server_credentials(config: TlsConfig) -> grpc.ServerCredentials:
    """Return what a listener needs to speak TLS, and to ask callers for certificates.

    Raises:
        ConfigError: a file cannot be read, or is not in PEM form.
    """
    key = _read(config.key, "key", "PRIVATE KEY")
    certificate = _read(config.certificate, "certificate", "CERTIFICATE")
    roots = None
    if config.client_ca is not None:
        roots = _read(config.client_ca, "client_ca", "CERTIFICATE")
    return grpc.ssl_server_credentials(
        [(key, certificate)],
        root_certificates=roots,
        require_client_auth=roots is not None,
    )


def _read(path: Path, setting: str, holds: str) -> bytes:
    """Return a file; gRPC takes anything and fails in silence, call by call."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"[server.tls] {setting}: {path}: {error.strerror}") from None
    if b"-----BEGIN " not in content or f"{holds}-----".encode() not in content:
        raise ConfigError(f"[server.tls] {setting}: {path}: expected a {holds.lower()} in PEM form")
    return content

"""What the commands show at a server's door."""

from collections.abc import Mapping
from pathlib import Path

from artifacts.errors import ConfigError
from shelfmate.client import Access, Tls

CA, CERTIFICATE, KEY = "SHELFMATE_CA", "SHELFMATE_CERTIFICATE", "SHELFMATE_KEY"
API_KEY, TOKEN = "SHELFMATE_API_KEY", "SHELFMATE_TOKEN"


def access_of(environment: Mapping[str, str], *, admin_target: str = "") -> Access:
    """Return the credentials and certificates that an environment names; secrets are no arguments.

    Args:
        environment: variables of the process.
        admin_target: where the admin service listens; empty where that is the server's address.

    Raises:
        ConfigError: a file that it names cannot be read.
    """
    tls = None
    if any(environment.get(name) for name in (CA, CERTIFICATE)):
        tls = Tls(
            root_certificates=_read(environment, CA),
            certificate=_read(environment, CERTIFICATE),
            key=_read(environment, KEY),
        )
    return Access(
        tls=tls,
        api_key=environment.get(API_KEY, ""),
        token=environment.get(TOKEN, ""),
        admin_target=admin_target,
    )


def _read(environment: Mapping[str, str], name: str) -> bytes | None:
    path = environment.get(name)
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: {path}: {error.strerror}") from None

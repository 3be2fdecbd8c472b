"""Callers known by a key."""

import hmac
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.errors import ConfigError
from server.security.config import ApiKey
from server.security.roles import Caller


class ApiKeys:
    """Finds the caller of a key in a time that says nothing of the keys.

    Args:
        keys: what is known of them; two with the same hash are refused.

    Raises:
        ConfigError: a name or a key appears twice.
    """

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        for what, values in (
            ("name", [key.name for key in keys]),
            ("sha256", [key.sha256 for key in keys]),
        ):
            if len(set(values)) < len(values):
                raise ConfigError(f"[server.auth] api_keys: two keys have the same {what}")
        self._known = [
            (bytes.fromhex(key.sha256), Caller(f"key:{key.name}", key.role)) for key in keys
        ]

    def caller(self, key: str | bytes) -> Caller | None:
        """Return whose key it is, or None. All keys are compared, whichever fits.

        Cost: one hash and one comparison for each known key.
        """
        asked = sha256(
            key if isinstance(key, bytes) else key.encode("utf-8", "surrogatepass")
        ).digest()
        found = None
        for digest, caller in self._known:
            if hmac.compare_digest(digest, asked):
                found = caller
        return found


class _KeysFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    api_keys: tuple[ApiKey, ...]


def read_api_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys of a file.

    Raises:
        ConfigError: it cannot be read or is not of the form that `AuthConfig` names; what it holds
            is not repeated.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        return _KeysFile.model_validate(raw).api_keys
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"[server.auth] api_keys_file: {path}: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigError(f"[server.auth] api_keys_file: {path}: {faults}") from None

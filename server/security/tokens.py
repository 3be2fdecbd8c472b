"""Callers known by a signed token (JWT, RFC 7519)."""

import importlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from artifacts.errors import BackendUnavailableError, ConfigError
from server.security.config import JwtConfig
from server.security.roles import Caller, Role

REMEMBERED = 1_024
"""Tokens whose signature need not be checked again before they expire."""

SHORTEST_SECRET = 32
"""Bytes of a shared secret at least, as many as the hash of HS256 has (RFC 7518, section 3.2)."""


class Tokens:
    """Verifies tokens.

    Signature, audience, issuer and expiry are checked by PyJWT; a checked token is remembered by its
    hash until it expires, since a signature costs more than many an answer.

    Args:
        config: what a good token looks like.
        clock: seconds since 1970.

    Raises:
        ConfigError: a key cannot be read or does not fit the algorithm.
        BackendUnavailableError: PyJWT is not installed.
    """

    def __init__(self, config: JwtConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._jwt = _library()
        self._keys = [_read_key(path, config.algorithm, self._jwt) for path in config.keys]
        self._remembered: dict[bytes, tuple[Caller, float]] = {}

    def caller(self, token: str) -> Caller | None:
        """Return who the token speaks for, or None if it is not good, for whatever reason."""
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._remembered.get(digest)
        if known is not None:
            if self._clock() < known[1]:
                return known[0]
            del self._remembered[digest]
        claims = self._claims(token)
        caller = None if claims is None else self._caller_of(claims)
        if claims is not None and caller is not None:
            self._remember(digest, caller, float(str(claims["exp"])) + self._config.leeway_s)
        return caller

    def _claims(self, token: str) -> Mapping[str, object] | None:
        """Return what the token says, if one of the keys signed it and it holds here and now."""
        config = self._config
        required = ["exp", "aud", "iss"] if config.issuer else ["exp", "aud"]
        for key in self._keys:
            try:
                claims: Mapping[str, object] = self._jwt.decode(
                    token,
                    key,
                    algorithms=[config.algorithm],
                    audience=config.audience,
                    issuer=config.issuer or None,
                    leeway=config.leeway_s,
                    options={"require": required},
                )
            except (self._jwt.PyJWTError, ValueError):
                continue
            return claims
        return None

    def _caller_of(self, claims: Mapping[str, object]) -> Caller | None:
        try:
            role = Role(str(claims.get(self._config.role_claim, Role.READ)))
        except ValueError:
            return None
        return Caller(f"token:{claims.get('sub', '')}", role)

    def _remember(self, digest: bytes, caller: Caller, until: float) -> None:
        if len(self._remembered) >= REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = caller, until


def _library() -> ModuleType:
    try:
        return importlib.import_module("jwt")
    except ImportError as error:
        raise BackendUnavailableError(
            "[server.auth.jwt]: PyJWT is not installed; the extra `jwt` brings it"
        ) from error


def _read_key(path: Path, algorithm: str, jwt: ModuleType) -> object:
    """Return a key as PyJWT wants it, parsed once."""
    try:
        key = path.read_bytes()
        if algorithm != "HS256":
            public: object = jwt.get_algorithm_by_name(algorithm).prepare_key(key)
            return public
    except (OSError, ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConfigError(
            f"[server.auth.jwt] keys: {path}: expected a public key for {algorithm} in PEM form "
            f"({type(error).__name__})"
        ) from None
    secret = key.strip()
    if len(secret) < SHORTEST_SECRET:
        raise ConfigError(
            f"[server.auth.jwt] keys: {path}: expected a secret of at least {SHORTEST_SECRET} bytes, "
            f"got {len(secret)}"
        )
    return secret

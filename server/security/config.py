"""Settings of security: the TOML tables `[server.tls]`, `[server.auth]` and `[server.limits]`."""

from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from server.security.roles import Role

Algorithm: TypeAlias = Literal["RS256", "ES256", "HS256"]


class TlsConfig(BaseModel):
    """Files in PEM form; they are read when the server starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate: Path
    """The server's certificate, with the intermediate ones behind it."""
    key: Path
    """Its private key."""
    client_ca: Path | None = None
    """Authorities that sign callers' certificates; set, a caller without one is turned away."""

    def anchored(self, base: Path) -> Self:
        """Return the settings with relative paths starting at `base`."""
        files = {"certificate": base / self.certificate, "key": base / self.key}
        client_ca = self.client_ca and base / self.client_ca
        return self.model_copy(update={**files, "client_ca": client_ca})


class ApiKey(BaseModel):
    """A key that a caller may send as `x-api-key`; the key itself is nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """What the key is called in limits and logs."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    """SHA-256 of the key, 64 hexadecimal digits."""
    role: Role = Role.READ
    """What its holder may do."""


class JwtConfig(BaseModel):
    """Signed tokens that a caller may send as `authorization: Bearer ...`; needs the extra `jwt`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Algorithm
    """The signature that is accepted; a token cannot choose another one."""
    keys: tuple[Path, ...] = Field(min_length=1)
    """Files with public keys (PEM), or with shared secrets for HS256; several while one follows
    another."""
    audience: str = Field(min_length=1)
    """What the claim `aud` has to name."""
    issuer: str = ""
    """What the claim `iss` has to be; empty where any is good."""
    role_claim: str = Field(default="role", min_length=1)
    """Claim that holds `read` or `admin`; a token without it may read."""
    leeway_s: float = Field(default=10.0, ge=0, le=300)
    """Seconds by which the clocks of signer and server may differ."""

    def anchored(self, base: Path) -> Self:
        """Return the settings with relative paths starting at `base`."""
        return self.model_copy(update={"keys": tuple(base / key for key in self.keys)})


class KnownCertificate(BaseModel):
    """A caller who is known by the certificate of its connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """What the caller is called in limits and logs."""
    identity: str = Field(min_length=1)
    """Whom the certificate is made out to: one of its subject alternative names (DNS name, URI, e-mail or
    IP address), whole; its common name where it has none."""
    role: Role = Role.READ
    """What its holder may do."""


class AuthConfig(BaseModel):
    """Credentials that are asked for; without any, everybody who reaches the port may call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_keys: tuple[ApiKey, ...] = ()
    """Keys that are good."""
    api_keys_file: Path | None = None
    """Further keys: a TOML file with tables `[[api_keys]]` of the same form, read at start."""
    jwt: JwtConfig | None = None
    """Signed tokens."""
    certificates: tuple[KnownCertificate, ...] = ()
    """Certificates that are enough by themselves; needs `client_ca` of `[server.tls]`."""

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked for."""
        named = self.api_keys or self.certificates
        return not named and self.api_keys_file is None and self.jwt is None

    def anchored(self, base: Path) -> Self:
        """Return the settings with relative paths starting at `base`."""
        changes = {
            "api_keys_file": self.api_keys_file and base / self.api_keys_file,
            "jwt": self.jwt and self.jwt.anchored(base),
        }
        return self.model_copy(update=changes)


class LimitsConfig(BaseModel):
    """How much one caller may ask for; 0 leaves what the wire contract allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_batch: int = Field(default=0, ge=0, le=1_000)
    """Entries of a call."""
    max_k: int = Field(default=0, ge=0, le=1_000)
    """Items of an answer."""
    max_calls_per_caller: int = Field(default=0, ge=0)
    """Calls in flight, in each worker, by API key, subject of a token or certificate, or else by address; a call is in
    flight until its answer is written."""

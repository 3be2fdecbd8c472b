from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from artifacts.errors import ConfigError
from server.security.config import JwtConfig
from server.security.roles import Caller, Role
from server.security.tokens import Tokens
from tests.made_tokens import GOOD, NOW, SECRET, signed

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65_537, 2_048)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def config(path: Path, algorithm="HS256", **changes) -> JwtConfig:
    settings = {"keys": (path,), "audience": "shelfmate", "issuer": "issuer", **changes}
    return JwtConfig.model_validate({"algorithm": algorithm, **settings})


def public_file(folder: Path, key) -> Path:
    path = folder / "public.pem"
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(pem)
    return path


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture
def tokens(secret_file):
    return Tokens(config(secret_file, leeway_s=0), Clock())


def test_token_tells_who_calls(tokens):
    caller = tokens.caller(signed())
    assert (caller.name, caller.role) == ("token:shop", Role.READ)
    assert tokens.caller(signed({"role": "admin"})).role is Role.ADMIN


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA_KEY), ("ES256", EC_KEY)])
def test_public_keys_verify_what_the_private_one_signed(tmp_path, algorithm, key):
    tokens = Tokens(config(public_file(tmp_path, key), algorithm), Clock())
    good = signed(key=key, algorithm=algorithm)
    assert tokens.caller(good) == Caller("token:shop", Role.READ)
    head, body, signature = good.split(".")
    other = "A" if signature[0] != "A" else "B"
    assert tokens.caller(".".join([head, body, other + signature[1:]])) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 60},
        {"exp": ""},
        {"aud": "another"},
        {"aud": ""},
        {"iss": "another"},
        {"iss": ""},
        {"nbf": NOW + 86_400},  # whatever it is once the suite has come so far
        {"role": "root"},
    ],
)
def test_token_that_does_not_hold_here_and_now_is_nobody(tokens, changes):
    assert tokens.caller(signed(changes)) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "....", "\ud800", signed(key="x" * 40)])
def test_what_nobody_signed_is_nobody(tokens, token):
    assert tokens.caller(token) is None


def test_token_cannot_choose_its_algorithm(tmp_path, secret_file):
    # The classic forgeries: no signature, and a public key used as shared secret.
    public = public_file(tmp_path, EC_KEY)
    by_key = Tokens(config(public, "ES256"), Clock())
    unsigned = jwt.encode(GOOD, key="", algorithm="none")
    assert by_key.caller(unsigned) is None
    assert by_key.caller(signed()) is None
    assert Tokens(config(secret_file, "HS256"), Clock()).caller(unsigned) is None


def test_remembered_token_expires(secret_file):
    clock = Clock()
    tokens = Tokens(config(secret_file, leeway_s=0), clock)
    token = signed()
    assert tokens.caller(token) is tokens.caller(token)
    remembered = tokens.caller(token)
    clock.now = NOW + 3_601
    # The library goes by the machine's clock and still finds it good: it was not the memory's word.
    assert tokens.caller(token) is not remembered


def test_either_of_two_keys_is_good(tmp_path, secret_file):
    former = tmp_path / "former"
    former.write_text("x" * 40)
    tokens = Tokens(config(secret_file, keys=(secret_file, former)), Clock())
    assert tokens.caller(signed()) is not None
    assert tokens.caller(signed(key="x" * 40)) is not None


@pytest.mark.parametrize(
    ("algorithm", "content", "expected"),
    [
        ("RS256", b"no key", "public key for RS256"),
        ("ES256", SECRET.encode(), "public key for ES256"),
        ("HS256", b"short", "at least 32 bytes, got 5"),
    ],
)
def test_key_that_does_not_fit_is_refused_and_not_quoted(tmp_path, algorithm, content, expected):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        Tokens(config(path, algorithm), Clock())
    assert content.decode() not in str(caught.value)


def test_missing_key_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing"):
        Tokens(config(tmp_path / "nothing"), Clock())

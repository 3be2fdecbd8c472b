from hashlib import sha256

import pytest

from server.security.config import ApiKey, AuthConfig, JwtConfig, KnownCertificate
from server.security.credentials import Credentials
from server.security.roles import Caller, Role
from tests.made_tokens import SECRET, signed

KEY = ApiKey(name="shop", sha256=sha256(b"open sesame").hexdigest())


@pytest.fixture
def credentials(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET)
    tokens = JwtConfig(algorithm="HS256", keys=(path,), audience="shelfmate")
    return Credentials(AuthConfig(api_keys=(KEY,), jwt=tokens))


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ([("user-agent", "x"), ("x-api-key", "open sesame")], "key:shop"),
        ([("authorization", f"Bearer {signed()}")], "token:shop"),
        ([("authorization", f"bearer  {signed()}")], "token:shop"),
        ([("x-api-key", "wrong"), ("authorization", f"Bearer {signed()}")], "token:shop"),
    ],
)
def test_key_or_token_is_found_among_the_metadata(credentials, metadata, name):
    assert credentials.sender(metadata).name == name


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("x-api-key", "wrong")],
        [("x-api-key", b"\xff\x00")],
        [("authorization", "Bearer")],
        [("authorization", "Basic b3BlbiBzZXNhbWU=")],
        [("authorization", f"Bearer {signed(key='x' * 40)}")],
        [("authorization", b"Bearer \xff")],
        [("authorization", signed())],
    ],
)
def test_whatever_is_wrong_is_nobody_s(credentials, metadata):
    assert credentials.sender(metadata) is None


def test_token_is_nobody_where_only_keys_are_good():
    found = Credentials(AuthConfig(api_keys=(KEY,)))
    assert found.sender([("authorization", f"Bearer {signed()}")]) is None


def test_keys_of_the_file_are_good_too(tmp_path):
    path = tmp_path / "keys.toml"
    path.write_text(f'[[api_keys]]\nname = "f"\nsha256 = "{sha256(b"from a file").hexdigest()}"\n')
    found = Credentials(AuthConfig(api_keys=(KEY,), api_keys_file=path))
    for key, name in (("from a file", "key:f"), ("open sesame", "key:shop")):
        assert found.sender([("x-api-key", key)]) == Caller(name, Role.READ)


def test_nothing_is_asked_for_unless_something_is_configured():
    assert AuthConfig().is_open
    assert not AuthConfig(api_keys=(KEY,)).is_open
    assert not AuthConfig(certificates=(KnownCertificate(name="a", identity="a"),)).is_open

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.errors import ConfigError
from server.security.api_keys import ApiKeys, read_api_keys
from server.security.config import ApiKey
from server.security.roles import Role


def key(name: str, secret: str, role: Role = Role.READ) -> ApiKey:
    return ApiKey(name=name, sha256=sha256(secret.encode()).hexdigest(), role=role)


KEYS = ApiKeys([key("shop", "open sesame"), key("ops", "hunter2", Role.ADMIN)])


@pytest.mark.parametrize(
    ("secret", "name", "role"),
    [("open sesame", "key:shop", Role.READ), (b"hunter2", "key:ops", Role.ADMIN)],
)
def test_key_tells_who_calls(secret, name, role):
    caller = KEYS.caller(secret)
    assert caller is not None
    assert (caller.name, caller.role) == (name, role)


@given(st.text() | st.binary())
def test_what_is_no_key_is_nobody(secret):
    if secret not in ("open sesame", b"open sesame", "hunter2", b"hunter2"):
        assert KEYS.caller(secret) is None


def test_admin_may_do_what_readers_may_and_not_the_other_way_round():
    reader, admin = KEYS.caller("open sesame"), KEYS.caller("hunter2")
    assert reader is not None
    assert admin is not None
    assert [reader.may(Role.READ), reader.may(Role.ADMIN)] == [True, False]
    assert [admin.may(Role.READ), admin.may(Role.ADMIN)] == [True, True]


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (key("a", "x"), key("a", "y"), "name"),
        (key("a", "x"), key("b", "x"), "sha256"),
    ],
)
def test_two_keys_that_cannot_be_told_apart_are_refused(first, second, what):
    with pytest.raises(ConfigError, match=f"same {what}"):
        ApiKeys([first, second])


def test_hash_is_not_shown_with_the_settings():
    made = key("shop", "open sesame")
    assert made.sha256 not in repr(made)


def test_keys_are_read_from_a_file(tmp_path):
    made = key("ops", "hunter2", Role.ADMIN)
    path = tmp_path / "keys.toml"
    path.write_text(f'[[api_keys]]\nname = "ops"\nrole = "admin"\nsha256 = "{made.sha256}"\n')
    assert read_api_keys(path) == (made,)


@pytest.mark.parametrize(
    "text",
    ["[[api_keys]", '[[api_keys]]\nname = "a"\nsha256 = "SECRET"\n', 'password = "SECRET"\n'],
)
def test_wrong_file_is_named_and_not_quoted(tmp_path, text):
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"keys\.toml") as caught:
        read_api_keys(path)
    assert "SECRET" not in str(caught.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"keys\.toml"):
        read_api_keys(tmp_path / "keys.toml")

import pytest

from artifacts.errors import ConfigError
from cli.access import access_of
from shelfmate.client.access import PLAIN


def test_nothing_is_shown_unless_the_environment_says_so():
    assert access_of({"HOME": "/", "SHELFMATE_API_KEY": ""}) == PLAIN


def test_credentials_and_certificates_are_read_from_where_the_environment_says(tmp_path):
    for name in ("ca", "crt", "key"):
        (tmp_path / name).write_text(name)
    access = access_of(
        {
            "SHELFMATE_API_KEY": "sesame",
            "SHELFMATE_TOKEN": "t",
            "SHELFMATE_CA": str(tmp_path / "ca"),
            "SHELFMATE_CERTIFICATE": str(tmp_path / "crt"),
            "SHELFMATE_KEY": str(tmp_path / "key"),
        },
        admin_target="host:2",
    )
    assert access.tls is not None
    assert (access.tls.root_certificates, access.tls.certificate, access.tls.key) == (
        b"ca",
        b"crt",
        b"key",
    )
    assert dict(access.metadata() or ()) == {"x-api-key": "sesame", "authorization": "Bearer t"}
    assert access.admin_target == "host:2"


def test_file_that_cannot_be_read_is_named():
    with pytest.raises(ConfigError, match="SHELFMATE_CA: /nowhere: No such file"):
        access_of({"SHELFMATE_CA": "/nowhere"})

import pytest

from artifacts.errors import ConfigError
from server.security.certificates import Certificates
from server.security.config import KnownCertificate
from server.security.roles import Caller, Role

KNOWN = (
    KnownCertificate(name="shop", identity="spiffe://shop/web"),
    KnownCertificate(name="ops", identity="ops.example.org", role=Role.ADMIN),
)


@pytest.mark.parametrize(
    ("identities", "name", "role"),
    [
        ([b"ops.example.org"], "certificate:ops", Role.ADMIN),
        ([b"somebody", b"spiffe://shop/web"], "certificate:shop", Role.READ),
        ([b"spiffe://shop/web", b"ops.example.org"], "certificate:shop", Role.READ),
    ],
)
def test_caller_is_whom_the_certificate_is_made_out_to(identities, name, role):
    caller = Certificates(KNOWN).caller(identities)
    assert caller == Caller(name, role)


@pytest.mark.parametrize(
    "identities",
    [None, [], [b""], [b"\xff"], [b"OPS.example.org"], [b"ops.example.org.evil"], [b"example.org"]],
)
def test_nothing_but_the_whole_name_counts(identities):
    assert Certificates(KNOWN).caller(identities) is None


@pytest.mark.parametrize("field", ["name", "identity"])
def test_two_of_the_same_are_refused(field):
    twice = KnownCertificate.model_validate(
        {"name": "a", "identity": "a", field: getattr(KNOWN[0], field)}
    )
    with pytest.raises(ConfigError, match=rf"two have the same {field}"):
        Certificates((*KNOWN, twice))

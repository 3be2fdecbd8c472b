"""A server of two workers that asks for certificates and credentials, with real processes."""

import os
import signal
from dataclasses import replace
from hashlib import sha256

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import ValidationError

from artifacts.errors import ConfigError
from retrieval.config import RetrievalConfig
from server.app import serve
from server.config import ServerConfig
from server.security.config import AuthConfig, TlsConfig
from shelfmate.client import (
    Access,
    AdminClient,
    AsyncClient,
    CallError,
    Client,
    EntryError,
    Options,
    Tls,
)
from tests.made_tokens import SECRET, signed
from tests.patience import wait_until
from tests.serving import serving
from tests.shop import item_id

RETRIEVAL = RetrievalConfig()
READER, ADMIN = "a reader's key", "an admin's key"


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def child(authority, tiny_snapshots, tiny_configs, tmp_path_factory):
    """Serve by mutual TLS, with API keys, tokens and limits."""
    folder = tmp_path_factory.mktemp("secure")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(folder / "server.crt", append=True)
    authority.cert_pem.write_to_path(folder / "callers.crt")
    (folder / "secret").write_text(SECRET)
    settings = {
        "workers": 2,
        "tls": {
            "certificate": folder / "server.crt",
            "key": folder / "server.key",
            "client_ca": folder / "callers.crt",
        },
        "auth": {
            "api_keys": [
                {"name": "shop", "sha256": digest(READER)},
                {"name": "ops", "sha256": digest(ADMIN), "role": "admin"},
            ],
            "jwt": {"algorithm": "HS256", "keys": [folder / "secret"], "audience": "shelfmate"},
            "certificates": [
                {"name": "web", "identity": "web.example.org"},
                {"name": "night", "identity": "night@example.org", "role": "admin"},
            ],
        },
        "limits": {"max_batch": 5, "max_k": 7},
    }
    with serving(tiny_snapshots, folder, tiny_configs, **settings) as child:
        yield child


def issued(authority, identity: str) -> Tls:
    """Return what a caller needs whom an authority has issued a certificate to."""
    ours = authority.issue_cert(identity)
    return Tls(
        root_certificates=authority.cert_pem.bytes(),
        certificate=b"".join(pem.bytes() for pem in ours.cert_chain_pems),
        key=ours.private_key_pem.bytes(),
        server_name="localhost",
    )


@pytest.fixture(scope="module")
def tls(authority):
    return issued(authority, "caller@example.org")


@pytest.fixture(scope="module")
def access(child, tls):
    return Access(tls=tls, api_key=READER, admin_target=child.admin_target)


def refusal(child, access: Access, *, timeout_s: float = 20) -> CallError:
    client = Client(child.target, timeout_s=timeout_s, access=access)
    with client, pytest.raises(CallError) as caught:
        client.items([item_id(0)])
    return caught.value


@pytest.mark.parametrize("credentials", [{"api_key": READER}, {"token": signed()}])
def test_caller_with_certificate_and_credentials_is_answered(child, access, credentials):
    known = replace(access, **{"api_key": "", **credentials})
    with Client(child.target, timeout_s=20, access=known, connections=2) as client:
        for _ in range(4):
            assert client.similar([item_id(0)], Options(k=3)).outcomes


async def test_asynchronous_client_has_the_same_credentials(child, access):
    renewed = replace(access, api_key="", token=lambda: signed({"role": "admin"}))
    async with AsyncClient(child.target, timeout_s=20, access=renewed) as client:
        assert (await client.similar([item_id(0)])).outcomes
        assert (await client.status()).state == "serving"


@pytest.mark.parametrize(
    "credentials",
    [{"api_key": ""}, {"api_key": "wrong"}, {"api_key": "", "token": signed({"exp": 1})}],
)
def test_every_wrong_credential_gets_the_same_answer(child, access, credentials):
    error = refusal(child, replace(access, **credentials))
    assert error.code == "UNAUTHENTICATED"
    assert error.error == refusal(child, replace(access, api_key="")).error
    assert error.request_id


def test_caller_without_a_certificate_is_not_heard(child, tls, access):
    nobody = replace(tls, certificate=None, key=None)
    error = refusal(child, replace(access, tls=nobody), timeout_s=3)
    assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_certificate_of_another_authority_is_not_heard(child, tls, access):
    stranger = trustme.CA().issue_cert("caller@example.org")
    forged = replace(
        tls,
        certificate=b"".join(pem.bytes() for pem in stranger.cert_chain_pems),
        key=stranger.private_key_pem.bytes(),
    )
    error = refusal(child, replace(access, tls=forged), timeout_s=3)
    assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_plain_text_is_not_heard(child):
    error = refusal(child, Access(api_key=READER), timeout_s=3)
    assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_only_an_admin_is_told_of_the_host(child, access):
    reader = Client(child.target, timeout_s=20, access=access)
    with reader, pytest.raises(CallError, match="role read does not allow this call"):
        reader.status()
    with Client(child.target, timeout_s=20, access=replace(access, api_key=ADMIN)) as admin:
        assert admin.status().state == "serving"


def test_admin_service_is_not_on_the_public_port(child, access):
    public = replace(access, api_key=ADMIN, admin_target="")
    client = Client(child.target, timeout_s=20, access=public)
    with client, pytest.raises(CallError) as caught:
        client.status()
    assert caught.value.code == "UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("identity", "admin"), [("web.example.org", False), ("night@example.org", True)]
)
def test_certificate_alone_has_the_role_of_whom_it_is_made_out_to(
    authority, child, identity, admin
):
    access = Access(tls=issued(authority, identity), admin_target=child.admin_target)
    with Client(child.target, timeout_s=20, access=access) as client:
        assert client.similar([item_id(0)]).outcomes
        if admin:
            assert client.status().state == "serving"
            return
        with pytest.raises(CallError, match="role read does not allow this call"):
            client.status()


def test_key_comes_before_the_certificate(authority, child):
    web = Access(tls=issued(authority, "web.example.org"), api_key=ADMIN)
    with AdminClient(child.admin_target, timeout_s=20, access=web) as client:
        assert client.status().state == "serving"


@pytest.mark.parametrize(
    ("identity", "code"), [("web.example.org", "OK"), ("x", "UNAUTHENTICATED")]
)
def test_reflection_is_for_those_who_are_known(authority, child, identity, code):
    credentials = issued(authority, identity).credentials()
    options = (("grpc.ssl_target_name_override", "localhost"),)
    with grpc.secure_channel(child.target, credentials, options) as channel:
        ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = ask(iter([request]), timeout=20)
        if code == "OK":
            assert next(answers).list_services_response.service
        else:
            with pytest.raises(grpc.RpcError) as caught:
                next(answers)
            assert caught.value.code().name == code


def test_both_workers_speak_tls_and_the_one_that_takes_a_place_does(child, access):
    admin = replace(access, api_key=ADMIN)

    def places() -> dict[int, int]:
        """Return pids by places, as new connections come upon them."""
        with AdminClient(child.admin_target, timeout_s=20, access=admin) as one:
            status = one.status()
        return {status.worker_index: status.worker_pid}

    workers: dict[int, int] = {}
    wait_until(lambda: len(workers.update(places()) or workers) == 2)
    victim = workers[0]
    with Client(child.target, timeout_s=20, access=access, connections=4) as client:
        os.kill(victim, signal.SIGKILL)
        for _ in range(50):
            assert client.similar([item_id(0)], Options(k=3)).outcomes
    wait_until(lambda: places().get(0, victim) != victim)


def test_load_balancer_asks_for_health_without_credentials(child, tls):
    options = (("grpc.ssl_target_name_override", "localhost"),)
    for target in (child.target, child.admin_target):
        with grpc.secure_channel(target, tls.credentials(), options) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_limits_of_the_host_hold(child, access):
    ids = [item_id(row) for row in range(6)]
    with Client(child.target, timeout_s=20, access=access) as client:
        for ask in (client.similar, client.neighbors, client.items):
            with pytest.raises(CallError, match="expected at most 5 entries on this host, got 6"):
                ask(ids)
        with pytest.raises(CallError, match="expected 1 to 7 on this host, got 8"):
            client.similar(ids[:2], Options(k=8))
        answers = client.similar(ids[:5], Options(k=7)).outcomes
        assert not [outcome for outcome in answers if isinstance(outcome, EntryError)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"certificate": "nothing.crt", "key": "nothing.key"}, "nothing"),
        ({"certificate": "text", "key": "text"}, "expected a private key in PEM form"),
    ],
)
def test_wrong_certificate_ends_the_start(settings, expected, tmp_path, tiny_snapshots):
    (tmp_path / "text").write_text("no certificate")
    tls = TlsConfig.model_validate(settings).anchored(tmp_path)
    config = ServerConfig(port=0, tls=tls, state_dir=tmp_path)
    with pytest.raises(ConfigError, match=expected):
        serve(config, RETRIEVAL, tiny_snapshots)


def test_certificates_without_an_authority_are_refused():
    auth = {"certificates": [{"name": "a", "identity": "a"}]}
    with pytest.raises(ValidationError, match=r"expected tls\.client_ca beside it"):
        ServerConfig.model_validate({"auth": auth})


def test_keys_that_cannot_be_read_end_the_start(tmp_path, tiny_snapshots):
    auth = AuthConfig(api_keys_file=tmp_path / "nothing.toml")
    with pytest.raises(ConfigError, match=r"nothing\.toml"):
        serve(ServerConfig(port=0, auth=auth, state_dir=tmp_path), RETRIEVAL, tiny_snapshots)

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256

import grpc
import pytest
import trustme
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.security.config import ApiKey, AuthConfig, KnownCertificate
from server.security.credentials import Credentials
from server.security.guard import Guard, address_of
from server.security.roles import Role
from shelfmate.v1 import admin_pb2, admin_pb2_grpc, recommender_pb2_grpc
from tests.echo import Echo, echoing, question

CODE = grpc.StatusCode


def key(name: str, role: Role) -> ApiKey:
    return ApiKey(name=name, sha256=sha256(name.encode()).hexdigest(), role=role)


def credentials() -> Credentials:
    keys = (key("reader", Role.READ), key("second", Role.READ), key("ops", Role.ADMIN))
    return Credentials(AuthConfig(api_keys=keys))


def sent(name: str) -> tuple[tuple[str, str], ...]:
    return (("x-api-key", name),) if name else ()


@asynccontextmanager
async def guarded(service: Echo, guard: Guard):
    async with (
        echoing(service, [guard]) as target,
        grpc.aio.insecure_channel(target) as channel,
    ):
        yield channel


async def failure(call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def details(error: grpc.aio.AioRpcError) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            assert isinstance(value, bytes)
            for detail in Status.FromString(value).details:
                for kind in (ErrorInfo, RetryInfo):
                    message = kind()
                    if detail.Unpack(message):
                        found[kind.__name__] = message
    return found


@pytest.mark.parametrize("name", ["", "wrong"])
async def test_nobody_without_credentials_reaches_a_service(name):
    service = Echo()
    async with guarded(service, Guard(credentials(), 0)) as channel:
        recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
        error = await failure(recommender.GetItems(question("a"), metadata=sent(name)))
        assert error.code() is CODE.UNAUTHENTICATED
        info = details(error)["ErrorInfo"]
        assert isinstance(info, ErrorInfo)
        assert (info.reason, info.domain) == ("UNAUTHENTICATED", "shelfmate")
        assert info.metadata["request_id"]
    assert service.calls == 0


async def test_refused_message_is_not_read():
    service = Echo()
    async with guarded(service, Guard(credentials(), 0)) as channel:
        # Bytes that are no message of this kind: reading them would end in another status.
        send = channel.unary_unary("/shelfmate.v1.RecommenderService/GetItems")
        error = await failure(send(b"\xff" * 100))
        assert error.code() is CODE.UNAUTHENTICATED


async def test_unknown_methods_tell_nothing_to_strangers():
    async with guarded(Echo(), Guard(credentials(), 0)) as channel:
        send = channel.unary_unary("/shelfmate.v1.RecommenderService/NoSuch")
        assert (await failure(send(b""))).code() is CODE.UNAUTHENTICATED
        assert (await failure(send(b"", metadata=sent("ops")))).code() is CODE.UNIMPLEMENTED


@pytest.mark.parametrize(("name", "code"), [("reader", CODE.PERMISSION_DENIED), ("ops", CODE.OK)])
async def test_admin_service_needs_the_role(name, code):
    async with guarded(Echo(), Guard(credentials(), 0)) as channel:
        admin = admin_pb2_grpc.AdminServiceStub(channel)
        call = admin.GetServingStatus(admin_pb2.GetServingStatusRequest(), metadata=sent(name))
        assert await call.code() is code


@pytest.mark.parametrize("name", ["reader", "ops"])
async def test_either_role_may_read(name):
    async with guarded(Echo(), Guard(credentials(), 0)) as channel:
        recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
        answer = await recommender.GetItems(question("a"), metadata=sent(name))
        assert answer.outcomes[0].item.item_id == "a"


async def test_health_needs_no_credentials():
    async with guarded(Echo(), Guard(credentials(), 0)) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_one_caller_cannot_take_what_belongs_to_others():
    service = Echo()
    async with guarded(service, Guard(credentials(), 2)) as channel:
        recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
        waiting = [recommender.GetItems(question("wait"), metadata=sent("reader")) for _ in "ab"]
        for _ in waiting:
            await service.arrived.acquire()
        error = await failure(recommender.GetItems(question("a"), metadata=sent("reader")))
        assert error.code() is CODE.RESOURCE_EXHAUSTED
        assert "RetryInfo" in details(error)
        assert await recommender.GetItems(question("a"), metadata=sent("second"))
        service.gate.set()
        await asyncio.gather(*waiting)
        assert await recommender.GetItems(question("a"), metadata=sent("reader"))


async def test_callers_without_credentials_are_told_apart_by_address():
    service = Echo()
    async with guarded(service, Guard(None, 1)) as channel:
        recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
        waiting = recommender.GetItems(question("wait"))
        await service.arrived.acquire()
        error = await failure(recommender.GetItems(question("a")))
        assert error.code() is CODE.RESOURCE_EXHAUSTED
        waiting.cancel()  # whoever goes away gives the place back
        async with asyncio.timeout(20):
            while await recommender.GetItems(question("a")).code() is not CODE.OK:
                pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def guarded_by_certificates(service: Echo, max_calls: int, authority: trustme.CA):
    """Give a function that connects with a certificate made out to somebody."""
    known = (
        KnownCertificate(name="web", identity="web.example.org"),
        KnownCertificate(name="ops", identity="ops.example.org", role=Role.ADMIN),
    )
    guard = Guard(Credentials(AuthConfig(certificates=known)), max_calls)
    ours = authority.issue_cert("localhost")
    pair = ours.private_key_pem.bytes(), b"".join(pem.bytes() for pem in ours.cert_chain_pems)
    roots = authority.cert_pem.bytes()
    credentials = grpc.ssl_server_credentials([pair], roots, require_client_auth=True)
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(echoing(service, [guard], credentials))

        async def connected(identity: str) -> grpc.aio.Channel:
            theirs = authority.issue_cert(identity)
            chain = b"".join(pem.bytes() for pem in theirs.cert_chain_pems)
            key = theirs.private_key_pem.bytes()
            shown = grpc.ssl_channel_credentials(roots, key, chain)
            options = (("grpc.ssl_target_name_override", "localhost"),)
            return await stack.enter_async_context(grpc.aio.secure_channel(target, shown, options))

        yield connected


@pytest.mark.parametrize(
    ("identity", "reads", "steers"),
    [
        ("web.example.org", CODE.OK, CODE.PERMISSION_DENIED),
        ("ops.example.org", CODE.OK, CODE.OK),
        ("somebody.example.org", CODE.UNAUTHENTICATED, CODE.UNAUTHENTICATED),
    ],
)
async def test_certificate_has_a_role(authority, identity, reads, steers):
    service = Echo()
    async with guarded_by_certificates(service, 0, authority) as connected:
        channel = await connected(identity)
        recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
        assert await recommender.GetItems(question("a")).code() is reads
        admin = admin_pb2_grpc.AdminServiceStub(channel)
        request = admin_pb2.GetServingStatusRequest()
        assert await admin.GetServingStatus(request).code() is steers
    assert service.calls == (reads is CODE.OK)


async def test_callers_are_told_apart_by_their_certificates(authority):
    service = Echo()
    async with guarded_by_certificates(service, 1, authority) as connected:
        web, again, ops = [
            recommender_pb2_grpc.RecommenderServiceStub(await connected(f"{name}.example.org"))
            for name in ("web", "web", "ops")
        ]
        waiting = web.GetItems(question("wait"))
        await service.arrived.acquire()
        assert await again.GetItems(question("a")).code() is CODE.RESOURCE_EXHAUSTED
        assert await ops.GetItems(question("a"))
        service.gate.set()
        assert await waiting


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:40000", "ipv4:127.0.0.1"),
        ("ipv6:%5B::1%5D:40000", "ipv6:%5B::1%5D"),
        ("unix:/run/shop.sock", "unix:/run/shop.sock"),
    ],
)
def test_address_is_the_same_for_all_connections(peer, address):
    assert address_of(peer) == address

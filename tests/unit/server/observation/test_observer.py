import asyncio
import logging
from contextlib import asynccontextmanager

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from prometheus_client import CollectorRegistry

from artifacts.errors import OverloadedError, RequestError
from server.observation.config import LogsConfig
from server.observation.logs import LineHandler
from server.observation.metrics import Metrics
from server.observation.observer import Observer
from server.security.config import ApiKey, AuthConfig
from server.security.credentials import Credentials
from server.security.guard import Guard
from shelfmate.v1 import recommender_pb2_grpc
from tests.echo import Echo, echoing, question
from tests.patience import until

CODE = grpc.StatusCode
NOTHING_SLOW = LogsConfig(slow_ms=1e9)


def at_once(flush) -> None:
    asyncio.get_running_loop().call_soon(flush)


@asynccontextmanager
async def observed(service: Echo, logs: LogsConfig = NOTHING_SLOW, guard: Guard | None = None):
    registry = CollectorRegistry()
    interceptors = [Observer(Metrics(registry, at_once), logs), *([guard] if guard else [])]
    async with (
        echoing(service, interceptors) as target,
        grpc.aio.insecure_channel(target) as channel,
    ):
        yield recommender_pb2_grpc.RecommenderServiceStub(channel), registry


def calls(registry: CollectorRegistry, code: str, method: str = "GetItems") -> float | None:
    labels = {"method": method, "code": code}
    return registry.get_sample_value("shelfmate_call_seconds_count", labels)


async def failure(call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


@pytest.fixture
def service() -> Echo:
    made = Echo()
    made.errors = {
        "bad": RequestError("k: expected 1, got 2"),
        "busy": OverloadedError("full"),
        "bug": KeyError("secret"),
    }
    return made


async def test_calls_are_counted_by_their_code(service):
    async with observed(service) as (stub, registry):
        for _ in range(3):
            await stub.GetItems(question("a"))
        for item, code in (("bad", CODE.INVALID_ARGUMENT), ("bug", CODE.INTERNAL)):
            assert (await failure(stub.GetItems(question(item)))).code() is code
        # A caller has its answer before the server has counted the call.
        await until(lambda: not registry.get_sample_value("shelfmate_calls_in_flight"))
        assert calls(registry, "INVALID_ARGUMENT") == calls(registry, "INTERNAL") == 1
        assert calls(registry, "OK") == 3


@pytest.mark.parametrize("how", ["CANCELLED", "DEADLINE_EXCEEDED"])
async def test_caller_who_goes_away_is_counted(service, how):
    async with observed(service) as (stub, registry):
        call = stub.GetItems(question("wait"), timeout=0.1 if how == "DEADLINE_EXCEEDED" else 20)
        await service.arrived.acquire()
        if how == "CANCELLED":
            call.cancel()
        assert await call.code() is getattr(CODE, how)
        # The word of a caller whose time is up may come before the server's own clock says so.
        await until(lambda: bool(calls(registry, how) or calls(registry, "CANCELLED")))


async def test_refusals_are_counted_and_made_up_methods_share_one_label(service):
    keys = (ApiKey(name="a", sha256="0" * 64),)
    guard = Guard(Credentials(AuthConfig(api_keys=keys)), 0)
    async with observed(service, guard=guard) as (stub, registry):
        await failure(stub.GetItems(question("a")))
        await until(lambda: calls(registry, "UNAUTHENTICATED") == 1)
    async with (
        echoing(
            service,
            [Observer(Metrics(registry := CollectorRegistry(), at_once), NOTHING_SLOW), guard],
        ) as target,
        grpc.aio.insecure_channel(target) as channel,
    ):
        for name in "abc":
            path = f"/shelfmate.v1.RecommenderService/{name}"
            send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            await failure(send(b""))
        await until(lambda: calls(registry, "UNAUTHENTICATED", "other") == 3)


async def test_id_of_the_caller_comes_back_in_answers_and_errors(service):
    metadata = (("x-request-id", "mine-1"),)
    async with observed(service) as (stub, _):
        answered = stub.GetItems(question("a"), metadata=metadata)
        await answered
        assert ("x-request-id", "mine-1") in list(await answered.trailing_metadata())
        error = await failure(stub.GetItems(question("bad"), metadata=metadata))
        assert ("x-request-id", "mine-1") in list(error.trailing_metadata() or ())
        plain = stub.GetItems(question("a"))
        await plain
        assert "x-request-id" not in dict(await plain.trailing_metadata())


async def test_error_line_and_details_name_the_same_call(service, caplog):
    with caplog.at_level(logging.INFO, logger="server"):
        async with observed(service) as (stub, _):
            error = await failure(stub.GetItems(question("bug")))
    sent = dict(error.trailing_metadata() or ())
    info = ErrorInfo()
    assert Status.FromString(sent["grpc-status-details-bin"]).details[0].Unpack(info)
    assert info.metadata["request_id"] == sent["x-request-id"]
    lines = [record.getMessage() for record in caplog.records]
    assert len([text for text in lines if f"request_id={sent['x-request-id']}" in text]) == 2
    assert any("call ended method=GetItems code=INTERNAL" in text for text in lines)


async def test_answer_in_time_has_no_line_and_a_slow_one_has(service, caplog):
    with caplog.at_level(logging.INFO, logger="server"):
        async with observed(service) as (stub, _):
            await stub.GetItems(question("a"))
        assert caplog.records == []
        async with observed(service, LogsConfig(slow_ms=1e-6)) as (stub, _):
            call = stub.GetItems(question("a"))
            await call
            (record,) = caplog.records
            assert record.levelname == "WARNING"
            named = dict(await call.trailing_metadata())["x-request-id"]
            assert "code=OK" in record.getMessage()
            assert record.getMessage().endswith(f"request_id={named}")


async def test_flood_of_errors_does_not_flood_the_log(service, caplog):
    with caplog.at_level(logging.INFO, logger="server"):
        logs = LogsConfig(slow_ms=1e9, max_lines_s=0.01)
        async with observed(service, logs) as (stub, registry):
            await asyncio.gather(*(failure(stub.GetItems(question("busy"))) for _ in range(50)))
            await until(lambda: calls(registry, "RESOURCE_EXHAUSTED") == 50)
    assert len([text for text in caplog.messages if text.startswith("call ended")]) == 1


async def test_lines_hold_nothing_of_what_was_asked(service, caplog):
    metadata = (("x-api-key", "sesame"), ("authorization", "Bearer sesame"))
    with caplog.at_level(logging.DEBUG, logger="server"):
        async with observed(service, LogsConfig(slow_ms=1e-6)) as (stub, _):
            await stub.GetItems(question("sesame"), metadata=metadata)
            await failure(stub.GetItems(question("bad", "sesame"), metadata=metadata))
    assert len(caplog.records) == 2
    assert "sesame" not in caplog.text


async def test_log_on_a_full_disk_fails_no_call(service, caplog):
    caplog.set_level(logging.INFO, logger="server")
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123, ASYNC230 - a device
        handler = LineHandler(full.fileno())
        logging.getLogger("server").addHandler(handler)
        try:
            async with observed(service, LogsConfig(slow_ms=1e-6)) as (stub, _):
                assert await stub.GetItems(question("a"))
                assert (await failure(stub.GetItems(question("bad")))).code().name
        finally:
            logging.getLogger("server").removeHandler(handler)
    assert handler.lost == 2

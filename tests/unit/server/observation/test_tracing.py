from contextlib import asynccontextmanager

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry

from artifacts.errors import RequestError
from server.observation.call_record import current_call
from server.observation.config import LogsConfig
from server.observation.metrics import Metrics
from server.observation.observer import Observer
from server.observation.tracing import Tracing
from shelfmate.v1 import recommender_pb2 as pb
from shelfmate.v1 import recommender_pb2_grpc
from tests.echo import Echo, echoing, question

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Staged(Echo):
    """Spends its time in two stages."""

    async def get_items(self, request: pb.GetItemsRequest, context) -> pb.GetItemsResponse:
        record = current_call()
        for stage in ("lookup", "search"):
            record.spent(stage, started_ns=record.starts.get("lookup", 1_000))
        return await super().get_items(request, context)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@asynccontextmanager
async def traced(service: Echo, exporter: InMemorySpanExporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)
    observer = Observer(
        Metrics(CollectorRegistry(), lambda flush: None),
        LogsConfig(slow_ms=1e9),
        tracing.begin_span,
    )
    async with echoing(service, [observer]) as target, grpc.aio.insecure_channel(target) as channel:
        yield recommender_pb2_grpc.RecommenderServiceStub(channel)
    tracing.close()


async def test_call_continues_the_caller_s_trace_and_its_stages_lie_below_it(exporter):
    metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)
    async with traced(Staged(), exporter) as stub:
        await stub.GetItems(question("a"), metadata=metadata)
    lookup, search, call = exporter.get_finished_spans()
    assert call.name == "shelfmate.v1/GetItems"
    assert call.kind is SpanKind.SERVER
    assert call.parent is not None
    assert (f"{call.context.trace_id:032x}", f"{call.parent.span_id:016x}") == (TRACE, PARENT)
    assert dict(call.attributes or {})["rpc.grpc.status_code"] == 0
    for stage, name in ((lookup, "lookup"), (search, "search")):
        assert stage.name == name
        assert stage.parent is not None
        assert stage.parent.span_id == call.context.span_id
        assert stage.start_time is not None
        assert stage.end_time is not None
        assert stage.start_time < stage.end_time


async def test_call_without_a_trace_begins_one(exporter):
    async with traced(Echo(), exporter) as stub:
        await stub.GetItems(question("a"))
    (call,) = exporter.get_finished_spans()
    assert call.parent is None


@pytest.mark.parametrize(
    ("error", "number", "status"),
    [
        (RequestError("k: expected 1, got 2"), 3, StatusCode.UNSET),
        (KeyError("bug"), 13, StatusCode.ERROR),
    ],
)
async def test_only_our_own_faults_make_a_span_an_error(exporter, error, number, status):
    service = Echo()
    service.errors["bad"] = error
    async with traced(service, exporter) as stub:
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetItems(question("bad"))
    (call,) = exporter.get_finished_spans()
    assert dict(call.attributes or {})["rpc.grpc.status_code"] == number
    assert call.status.status_code is status

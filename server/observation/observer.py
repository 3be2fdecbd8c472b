"""What is noted of every call: metrics, a span, and a line where it was slow or failed."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, Protocol, TypeAlias

import grpc

from server.observation.call_record import CALL, CallRecord, current_call
from server.observation.config import LogsConfig
from server.observation.line_limit import LineLimit
from server.observation.metrics import Metrics
from server.request_ids import REQUEST_ID, made_id, sent_id
from shelfmate.v1 import admin_pb2, recommender_pb2

logger = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[object, object]"
Found: TypeAlias = "Handler | None"
Context: TypeAlias = grpc.aio.ServicerContext[object, object]
Behaviour: TypeAlias = Callable[[object, Context], Awaitable[object]]

METHODS = {
    f"/{service.full_name}/{method.name}": method.name
    for file in (recommender_pb2, admin_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
UNKNOWN = "other"
"""Method that no service has: callers must not be able to make up labels."""

OURS = tuple({name.rpartition("/")[0] + "/" for name in METHODS})

KEPT = 64
"""Watched handlers that are kept: those of all methods, and of their usual refusals."""

WRONG = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"})
"""Codes of our own faults."""


class _Ended(NamedTuple):
    """A call that has ended."""

    method: str
    code: str
    seconds: float
    record: CallRecord


class Span(Protocol):
    """A call as a tracer sees it."""

    def end(self, code: str, record: CallRecord) -> None:
        """Close it."""


class SpanOpener(Protocol):
    """A tracer."""

    def begin_span(self, method: str, context: Context) -> Span:
        """Open the span of a call."""

    def close(self) -> None:
        """Send what was not sent yet."""


class Observer(grpc.aio.ServerInterceptor):
    """Watches the calls of our services, also those that are refused on the way.

    A `server.turnstile.Watch`, which costs least; an interceptor where others stand before the
    turnstile.

    Args:
        metrics: count calls.
        logs: from when on a call is slow, and how many lines there may be.
        begin_span: opens a span for a method and the metadata of a call; None for none.
    """

    def __init__(
        self,
        metrics: Metrics,
        logs: LogsConfig,
        begin_span: Callable[[str, Context], Span] | None = None,
    ) -> None:
        self._metrics = metrics
        self._slow_s = logs.slow_ms / 1e3
        self._lines = LineLimit(logs.max_lines_s, time.monotonic)
        self._begin_span = begin_span
        self._observed: dict[tuple[str, int], tuple[Handler, Handler]] = {}

    async def intercept_service(  # type: ignore[override]  # generic in what no interceptor knows
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Found]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Found:
        """Return what answers the call, and is watched doing so."""
        handler = await continuation(handler_call_details)
        path = handler_call_details.method
        if handler is None or not path.startswith(OURS):
            return handler
        self.enter(handler_call_details.invocation_metadata)
        key = path, id(handler)
        known = self._observed.get(key)
        if known is not None:
            return known[1]
        watched = self.watched(path, handler)
        if path in METHODS and len(self._observed) < KEPT:
            self._observed[key] = handler, watched  # as long as it is kept, its id is its own
        return watched

    def enter(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Open the record of a call; to be called in the call's own context."""
        # Each call has a task, and a context, of its own. A handler would have to read metadata anew.
        CALL.set(CallRecord(sent_id(metadata)))

    def watched(self, path: str, handler: Handler) -> Handler:
        """Return a handler that is watched answering calls of `path`; `enter` comes first."""
        method = METHODS.get(path, UNKNOWN)
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._watching(method, handler.unary_unary),  # type: ignore[arg-type]  # for threads
                handler.request_deserializer,
                handler.response_serializer,
            )
        assert handler.stream_stream is not None, "bug: neither a call of ours nor a refusal"
        return grpc.stream_stream_rpc_method_handler(
            self._watching(method, handler.stream_stream)  # type: ignore[arg-type]  # as above
        )

    def _watching(self, method: str, behaviour: Behaviour) -> Behaviour:
        async def watched(request: object, context: Context) -> object:
            started_s = time.perf_counter()
            record = current_call()
            self._metrics.begun()
            span = self._begin_span(method, context) if self._begin_span is not None else None
            code = "OK"
            try:
                return await behaviour(request, context)
            except asyncio.CancelledError:
                code = _code_of_cancellation(context)
                raise
            except BaseException:
                code = _code_of_failure(context)
                raise
            finally:
                seconds = time.perf_counter() - started_s
                self._metrics.ended(method, code, seconds, record)
                if span is not None:
                    span.end(code, record)
                self._told(context, _Ended(method, code, seconds, record))

        return watched

    def _told(self, context: Context, call: _Ended) -> None:
        """Repeat the call's id to the caller, and write its line if it deserves one."""
        slow = call.seconds >= self._slow_s
        request_id = call.record.request_id
        if call.code == "OK":
            request_id = request_id or (made_id() if slow else "")
            if request_id:
                context.set_trailing_metadata(((REQUEST_ID, request_id),))
            if not slow:
                return
        else:
            # An error that was sent has its id already.
            request_id = request_id or sent_id(context.trailing_metadata()) or made_id()
        left_out = self._lines.take()
        if left_out is not None:
            _write_line(call, request_id, left_out)


def _write_line(call: _Ended, request_id: str, left_out: int) -> None:
    level = logging.WARNING if call.code == "OK" else logging.INFO
    logger.log(
        logging.ERROR if call.code in WRONG else level,
        "call ended method=%s code=%s ms=%.1f entries=%d stages=%s left_out=%d request_id=%s",
        call.method,
        call.code,
        round(call.seconds * 1e3, 3),
        call.record.entries,
        ",".join(f"{stage}:{spent / 1e6:.1f}" for stage, spent in call.record.stages.items()),
        left_out,
        request_id,
    )


def _code_of_cancellation(context: Context) -> str:
    """Tell a caller whose time is over from one who has gone."""
    left_s = context.time_remaining()
    return "DEADLINE_EXCEEDED" if left_s is not None and left_s <= 0 else "CANCELLED"


def _code_of_failure(context: Context) -> str:
    code: grpc.StatusCode | None = context.code()
    return grpc.StatusCode.UNKNOWN.name if code is None else code.name

"""Spans of calls and of their stages, by OpenTelemetry; imported only where tracing is on."""

import threading
import time
from collections.abc import Callable

import grpc
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from server.observation.call_record import CallRecord
from server.observation.config import TracingConfig

NAME = "shelfmate"
LAST_SPANS_S = 2.0
"""What sending the last spans may take."""
CODES = {code.name: code.value[0] for code in grpc.StatusCode}
SERVER_FAULTS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""Codes that make a server's span an error (OpenTelemetry's conventions for gRPC)."""

Context = grpc.aio.ServicerContext[object, object]


def tracer_provider(config: TracingConfig) -> TracerProvider:
    """Return what makes tracers whose spans are sent by OTLP.

    Where to, and how many wait, is said by the environment variables of OpenTelemetry, such as
    `OTEL_EXPORTER_OTLP_ENDPOINT`.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(config.share)),
        resource=Resource.create({SERVICE_NAME: NAME}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Tracing:
    """Opens a span for each call, which continues the caller's (W3C trace context).

    Args:
        provider: makes tracers.
        clock_ns: nanoseconds since 1970.
    """

    def __init__(
        self, provider: TracerProvider, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME)
        self._propagator = TraceContextTextMapPropagator()
        self._clock_ns = clock_ns

    def begin_span(self, method: str, context: Context) -> "CallSpan":
        """Open the span of a call."""
        carrier = {
            name: value
            for name, value in context.invocation_metadata() or ()
            if isinstance(value, str)
        }
        span = self._tracer.start_span(
            f"shelfmate.v1/{method}",
            context=self._propagator.extract(carrier),
            kind=trace.SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.method": method},
        )
        return CallSpan(self._tracer, span, self._clock_ns() - time.perf_counter_ns())

    def close(self) -> None:
        """Send what was not sent yet, unless nobody takes it."""
        # A collector that is away would hold up the end of the server by its retries.
        last = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(LAST_SPANS_S)


class CallSpan:
    """The span of one call; its stages become spans below it when it ends.

    Args:
        tracer: opens them.
        span: the call's.
        offset_ns: what `time.perf_counter_ns` lacks to nanoseconds since 1970.
    """

    def __init__(self, tracer: trace.Tracer, span: trace.Span, offset_ns: int) -> None:
        self._tracer = tracer
        self._span = span
        self._offset_ns = offset_ns

    def end(self, code: str, record: CallRecord) -> None:
        """Close it."""
        if self._span.is_recording():
            self._span.set_attribute("rpc.grpc.status_code", CODES[code])
            self._span.set_attribute("shelfmate.entries", record.entries)
            if code in SERVER_FAULTS:
                self._span.set_status(trace.StatusCode.ERROR, code)
            self._add_stages(record)
        self._span.end()

    def _add_stages(self, record: CallRecord) -> None:
        parent = trace.set_span_in_context(self._span)
        for stage, spent_ns in record.stages.items():
            began_ns = record.starts[stage] + self._offset_ns
            span = self._tracer.start_span(stage, context=parent, start_time=began_ns)
            span.end(began_ns + spent_ns)

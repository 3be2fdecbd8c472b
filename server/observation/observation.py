"""All that watches a worker."""

import asyncio
from random import Random

from prometheus_client import CollectorRegistry

from artifacts.errors import BackendUnavailableError
from retrieval.recommender import Recommender
from retrieval.state import ServingState
from server.config import ServerConfig
from server.observation.config import TracingConfig
from server.observation.metrics import Metrics
from server.observation.observer import Observer, SpanOpener
from server.observation.recall_probe import RecallProbe

SHOWN_AFTER_S = 0.25
"""What is counted of calls is seen from outside so much later."""


class Observation:
    """Metrics, logs of calls, spans and the recall probe, as the settings want them.

    Made inside the event loop that calls are answered on.

    Args:
        config: the table [server].

    Attributes:
        registry: what the page of a worker without others shows.
        metrics: what the worker counts.
        observer: what every call passes first.

    Raises:
        BackendUnavailableError: tracing is on, and OpenTelemetry is not installed.
    """

    def __init__(self, config: ServerConfig) -> None:
        self.registry = CollectorRegistry()
        loop = asyncio.get_running_loop()
        self.metrics = Metrics(self.registry, lambda flush: loop.call_later(SHOWN_AFTER_S, flush))
        self._spans = _span_opener(config.tracing)
        self.observer = Observer(
            self.metrics, config.logs, self._spans.begin_span if self._spans else None
        )
        self._probe: RecallProbe | None = None
        if config.recall_probe.share:
            self._probe = RecallProbe(
                config.recall_probe.share,
                config.recall_probe.k,
                self.metrics.probed,
                self.metrics.probe_dropped,
                Random(),
            )

    def watched(self, state: ServingState) -> ServingState:
        """Return a snapshot whose searches are compared, if any are to be."""
        return state if self._probe is None else self._probe.watched(state)

    def activated(self, recommender: Recommender) -> None:
        """Note what is in service."""
        snapshot = recommender.state.snapshot
        self.metrics.serves(snapshot.id, snapshot.manifest.created_at)

    def close(self) -> None:
        """Compare no more, show what was counted, and send the spans that were not sent yet.

        To be called when no call is in flight any more; may take a moment.
        """
        self.metrics.flush()
        if self._probe is not None:
            self._probe.close()
        if self._spans is not None:
            self._spans.close()


def _span_opener(config: TracingConfig) -> SpanOpener | None:
    if not config.enabled:
        return None
    try:
        from server.observation.tracing import Tracing, tracer_provider
    except ImportError as error:
        raise BackendUnavailableError(
            "[server.tracing]: OpenTelemetry is not installed; the extra `tracing` brings it"
        ) from error
    return Tracing(tracer_provider(config))

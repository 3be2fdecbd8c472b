"""The page that Prometheus reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from artifacts.errors import ConfigError
from server.observation.config import MetricsConfig

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable by which a process that is one of several keeps its metrics in files."""

METRICS = "metrics"
"""Below the folder that workers share."""


@contextmanager
def metrics_page(config: MetricsConfig, registry: CollectorRegistry) -> Iterator[int | None]:
    """Show a registry as long as the context lasts, and give the port; None where there is no page.

    Raises:
        ConfigError: the address cannot be bound.
    """
    if config.port is None:
        yield None
        return
    try:
        server, thread = start_http_server(config.port, config.host, registry)
    except OSError as error:
        raise ConfigError(
            f"[server.metrics] {config.host}:{config.port} cannot be bound: {error.strerror}"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def shared_metrics(config: MetricsConfig, run_dir: Path) -> Iterator[int | None]:
    """Show what the workers that share `run_dir` count; see `metrics_page`.

    Raises:
        ConfigError: the address cannot be bound.
    """
    if config.port is None:
        yield None
        return
    folder = run_dir / METRICS
    folder.mkdir()
    with metrics_page(config, gathered(folder)) as port:
        yield port


def worker_environment(config: MetricsConfig, run_dir: Path | None) -> dict[str, str]:
    """Return what makes a worker keep its metrics where `shared_metrics` finds them."""
    if config.port is None or run_dir is None:
        return {}
    return {FOLDER: str(run_dir / METRICS)}


def gathered(folder: Path) -> CollectorRegistry:
    """Return the metrics of all processes that keep theirs in `folder`, added up when asked for."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry


def forget(run_dir: Path, pid: int) -> None:
    """Leave out what holds only as long as a process lives; what it counted stays."""
    folder = run_dir / METRICS
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]

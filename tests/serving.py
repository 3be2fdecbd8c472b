"""A server in a process of its own."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from artifacts.versions import VersionedRoot
from retrieval.config import RetrievalConfig
from server.app import serve
from server.config import ServerConfig

START_S = 60
STOP_S = 30


@dataclass(frozen=True, slots=True)
class Child:
    """A serving process.

    Attributes:
        process: the process.
        port: where it listens.
        admin_port: where its admin service does.
        metrics_port: where its metrics are; None where nowhere.
    """

    process: BaseProcess
    port: int
    admin_port: int
    metrics_port: int | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def admin_target(self) -> str:
        return f"127.0.0.1:{self.admin_port}"

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Send a signal, SIGTERM unless said otherwise."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self) -> int | None:
        """Wait for the end and return the exit code."""
        self.process.join(STOP_S)
        return self.process.exitcode


@contextmanager
def serving(
    snapshots: VersionedRoot, folder: Path, configs: RetrievalConfig, **settings: object
) -> Iterator[Child]:
    """Start a server on a free port, and stop it if the test has not."""
    port_file = folder / "port"
    # Of its own, since several servers of a test run may share their snapshots.
    config = ServerConfig.model_validate({"port": 0, "state_dir": folder / "state", **settings})
    # Spawned: a fork would copy threads of gRPC and OpenMP that this process has started.
    context = multiprocessing.get_context("spawn")
    process = context.Process(
        target=serve, args=(config, configs, snapshots), kwargs={"port_file": port_file}
    )
    process.start()
    try:
        yield Child(process, *_ports(process, port_file))
    finally:
        if process.is_alive():
            process.terminate()
        process.join(STOP_S)
        if process.is_alive():
            process.kill()
            process.join()


def _ports(process: BaseProcess, port_file: Path) -> tuple[int, int, int | None]:
    """Wait until the server says that it serves."""
    for _ in range(START_S * 20):
        if port_file.exists():
            ports = [int(line) for line in port_file.read_text().split()]
            return ports[0], ports[1], ports[2] if len(ports) > 2 else None
        process.join(0.05)
        if process.exitcode is not None:
            raise AssertionError(f"the server ended with exit code {process.exitcode}")
    raise AssertionError(f"the server was not ready within {START_S} s")

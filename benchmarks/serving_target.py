"""Servers under load, each in a process on a core of its own."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from artifacts.errors import NotReadyError

SERVER_CORE = 0
GENERATOR_CORE = 1
START_S = 120.0
STOP_S = 30.0
POLL_S = 0.02


class Target(NamedTuple):
    """A server that runs."""

    port: int
    """Where it answers."""
    admin_port: int
    """Where its admin service does; the same port where it has none."""
    pid: int
    """Its process; with several workers, that of their supervisor."""
    ready_s: float
    """From the start of the process until calls were answered."""

    @property
    def address(self) -> str:
        """Where it answers, host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def admin_address(self) -> str:
        """Where its admin service does, host:port."""
        return f"127.0.0.1:{self.admin_port}"

    def family(self) -> list[psutil.Process]:
        """Return the process and its children, which are its workers, in the order of their start."""
        process = psutil.Process(self.pid)
        return [process, *sorted(process.children(), key=lambda child: child.create_time())]

    def cpu_s(self) -> float:
        """Return the seconds of processor time that server and workers have used."""
        times = [process.cpu_times() for process in self.family()]
        return float(sum(each.user + each.system for each in times))


@contextmanager
def target(module: str, arguments: Sequence[str]) -> Iterator[int]:
    """Run a module as a server, give its port, and stop it at the end; see `running`."""
    with running(module, arguments) as server:
        yield server.port


@contextmanager
def running(module: str, arguments: Sequence[str]) -> Iterator[Target]:
    """Run a module as a server on `SERVER_CORE`, and stop it at the end.

    Args:
        module: what is run; it takes `--port-file`.
        arguments: of the module.

    Raises:
        NotReadyError: it ended, or was not ready in time.
    """
    with tempfile.TemporaryDirectory(prefix="shelfmate-bench-") as folder:
        port_file, log = Path(folder) / "port", Path(folder) / "log"
        command = [sys.executable, "-m", "benchmarks.pinned", str(SERVER_CORE), module]
        command += [*arguments, "--port-file", str(port_file)]
        begun = time.perf_counter()
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink)
        try:
            ports = _ports(process, port_file, log)
            ready_s = time.perf_counter() - begun
            yield Target(ports[0], ports[min(1, len(ports) - 1)], process.pid, ready_s)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ports(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> list[int]:
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        if port_file.exists():
            return [int(line) for line in port_file.read_text("utf-8").split()]
        time.sleep(POLL_S)
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])
    raise NotReadyError(f"the server ended or was not ready in time; its last words:\n{tail}")

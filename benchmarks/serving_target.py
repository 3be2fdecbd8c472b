"""Servers under load, each in a process on a core of its own."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from artifacts.errors import NotReadyError

SERVER_CORE = 0
GENERATOR_CORE = 1
START_S = 120.0
STOP_S = 30.0
POLL_S = 0.05


@contextmanager
def target(module: str, arguments: Sequence[str]) -> Iterator[int]:
    """Run a module as a server on `SERVER_CORE`, give its port, and stop it at the end.

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
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink)
        try:
            yield _port(process, port_file, log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        if port_file.exists():
            return int(port_file.read_text("utf-8").split()[0])
        time.sleep(POLL_S)
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])
    raise NotReadyError(f"the server ended or was not ready in time; its last words:\n{tail}")

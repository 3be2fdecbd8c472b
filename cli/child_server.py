"""A server of our own as a child process, for the demo and for measurements."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artifacts.errors import NotReadyError

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0
POLL_S = 0.05


@contextmanager
def child_server(shop_file: Path, folder: Path) -> Iterator[str]:
    """Start a server on a free loopback port, give its address, and stop it at the end.

    Args:
        shop_file: settings; the snapshot in service there is served.
        folder: gets the server's log and its port file.

    Raises:
        NotReadyError: the server ended, or was not ready in time; its log is quoted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port_file, log = folder / "server.port", folder / "server.log"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "cli", "serve", "--config", str(shop_file.resolve())]
    command += ["--port", "0", "--port-file", str(port_file.resolve())]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        yield f"127.0.0.1:{_port(process, port_file, log)}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    until = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < until:
        if port_file.exists():
            return int(port_file.read_text("utf-8").split()[0])
        time.sleep(POLL_S)
    state = "did not become ready in time" if process.returncode is None else "ended"
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])
    raise NotReadyError(f"the server {state}; the end of {log}:\n{tail}")

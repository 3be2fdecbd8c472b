"""Programs that a peer consists of."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S = 120.0
STOP_S = 20.0
POLL_S = 0.1


def free_port() -> int:
    """Return a port of this machine that nothing listens on, for programs that cannot choose one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def program(
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a program until the block ends.

    Args:
        command: what is run.
        log: gets what it prints.
        is_ready: asked until it says so; an OSError counts as no.
        environment: variables that it gets beside those of this process.

    Raises:
        ConnectionError: it ended, or was not ready in time.
    """
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, env=os.environ | dict(environment or {})
        )
    try:
        _wait(process, is_ready, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", is_ready: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            if is_ready():
                return
        except OSError:
            pass
        time.sleep(POLL_S)
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])
    raise ConnectionError(f"{process.args!r} ended or was not ready in time:\n{tail}")

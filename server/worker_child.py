"""A worker process, as its supervisor sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys

from pydantic import ValidationError

from server.launch import Launch, Report
from server.observation.endpoint import worker_environment

COMMAND = (sys.executable, "-P", "-m", "server.worker_process")

ONE_THREAD = {
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Read by the libraries as they are imported: workers share the cores, a call does not."""


class WorkerChild:
    """A child process and the socket that ties it to this one.

    The child ends when the socket closes, so that it never outlives a supervisor that was killed.

    Attributes:
        pid: of the process.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._ended = asyncio.Event()
        self.pid = process.pid
        # A number of a process may be given to another one; its descriptor never is.
        self._descriptor = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(self._descriptor, self._note_end)

    @classmethod
    async def start(cls, launch: Launch, command: tuple[str, ...] = COMMAND) -> "WorkerChild":
        """Start a process of its own memory: nothing of gRPC or OpenMP survives a fork.

        Args:
            launch: what the worker has to know.
            command: program and arguments; the number of the worker's socket is appended.
        """
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        with theirs:
            number = theirs.fileno()
            process = subprocess.Popen(  # noqa: ASYNC220 - takes a few milliseconds
                [*command, str(number)],
                pass_fds=(number,),
                stdin=subprocess.DEVNULL,
                env=_environment(launch),
            )
        writer.write(launch.model_dump_json().encode() + b"\n")
        return cls(process, reader, writer)

    async def report(self) -> Report | None:
        """Return how the start ended, or None if the process died before it could say."""
        try:
            return Report.model_validate_json(await self._reader.readline())
        except (ConnectionError, ValidationError):
            return None

    async def wait(self) -> int:
        """Return the exit code; below 0 the number of the signal that killed it."""
        await self._ended.wait()
        self._writer.close()
        return self._process.wait()

    def stop(self) -> None:
        """Ask it to finish the calls in flight and end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._ended.set()


def _environment(launch: Launch) -> dict[str, str]:
    """Return the environment of workers: what the operator set there stands."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    metrics = worker_environment(launch.config.metrics, launch.place.run_dir)
    return {**ONE_THREAD, **os.environ, **metrics, "PYTHONPATH": path}

"""A peer's process: started, waited for, kept to one core, and ended."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from artifacts.errors import BackendUnavailableError, NotReadyError
from benchmarks.compare.exam import Exam
from benchmarks.compare.peers import Peer

ROOT = Path(__file__).resolve().parents[2]
STOP_S = 10.0
ANSWER_S = 600.0
LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Start:
    """How peers are started.

    Attributes:
        python: of the environment that has the peers; ours have this process's own.
        work: folder for files.
        start_s: seconds until one is ready, building and tuning included.
    """

    python: Path
    work: Path
    start_s: float


@dataclass(frozen=True, slots=True)
class Child:
    """A peer that is ready.

    Attributes:
        facts: what it said of itself.
        pid: of its process.
    """

    facts: dict[str, Any]
    pid: int
    _channel: Connection

    def pin(self, core: int) -> None:
        """Keep the process and all that it has started to one core."""
        for process in self._family():
            for thread in process.threads():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(thread.id, {core})

    def resident_bytes(self) -> int:
        """Return the memory that the process and all that it has started have in use.

        Raises:
            NotReadyError: the process has ended.
        """
        try:
            return sum(process.memory_info().rss for process in self._family())
        except psutil.NoSuchProcess as error:
            raise NotReadyError("it ended under load") from error

    def latencies(self, batch: int, due_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Let a library make calls at these times.

        Returns:
            (calls,) seconds from when each was due to its answer; NaN for those that were given up.

        Raises:
            ConnectionError: the process has ended.
        """
        try:
            self._channel.send((batch, due_s.tobytes()))
            if not self._channel.poll(float(due_s[-1]) + ANSWER_S):
                raise ConnectionError("the peer does not answer")
            return np.frombuffer(self._channel.recv())
        except EOFError as error:
            raise ConnectionError("the peer has ended") from error

    def _family(self) -> list[psutil.Process]:
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]


@contextmanager
def running(peer: Peer, exam: Exam, start: Start) -> Iterator[Child]:
    """Run a peer until the block ends.

    Raises:
        BackendUnavailableError: it is not installed.
        NotReadyError: it ended, or was not ready in time.
    """
    folder = start.work / peer.name
    folder.mkdir()
    settings = folder / "task.json"
    settings.write_text(json.dumps(_settings(peer, exam)), "utf-8")
    here, there = multiprocessing.Pipe()
    python = sys.executable if peer.kind == "ours" else str(start.python)
    command = [python, "-m", f"benchmarks.compare.{peer.module}", str(there.fileno())]
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*command, str(settings)],
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
            pass_fds=[there.fileno()],
            env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
    there.close()
    try:
        yield Child(_facts(here, start.start_s, log), process.pid, here)
    finally:
        here.close()
        _end(process)


def _settings(peer: Peer, exam: Exam) -> dict[str, Any]:
    return {
        "exam": str(exam.folder),
        "engine": peer.engine,
        "options": peer.options,
        "k": exam.k,
        "recall": exam.recall,
        "batches": exam.batches,
    }


def _facts(channel: Connection, start_s: float, log: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = channel.recv() if channel.poll(start_s) else {}
    except EOFError:
        facts = {}
    if "absent" in facts:
        raise BackendUnavailableError(facts["absent"])
    if not facts:
        tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:])
        raise NotReadyError(f"it ended or was not ready in time; its last words:\n{tail}")
    return facts


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let the process end, which a closed pipe asks it to; then end whatever of it is left."""
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.terminate()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

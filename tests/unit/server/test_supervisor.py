"""A supervisor with real processes that serve nothing; see tests/made_worker.py."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from artifacts.errors import ArtifactError, NotReadyError
from retrieval.config import RetrievalConfig
from server import supervisor as supervisor_module
from server.config import ServerConfig
from server.launch import Launch
from server.place import Place
from server.supervisor import Supervisor
from tests.made_worker import BELL

SCRIPT = Path(__file__).parents[2] / "made_worker.py"
PATIENCE_S = 20


@contextmanager
def open_bell(bell: Path) -> Iterator[asyncio.Event]:
    """Give an event that is set whenever a worker rings."""
    loop, rung = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.open(bell, os.O_RDWR | os.O_NONBLOCK)

    def hear() -> None:
        os.read(descriptor, 1 << 10)
        rung.set()

    loop.add_reader(descriptor, hear)
    try:
        yield rung
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


class Host:
    """A supervisor on its way, and what its workers left behind."""

    def __init__(self, folder: Path, behaviour: str, workers: int = 2) -> None:
        self._folder = folder
        os.mkfifo(folder / BELL)
        self.ready = asyncio.Event()
        launches = [
            Launch(
                config=ServerConfig(drain_s=0),
                retrieval=RetrievalConfig(),
                snapshots=folder,
                place=Place(index=index, count=workers, run_dir=folder),
                log_level=30,
            )
            for index in range(workers)
        ]
        command = (sys.executable, "-I", "-S", str(SCRIPT), str(folder), behaviour)
        self.supervisor = Supervisor(launches, self.ready.set, command=command)
        self.run = asyncio.ensure_future(self.supervisor.run())

    def pids(self, place: int) -> list[int]:
        return [int(path.name.split("-")[1]) for path in self._folder.glob(f"{place}-*")]

    async def answers(self) -> None:
        await asyncio.wait_for(self.ready.wait(), PATIENCE_S)

    async def until(self, condition) -> None:
        """Look whenever a worker has left a file."""
        with open_bell(self._folder / BELL) as rung:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    await rung.wait()
                    rung.clear()

    async def end(self) -> None:
        self.supervisor.stop()
        await asyncio.wait_for(self.run, PATIENCE_S)


async def test_all_workers_start_and_end_together(tmp_path):
    host = Host(tmp_path, "serves", workers=3)
    await host.answers()
    pids = [pid for place in range(3) for pid in host.pids(place)]
    assert len(set(pids)) == 3
    await host.end()
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_worker_that_dies_is_replaced_in_its_place_alone(tmp_path):
    host = Host(tmp_path, "serves")
    await host.answers()
    (victim,), (other,) = host.pids(0), host.pids(1)
    os.kill(victim, signal.SIGKILL)
    await host.until(lambda: len(host.pids(0)) == 2)
    assert host.pids(1) == [other]
    await host.end()


async def test_worker_that_dies_as_soon_as_it_is_ready_is_replaced(tmp_path):
    host = Host(tmp_path, "dies-once")
    await host.until(lambda: [len(host.pids(place)) for place in range(2)] == [2, 2])
    await host.answers()
    await host.end()


async def test_reason_of_a_worker_that_cannot_start_is_raised_and_the_others_end(tmp_path):
    host = Host(tmp_path, "refuses")
    with pytest.raises(ArtifactError, match=r"vectors\.npy: damaged"):
        await asyncio.wait_for(host.run, PATIENCE_S)
    assert not host.ready.is_set()
    assert not any(psutil.pid_exists(pid) for pid in host.pids(0) + host.pids(1))


async def test_workers_that_always_die_at_start_are_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("server.restarts.FIRST_S", 0.0)
    host = Host(tmp_path, "dies")
    with pytest.raises(NotReadyError, match="exit code 9"):
        await asyncio.wait_for(host.run, PATIENCE_S)
    assert not host.ready.is_set()


async def test_worker_that_does_not_end_when_asked_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor_module, "KILL_AFTER_S", 0.1)
    host = Host(tmp_path, "deaf")
    await host.answers()
    await host.end()
    assert not any(psutil.pid_exists(pid) for pid in host.pids(0) + host.pids(1))


async def test_stop_before_any_worker_is_ready_ends_quietly(tmp_path):
    host = Host(tmp_path, "serves")
    await asyncio.sleep(0)
    await host.end()

"""Keeps the workers of a host running."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable

from artifacts.errors import NotReadyError
from server.launch import Launch
from server.observation.endpoint import forget
from server.restarts import Restarts
from server.worker_child import COMMAND, WorkerChild

logger = logging.getLogger(__name__)

KILL_AFTER_S = 10.0
"""What a worker may take to end beyond its `drain_s`."""


class Supervisor:
    """Starts one worker for each place, again if it dies, and ends all of them together.

    It opens no snapshot and answers no call, so that there is nothing in it that could die of a
    request. Made inside the event loop that it runs on.

    Args:
        launches: what each worker has to know, by place.
        on_ready: called once, when all workers answer.
        command: starts a worker.
    """

    def __init__(
        self,
        launches: list[Launch],
        on_ready: Callable[[], None],
        *,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._launches = launches
        self._on_ready = on_ready
        self._command = command
        self._children: dict[int, WorkerChild] = {}
        self._ready: set[int] = set()
        self._was_ready = False
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let all workers finish the calls in flight and end; `run` returns when they have."""
        self._stopping.set()
        for child in self._children.values():
            child.stop()

    async def run(self) -> None:
        """Keep the workers running until `stop`.

        Raises:
            ShelfmateError: a worker could not start at first, for the reason that it names.
            NotReadyError: workers die before they are ready, time and again, and none is left.
        """
        places = [asyncio.create_task(self._keep(place)) for place in range(len(self._launches))]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({stopping, *places}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self.stop()
            await self._end_of(places)
        for place in places:
            if not place.cancelled():
                place.result()

    async def _keep(self, place: int) -> None:
        """Have a worker in a place, until `stop`."""
        restarts = Restarts()
        while not self._stopping.is_set():
            child = await WorkerChild.start(self._launches[place], self._command)
            self._children[place] = child
            if self._stopping.is_set():  # it came while the process was being made
                child.stop()
            served_s, code = await self._watch(place, child)
            run_dir = self._launches[place].place.run_dir
            if run_dir is not None:
                forget(run_dir, child.pid)
            if self._stopping.is_set():
                return
            pause_s = restarts.died(served_s)
            logger.error("worker died place=%d pid=%d code=%d", place, child.pid, code)
            if restarts.hopeless and not self._ready:
                raise NotReadyError(
                    f"worker {place} died again and again before it was ready, at last with exit "
                    f"code {code}; its standard error says why"
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _watch(self, place: int, child: WorkerChild) -> tuple[float | None, int]:
        """Wait for a worker's end; return how long it had served, if at all, and its exit code.

        Raises:
            ShelfmateError: it could not start, and its host has not served yet.
        """
        report = await child.report()
        failure = report.failure() if report else None
        if failure is not None and not self._was_ready:
            raise failure
        if report is None or failure is not None:
            logger.warning("worker not ready place=%d pid=%d reason=%s", place, child.pid, failure)
            return None, await child.wait()
        since = time.monotonic()
        self._note_ready(place, child)
        try:
            code = await child.wait()
        finally:
            self._ready.discard(place)
        return time.monotonic() - since, code

    def _note_ready(self, place: int, child: WorkerChild) -> None:
        logger.info("worker ready place=%d pid=%d", place, child.pid)
        self._ready.add(place)
        if not self._was_ready and len(self._ready) == len(self._launches):
            self._was_ready = True
            self._on_ready()

    async def _end_of(self, places: list[asyncio.Task[None]]) -> None:
        """Wait for the end of all workers, and kill those that take too long."""
        patience_s = max(launch.config.drain_s for launch in self._launches) + KILL_AFTER_S
        _, late = await asyncio.wait(places, timeout=patience_s)
        for child in self._children.values():
            if late:
                child.kill()
            await child.wait()
        for place in late:
            place.cancel()
        await asyncio.gather(*places, return_exceptions=True)


async def supervise(launches: list[Launch], on_ready: Callable[[], None]) -> None:
    """Run workers until SIGTERM or SIGINT; see `Supervisor.run`."""
    supervisor = Supervisor(launches, on_ready)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    await supervisor.run()

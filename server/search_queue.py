"""Searches off the event loop, those of several calls together."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from indexer.native_threads import limit_native_threads
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.state import ServingState
from retrieval.together import Member, Run, finish, finish_together
from server.admission import Admission
from server.brown_out import BrownOut
from server.load_config import BatchingConfig

logger = logging.getLogger(__name__)

R = TypeVar("R")

Steps: TypeAlias = Generator[Run, None, R]
"""A call's work off the event loop: it yields each run that has to be finished before it goes on,
and returns the response."""


class Need(NamedTuple):
    """What the queue has to know of a call."""

    state: ServingState
    """Calls of one state alone are searched for together."""
    entries: int
    """How many answers it wants."""
    deadline: Deadline
    """How long its caller waits."""


class _Job:
    """A call in the queue, whatever its response."""

    __slots__ = ("arrived_s", "error", "future", "need", "response", "run", "steps")

    def __init__(self, steps: Steps[Any], need: Need, future: asyncio.Future[Any]) -> None:
        self.steps = steps
        self.need = need
        self.future = future
        self.arrived_s = time.perf_counter()
        self.run: Run | None = None
        self.response: object = None
        self.error: BaseException | None = None

    def go_on(self, error: Exception | None = None) -> bool:
        """Work up to the next run that has to be finished; tell whether there is one."""
        try:
            self.run = self.steps.throw(error) if error is not None else next(self.steps)
        except StopIteration as end:
            self.response = end.value
            return False
        except Exception as failure:
            self.error = failure
            return False
        return True

    def deliver(self) -> None:
        """Give the caller what came of it; on the event loop."""
        if self.future.done():  # the caller has gone
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.response)


class SearchQueue:
    """Threads that search, and the calls that wait for one of them.

    A call that finds a thread idle is searched for at once and alone. Where all threads are busy,
    calls gather while they wait, and the next thread that comes free takes as many of them as fit:
    batches grow with the load by themselves and cost an idle server nothing.

    Made on the event loop to which answers are delivered.

    Args:
        threads: how many.
        batching: what fits.
        admission: whether a call is taken on.
        brown_out: told how long calls waited.
        on_batch: called on a search thread with the entries of each batch, and the seconds that the
            oldest call of it waited.
    """

    def __init__(
        self,
        threads: int,
        batching: BatchingConfig,
        admission: Admission,
        brown_out: BrownOut,
        on_batch: Callable[[int, float], None] = lambda entries, waited_s: None,
    ) -> None:
        self._on_batch = on_batch
        self._batching = batching
        self._admission = admission
        self._brown_out = brown_out
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._ended: deque[_Job] = deque()
        self._is_woken = False
        self._changed = threading.Condition()
        self._idle = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"search-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def effort(self) -> Effort:
        """How much is done for a call that comes now; for the event loop to ask."""
        return self._brown_out.effort(idle=not self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether a search that comes now is refused whatever its deadline."""
        return self._admission.is_full

    async def run(self, steps: Steps[R], need: Need) -> R:
        """Carry out a call's work on a thread; where the caller goes away, it is dropped.

        Raises:
            OverloadedError: the answer would come too late; nothing was begun.
            Exception: what the steps raise.
        """
        job = _Job(steps, need, self._loop.create_future())
        with self._changed:
            self._admission.enter(need.entries, need.deadline.left_s)
            self._waiting.append(job)
            if self._idle:
                self._changed.notify()
        try:
            response: R = await job.future
        except asyncio.CancelledError:
            need.deadline.cancel()
            raise
        return response

    def close(self) -> None:
        """End the threads once what they are at is done; what still waits is dropped."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        # OpenMP counts its threads per calling thread; each of these searches with one.
        limit_native_threads(1)
        while jobs := self._take():
            entries = sum(job.need.entries for job in jobs)
            started_s = time.perf_counter()
            try:
                self._carry_out(jobs)
            except BaseException as error:
                self._fail(jobs, error)
            with self._changed:
                self._admission.end(entries, time.perf_counter() - started_s)

    def _take(self) -> list[_Job]:
        """Wait for calls, and return those that are searched for together; none at the end."""
        with self._changed:
            while not self._closed:
                self._drop_the_gone()
                if not self._waiting:
                    self._sleep(None)
                    continue
                left_s = self._wait_for_company()
                if left_s > 0:
                    self._sleep(left_s)
                    continue
                return self._next()
        return []

    def _sleep(self, seconds: float | None) -> None:
        self._idle += 1
        self._changed.wait(seconds)
        self._idle -= 1

    def _wait_for_company(self) -> float:
        """Return for how long the oldest call may still wait for others to come."""
        most_us = self._batching.max_wait_us
        if not most_us or not self._admission.running:
            return 0.0
        if sum(job.need.entries for job in self._waiting) >= self._batching.max_size:
            return 0.0
        return self._waiting[0].arrived_s + most_us / 1e6 - time.perf_counter()

    def _next(self) -> list[_Job]:
        """Take the oldest call and those behind it that fit."""
        jobs = [self._waiting.popleft()]
        entries = jobs[0].need.entries
        while self._waiting:
            need = self._waiting[0].need
            if need.state is not jobs[0].need.state:
                break
            if entries + need.entries > self._batching.max_size:
                break
            entries += need.entries
            jobs.append(self._waiting.popleft())
        self._admission.begin(entries)
        waited_s = time.perf_counter() - jobs[0].arrived_s
        self._brown_out.observe(waited_s)
        self._on_batch(entries, waited_s)
        return jobs

    def _drop_the_gone(self) -> None:
        """Leave out the oldest calls as far as nobody waits for them."""
        while self._waiting and self._waiting[0].future.cancelled():
            self._admission.leave(self._waiting.popleft().need.entries)

    def _carry_out(self, jobs: Sequence[_Job]) -> None:
        """Take calls from step to step, all of them at once."""
        active = [job for job in jobs if self._go_on(job)]
        while active:
            if len(active) == 1:
                active = [job for job in active if self._go_on(job, _finish_alone(job))]
                continue
            members = [Member(job.run, job.need.deadline) for job in active if job.run]
            ended = finish_together(members)
            active = [active[place] for place, error in ended if self._go_on(active[place], error)]

    def _go_on(self, job: _Job, error: Exception | None = None) -> bool:
        """Let a call go on, and tell whether it needs another run; deliver it if it does not."""
        if job.go_on(error):
            return True
        self._deliver(job)
        return False

    def _deliver(self, job: _Job) -> None:
        """Hand a call to the event loop, which is woken once for all that end meanwhile."""
        self._ended.append(job)
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.call_soon_threadsafe(self._deliver_ended)
            except RuntimeError:  # the loop has ended, and with it everybody who waits
                logger.debug("answers dropped: the event loop has ended")

    def _deliver_ended(self) -> None:
        self._is_woken = False  # before the first is taken: what ends from now on wakes again
        while self._ended:
            self._ended.popleft().deliver()

    def _fail(self, jobs: Sequence[_Job], error: BaseException) -> None:
        """Give all callers a bug of ours: none may wait for ever."""
        for job in jobs:
            job.error = job.error or error
            self._deliver(job)


def _finish_alone(job: _Job) -> Exception | None:
    """Finish a call's run, and return what ended it, if anything did."""
    assert job.run is not None, "bug: a call without a run goes on"
    try:
        finish(job.run, job.need.deadline)
    except Exception as error:
        return error
    return None

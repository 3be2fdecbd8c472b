"""The queue with real threads; a gate that a test holds shut keeps a thread busy."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from artifacts.errors import DeadlineError, OverloadedError
from retrieval.deadline import Deadline
from retrieval.effort import Effort
from retrieval.queries import NearItem, NeighborBatch, NeighborQuery
from server.admission import Admission
from server.brown_out import BrownOut
from server.load_config import AdmissionConfig, BatchingConfig, BrownOutConfig
from server.search_queue import Need, SearchQueue, Steps
from tests.shop import item_id

PATIENCE_S = 20


class Gate:
    """Work that keeps a thread until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._open = threading.Event()

    def steps(self) -> Steps[str]:
        yield from ()
        self.entered.set()
        assert self._open.wait(PATIENCE_S)
        return "gate"

    def open(self) -> None:
        self._open.set()


class Bench:
    """A queue of one thread, and the batches that it made."""

    def __init__(self, recommender, batching: BatchingConfig, admission: AdmissionConfig) -> None:
        self.recommender = recommender
        self.batches: list[int] = []
        self.clock_s = 0.0
        self.brown_out = BrownOut(BrownOutConfig(), lambda: self.clock_s)
        self.admission = Admission(admission, 1)
        self.queue = SearchQueue(
            1, batching, self.admission, self.brown_out, lambda size, _: self.batches.append(size)
        )
        self._gate = Gate()

    async def hold(self) -> Gate:
        """Keep the thread busy until the gate is opened."""
        self.held = asyncio.ensure_future(self.queue.run(self._gate.steps(), self.need()))
        await asyncio.to_thread(self._gate.entered.wait, PATIENCE_S)
        return self._gate

    def need(self, entries: int = 1, deadline: Deadline | None = None) -> Need:
        return Need(self.recommender.state, entries, deadline or Deadline())

    def ask(self, *rows: int, deadline: Deadline | None = None) -> asyncio.Future[list[list[int]]]:
        """Search near items, and return the rows that were found for each."""
        queries = [NeighborQuery(NearItem(item_id(row))) for row in rows]

        def steps() -> Steps[list[list[int]]]:
            begun = self.recommender.begin_neighbors(NeighborBatch(queries))
            yield from begun.waiting()
            return [[c.row for c in outcome.candidates] for outcome in begun.answer().outcomes]

        work = self.queue.run(steps(), self.need(len(rows), deadline))
        return asyncio.ensure_future(work)

    def expected(self, *rows: int) -> list[list[int]]:
        batch = NeighborBatch([NeighborQuery(NearItem(item_id(row))) for row in rows])
        outcomes = self.recommender.neighbors(batch).outcomes
        return [[c.row for c in outcome.candidates] for outcome in outcomes]


@pytest.fixture
async def bench(request, tiny_recommender) -> AsyncIterator[Bench]:
    settings = getattr(request, "param", {})
    bench = Bench(
        tiny_recommender,
        BatchingConfig(**settings.get("batching", {})),
        AdmissionConfig(**settings.get("admission", {})),
    )
    yield bench
    bench.queue.close()


async def test_call_that_finds_a_thread_idle_is_searched_for_alone(bench):
    for row in (0, 2):
        assert await bench.ask(row) == bench.expected(row)
    assert bench.batches == [1, 1]


async def test_calls_that_wait_for_a_thread_are_searched_for_together(bench):
    gate = await bench.hold()
    calls = [bench.ask(row, row + 1) for row in (2, 4, 6, 8)]
    await asyncio.sleep(0)
    gate.open()
    answers = await asyncio.wait_for(asyncio.gather(*calls), PATIENCE_S)
    assert answers == [bench.expected(row, row + 1) for row in (2, 4, 6, 8)]
    assert bench.batches == [1, 8]
    assert await bench.held == "gate"


@pytest.mark.parametrize("bench", [{"batching": {"max_size": 3}}], indirect=True)
async def test_batches_are_bounded_and_keep_the_order_of_arrival(bench):
    gate = await bench.hold()
    calls = [bench.ask(*rows) for rows in ((2,), (3, 4), (5, 6), (7, 8, 9, 10), (12,))]
    await asyncio.sleep(0)
    gate.open()
    await asyncio.wait_for(asyncio.gather(*calls), PATIENCE_S)
    assert bench.batches == [1, 3, 2, 4, 1]


async def test_caller_who_has_gone_is_never_searched_for(bench):
    gate = await bench.hold()
    gone, stays = bench.ask(2), bench.ask(3)
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    gate.open()
    assert await asyncio.wait_for(stays, PATIENCE_S) == bench.expected(3)
    assert gone.cancelled()
    assert bench.batches == [1, 1]
    assert bench.admission.waiting == 0


async def test_call_that_fails_takes_no_other_one_with_it(bench):
    def failing() -> Steps[list[list[int]]]:
        yield from ()
        raise ValueError("a bug")

    gate = await bench.hold()
    calls = [
        bench.ask(2),
        asyncio.ensure_future(bench.queue.run(failing(), bench.need())),
        bench.ask(3, deadline=Deadline(0.0, clock=lambda: 1.0)),
    ]
    await asyncio.sleep(0)
    gate.open()
    answers = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), PATIENCE_S)
    assert answers[0] == bench.expected(2)
    assert isinstance(answers[1], ValueError)
    assert isinstance(answers[2], OverloadedError | DeadlineError)


async def test_thread_outlives_what_no_call_may_raise(bench):
    def ending() -> Steps[None]:
        yield from ()
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        await bench.queue.run(ending(), bench.need())
    assert await asyncio.wait_for(bench.ask(2), PATIENCE_S) == bench.expected(2)


@pytest.mark.parametrize("bench", [{"admission": {"max_queued": 2}}], indirect=True)
async def test_full_queue_refuses_at_once(bench):
    gate = await bench.hold()
    taken = bench.ask(2, 3)
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await bench.ask(4)
    gate.open()
    assert await asyncio.wait_for(taken, PATIENCE_S) == bench.expected(2, 3)


async def test_searches_that_wait_long_lower_the_effort_of_calls_to_come(bench):
    efforts = [bench.queue.effort]
    for bench.clock_s in (0.0, 1.0):
        bench.brown_out.observe(1.0)
    efforts.append(bench.queue.effort)
    assert efforts == [Effort.FULL, Effort.FAST]


async def test_closed_queue_ends_its_threads(bench):
    bench.queue.close()
    for thread in bench.queue._threads:  # of other queues in this process nothing is known
        await asyncio.to_thread(thread.join, PATIENCE_S)
        assert not thread.is_alive()

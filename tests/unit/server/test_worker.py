import asyncio
from datetime import UTC, datetime

import pytest

from artifacts.errors import NotReadyError, OverloadedError
from server.worker import Identity, Worker, WorkerState

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
async def worker():
    return Worker(Identity(version="0.0", pid=1, started_at=NOW), max_calls=2)


async def test_calls_wait_for_a_snapshot(worker, tiny_recommender):
    with pytest.raises(NotReadyError, match="no snapshot is loaded yet"):
        worker.begin_call()
    worker.activate(tiny_recommender, now=NOW)
    assert worker.begin_call() is tiny_recommender
    assert worker.state is WorkerState.SERVING


async def test_drain_waits_for_calls_in_flight_and_refuses_new_ones(worker, tiny_recommender):
    worker.activate(tiny_recommender, now=NOW)
    worker.begin_call()
    draining = asyncio.ensure_future(worker.drain(60))
    await asyncio.sleep(0)
    assert not draining.done()
    with pytest.raises(NotReadyError, match="draining"):
        worker.begin_call()
    worker.end_call()
    assert await draining is True


async def test_call_beyond_the_limit_is_refused_until_another_one_ends(worker, tiny_recommender):
    worker.activate(tiny_recommender, now=NOW)
    worker.begin_call()
    worker.begin_call()
    with pytest.raises(OverloadedError, match="2 calls are in flight"):
        worker.begin_call()
    worker.end_call()
    assert worker.begin_call() is tiny_recommender


async def test_drain_gives_up_when_its_time_is_over(worker, tiny_recommender):
    worker.activate(tiny_recommender, now=NOW)
    worker.begin_call()
    assert await worker.drain(0) is False


async def test_drain_of_an_idle_worker_is_at_once(worker):
    assert await worker.drain(60) is True
    assert worker.state is WorkerState.DRAINING

import asyncio
import threading

import pytest

from shelfmate.client import Answers, EntryError, Recommendation, Recommendations
from shelfmate.client.batches import in_async_batches, in_batches


def answer(entries) -> Answers:
    """Answer each entry by its own id, and those with an x by an error."""
    outcomes = tuple(
        EntryError("NOT_FOUND", "no", field=f"requests[{place}].item_id")
        if "x" in entry
        else Recommendations((Recommendation(entry, 1.0, "cosine", "live"),))
        for place, entry in enumerate(entries)
    )
    return Answers(outcomes, "snapshot", "config")


ENTRIES = [f"{'x' if place % 7 == 3 else 'i'}{place}" for place in range(2_345)]


def check(outcomes: list[Recommendations | EntryError]) -> None:
    assert len(outcomes) == len(ENTRIES)
    for place, (entry, outcome) in enumerate(zip(ENTRIES, outcomes, strict=True)):
        if isinstance(outcome, EntryError):
            assert outcome.field == f"requests[{place}].item_id"
        else:
            assert outcome.item_ids == [entry]


def test_outcomes_come_in_the_order_of_their_entries():
    sizes = []

    def ask(entries):
        sizes.append(len(entries))
        return answer(entries)

    check(in_batches(ask, ENTRIES))
    assert sorted(sizes) == [345, 1_000, 1_000]


def test_calls_are_in_flight_at_once():
    together = threading.Barrier(4, timeout=20)

    def ask(entries):
        together.wait()
        return answer(entries)

    assert len(in_batches(ask, ENTRIES[:400], size=100, in_flight=4)) == 400


def test_failed_call_fails_the_whole():
    def ask(entries):
        if ENTRIES[150] in entries:
            raise ValueError("this call failed")
        return answer(entries)

    with pytest.raises(ValueError, match="this call failed"):
        in_batches(ask, ENTRIES, size=100, in_flight=2)


def test_nothing_makes_no_call():
    assert in_batches(answer, []) == []


async def test_asynchronous_calls_are_bounded_and_in_order():
    running, most = 0, 0

    async def ask(entries):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return answer(entries)

    check(await in_async_batches(ask, ENTRIES, size=100, in_flight=3))
    assert most == 3

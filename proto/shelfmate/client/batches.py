"""More entries than one call takes, in several calls at once."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from shelfmate.client.answers import Answers, EntryError, Recommendations

Entry = TypeVar("Entry")

LARGEST = 1_000
"""Entries of a call at most."""
IN_FLIGHT = 8
"""Calls at once."""

PLACE = re.compile(r"^requests\[(\d+)\]")


def in_batches(
    ask: Callable[[Sequence[Entry]], Answers],
    entries: Sequence[Entry],
    *,
    size: int = LARGEST,
    in_flight: int = IN_FLIGHT,
) -> list[Recommendations | EntryError]:
    """Return the outcomes of all entries, in their order.

    Args:
        ask: asks for some entries, such as `client.similar`; called by several threads.
        entries: as many as you like.
        size: entries of a call.
        in_flight: calls at once.

    Raises:
        CallError: a call failed as a whole; calls that were not begun are not made.
    """
    with ThreadPoolExecutor(in_flight) as pool:
        calls = [pool.submit(ask, part) for part in _parts(entries, size)]
        try:
            return _joined((call.result() for call in calls), size)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


async def in_async_batches(
    ask: Callable[[Sequence[Entry]], Awaitable[Answers]],
    entries: Sequence[Entry],
    *,
    size: int = LARGEST,
    in_flight: int = IN_FLIGHT,
) -> list[Recommendations | EntryError]:
    """Do what `in_batches` does, with an asynchronous client."""
    turns = asyncio.Semaphore(in_flight)

    async def asked(part: Sequence[Entry]) -> Answers:
        async with turns:
            return await ask(part)

    calls = [asyncio.ensure_future(asked(part)) for part in _parts(entries, size)]
    try:
        return _joined(await asyncio.gather(*calls), size)
    finally:
        for call in calls:
            call.cancel()


def _parts(entries: Sequence[Entry], size: int) -> list[Sequence[Entry]]:
    return [entries[start : start + size] for start in range(0, len(entries), size)]


def _joined(answers: Iterable[Answers], size: int) -> list[Recommendations | EntryError]:
    return [
        _moved(outcome, number * size)
        for number, answer in enumerate(answers)
        for outcome in answer.outcomes
    ]


def _moved(outcome: Recommendations | EntryError, by: int) -> Recommendations | EntryError:
    """Return an outcome whose error names its entry by its place among all of them."""
    if not isinstance(outcome, EntryError):
        return outcome
    field = PLACE.sub(lambda found: f"requests[{int(found[1]) + by}]", outcome.field)
    return replace(outcome, field=field)

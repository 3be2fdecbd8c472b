"""Calls that leave when they are due, whether or not earlier ones have come back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def open_loop(
    ask: Callable[[], Awaitable[T]], *, rate: float, count: int
) -> list[T | BaseException]:
    """Make calls at a steady rate, and return how each ended once all have.

    Args:
        ask: makes one call.
        rate: calls a second.
        count: calls.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    calls: list[asyncio.Future[T]] = []
    all_left = loop.create_future()

    def leave() -> None:
        calls.append(asyncio.ensure_future(ask()))
        if len(calls) == count:
            all_left.set_result(None)
        else:
            loop.call_at(started + len(calls) / rate, leave)

    leave()
    await all_left
    return await asyncio.gather(*calls, return_exceptions=True)

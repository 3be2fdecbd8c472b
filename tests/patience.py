"""Waiting for what others bring about."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""A bound for a test that fails, never a time that is expected."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask until it is so; what is asked goes to another process, which sets the pace."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not come to that"


async def until(condition: Callable[[], bool]) -> None:
    """Ask until it is so, whenever the loop has done what else there is to do."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)

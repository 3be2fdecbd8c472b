"""Waiting for what other processes bring about."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""A bound for a test that fails, never a time that is expected."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask until it is so; what is asked goes to another process, which sets the pace."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not come to that"

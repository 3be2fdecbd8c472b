"""Something that is done to a server while calls are made."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.calls import Calls, Window


def disturbed(
    load: Callable[[], Calls], act: Callable[[int], None], at_s: Sequence[float]
) -> tuple[Calls, list[Window]]:
    """Run a load and do something meanwhile, again and again.

    Args:
        load: makes the calls; runs in this thread.
        act: does it, told how often it was done before; runs in a thread of its own, and what it
            raises is raised here once the load has ended.
        at_s: seconds after which it is done each time, or later if the last time is not over. What is
            not begun when the load ends is left out.

    Returns:
        The calls, and when it was done.
    """
    ended = threading.Event()
    begun = time.perf_counter()

    def go_on() -> list[Window]:
        windows = []
        for number, at in enumerate(at_s):
            if ended.wait(max(begun + at - time.perf_counter(), 0)):
                break
            start = time.perf_counter()
            act(number)
            windows.append(Window(start, time.perf_counter()))
        return windows

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(go_on)
        try:
            calls = load()
        finally:
            ended.set()
        return calls, acting.result()

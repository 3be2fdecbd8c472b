"""Blocks computed by threads of this process."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from indexer.native_threads import limit_native_threads
from indexer.precompute.engine import BlockTask


@dataclass(frozen=True, slots=True)
class OnThreads:
    """Computes a block on each of `threads` threads; searching and filtering release the GIL."""

    threads: int

    def run(self, tasks: Sequence[BlockTask]) -> Iterator[int]:
        """Compute all blocks; memory for one block a thread, however many there are."""
        left = iter(tasks)
        with ThreadPoolExecutor(
            self.threads, initializer=limit_native_threads, initargs=(1,)
        ) as pool:

            def started(count: int) -> set[Future[int]]:
                return {pool.submit(_compute, task) for task in islice(left, count)}

            running = started(2 * self.threads)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                running |= started(len(done))


def _compute(task: BlockTask) -> int:
    return task.work.compute(task.search, task.number)

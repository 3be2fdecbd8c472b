"""A library in the process of whoever uses it: calls are due, and are made one after the other."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.compare.engines import ENGINES, reported
from benchmarks.compare.task import FloatMatrix, Task, lightest, recall

GIVE_UP_S = 1.0
"""Whoever lags so far behind has more to do than time."""


def latencies_of(
    search: Callable[[FloatMatrix], object],
    blocks: Sequence[FloatMatrix],
    due: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Make the calls when they are due, or as soon as those before are done.

    Returns:
        (calls,) seconds from when each was due to its answer; NaN for those that were given up.
    """
    latencies = np.full(len(due), np.nan)
    start = time.perf_counter()
    for number, at in enumerate(due.tolist()):
        while time.perf_counter() - start < at:
            pass
        search(blocks[number % len(blocks)])
        latencies[number] = time.perf_counter() - start - at
        if latencies[number] > GIVE_UP_S:
            break
    return latencies


def main() -> None:
    """Build, tune, and answer to the loads that come through the pipe."""
    task = Task.read()
    begun = time.perf_counter()
    with reported(task):
        engine = ENGINES[task.engine](task.base, task.options)
    built_s = time.perf_counter() - begun

    def recall_of(knob: int) -> float:
        engine.tune(knob)
        return recall(engine.search(task.tuning, task.k), task.tuning_truth)

    knob, _ = lightest(engine.knobs, recall_of, task.recall)
    engine.tune(knob)
    reached = recall(engine.search(task.asked, task.k), task.asked_truth)
    blocks = {batch: task.blocks(batch) for batch in task.batches}
    task.ready(build_s=built_s, knob=knob, recall=reached, versions=engine.versions)
    try:
        while True:
            batch, due = task.channel.recv()
            answer = latencies_of(
                lambda block: engine.search(block, task.k), blocks[batch], np.frombuffer(due)
            )
            task.channel.send(answer.tobytes())
    except EOFError:
        return


if __name__ == "__main__":
    main()

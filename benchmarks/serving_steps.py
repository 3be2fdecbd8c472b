"""Where the microseconds of a precomputed answer go, step by step, in one process.

python -m benchmarks.serving_steps --config configs/complete-journey.toml
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from prometheus_client import CollectorRegistry

from benchmarks.echo_server import EchoService
from benchmarks.machine import describe_machine
from benchmarks.results import Result, append_result
from benchmarks.serving_requests import Asked
from cli.shop import Workspace, load_shop
from retrieval.begun import Begun
from retrieval.effort import Effort
from retrieval.recommender import Recommender
from retrieval.state import load_state
from server.convert import Report, answer_bytes, similar_batch
from server.limits import within
from server.observation.call_record import CallRecord
from server.observation.metrics import Metrics
from server.security.config import LimitsConfig
from shelfmate.v1 import recommender_pb2 as pb

SUITE = "serving_steps"
CALLS = 2_000
PASSES = 15


class Step(NamedTuple):
    """A part of a call."""

    name: str
    run: Callable[[int], object]
    """Does it for the call of that number."""


class Steps:
    """The parts of a call, each with what the part before it gives.

    Args:
        recommender: answers.
        asked: what is asked.
    """

    def __init__(self, recommender: Recommender, asked: Asked) -> None:
        self._recommender = recommender
        self._messages = [bytes(message) for message in asked.precomputed().messages]
        self._requests = [pb.RecommendSimilarRequest.FromString(raw) for raw in self._messages]
        self._limits = LimitsConfig()
        self._batches = [similar_batch(request) for request in self._requests]
        self._begun = [self._begin(number) for number in range(len(self._batches))]
        self._answers = [begun.answer() for begun in self._begun]
        self._metrics = Metrics(CollectorRegistry(), lambda flush: None)
        echo: Any = EchoService  # has three methods of six
        self._echo = echo(1)

    def each(self) -> Sequence[Step]:
        """Return the steps of a call in their order, then what the echo does in their place."""
        return (
            Step(
                "parse the message", lambda n: pb.RecommendSimilarRequest.FromString(self._raw(n))
            ),
            Step("read the request", lambda n: similar_batch(self._requests[self._at(n)])),
            Step("check limits", lambda n: within(self._limits, self._batches[self._at(n)])),
            Step("look up", lambda n: self._begin(self._at(n))),
            Step("gather the answer", lambda n: self._begun[self._at(n)].answer()),
            Step("count what is in it", lambda n: CallRecord().note(self._answers[self._at(n)])),
            Step("write the response", lambda n: self._write(self._at(n))),
            Step("count the call", self._count),
            Step("echo: write the response", lambda n: self._echoed()),
            Step("nothing", lambda n: self._at(n)),
        )

    def _at(self, number: int) -> int:
        return number % len(self._messages)

    def _raw(self, number: int) -> bytes:
        return self._messages[self._at(number)]

    def _begin(self, place: int) -> Begun:
        return self._recommender.begin_similar(self._batches[place].batch, Effort.FULL)

    def _write(self, place: int) -> bytes:
        return answer_bytes(self._answers[place], {}, Report(self._recommender.state, False, {}))

    def _count(self, number: int) -> None:
        record = CallRecord()
        record.note(self._answers[self._at(number)])
        record.spent("lookup", 0)
        self._metrics.begun()
        self._metrics.ended("RecommendSimilar", "OK", 0.001, record)

    def _echoed(self) -> bytes:
        response: pb.RecommendSimilarResponse = self._echo.filled(pb.RecommendSimilarResponse())
        return response.SerializeToString()


def measure(step: Step) -> list[float]:
    """Return the microseconds of a step, one mean a pass."""
    times = []
    for _ in range(PASSES + 1):
        begun = time.perf_counter()
        for number in range(CALLS):
            step.run(number)
        times.append(1e6 * (time.perf_counter() - begun) / CALLS)
    return times[1:]


def main(
    config: Annotated[Path, typer.Option(help="Shop file; its current snapshot is asked.")],
    results: Annotated[Path, typer.Option(help="File of JSON lines to append to.")] = Path(
        "benchmarks/results/serving.jsonl"
    ),
) -> None:
    """Measure the steps of a precomputed answer; takes some seconds."""
    os.sched_setaffinity(0, {0})
    shop = load_shop(config)
    state = load_state(Workspace(shop.work_dir).snapshots.current(hint="shelfmate publish"))
    recommender = Recommender(state, shop.retrieval)
    for step in Steps(recommender, Asked(recommender)).each():
        times = measure(step)
        median, low, high = np.median(times), min(times), max(times)
        typer.echo(f"{step.name:26} {median:7.2f} us ({low:.2f} to {high:.2f})")
        result = Result(
            suite=SUITE,
            name=step.name,
            measured_at=datetime.now(UTC),
            machine=describe_machine(),
            data=state.snapshot.id,
            config={"calls": CALLS, "passes": PASSES},
            metrics={"median_us": float(median), "low_us": low, "high_us": high},
        )
        append_result(results, result)


if __name__ == "__main__":
    typer.run(main)

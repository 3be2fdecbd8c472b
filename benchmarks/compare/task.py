"""What a peer is asked to do, seen from the process that the peer runs in.

Peers may live in an environment that has nothing of ours, so this and the modules that import it need
the standard library and NumPy alone.
"""

import json
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatMatrix = NDArray[np.float32]
IntMatrix = NDArray[np.int64]
Knob = TypeVar("Knob")

ARRAYS = ("base", "tuning", "tuning_truth", "asked", "asked_truth")


@dataclass(frozen=True, slots=True)
class Task:
    """Vectors, queries, and how well they are to be answered.

    Attributes:
        channel: to the benchmark.
        folder: for files of the peer.
        engine: which engine, where the module knows several.
        options: of the peer.
        k: neighbours.
        recall: to be reached.
        batches: queries of a call, each of which is measured.
        base: (n, d) unit rows to be searched.
        tuning: (t, d) unit rows that settings are chosen by.
        tuning_truth: (t, k) rows of the exact answers.
        asked: (q, d) unit rows that the load is made of.
        asked_truth: (q, k) rows of the exact answers.
    """

    channel: Connection
    folder: Path
    engine: str
    options: dict[str, Any]
    k: int
    recall: float
    batches: list[int]
    base: FloatMatrix
    tuning: FloatMatrix
    tuning_truth: IntMatrix
    asked: FloatMatrix
    asked_truth: IntMatrix

    @classmethod
    def read(cls) -> "Task":
        """Read the arguments of this process: the number of an open pipe, and a JSON file."""
        channel, path = Connection(int(sys.argv[1])), Path(sys.argv[2])
        settings = json.loads(path.read_text("utf-8"))
        exam = Path(settings.pop("exam"))
        arrays = {name: np.load(exam / f"{name}.npy") for name in ARRAYS}
        return cls(channel=channel, folder=path.parent, **settings, **arrays)

    def blocks(self, batch: int) -> list[FloatMatrix]:
        """Return the queries of the load, so many a call; what is left over is not asked."""
        whole = len(self.asked) - len(self.asked) % batch
        return [self.asked[start : start + batch] for start in range(0, whole, batch)]

    def ready(self, **facts: Any) -> None:
        """Tell the benchmark that it may begin, and what it is about to measure."""
        self.channel.send(facts)

    def absent(self, reason: str) -> None:
        """Tell the benchmark that there is no such peer here."""
        self.channel.send({"absent": reason})

    def wait_for_end(self) -> None:
        """Return when the benchmark has no more use for this process, or is gone."""
        try:
            self.channel.recv()
        except EOFError:
            return

    def in_thread(self, work: Callable[[], None]) -> None:
        """Do something beside a server that has the main thread."""
        threading.Thread(target=work, daemon=True).start()


def recall(found: IntMatrix, truth: IntMatrix) -> float:
    """Return the share of the true neighbours that was found."""
    return float((found[:, :, np.newaxis] == truth[:, np.newaxis, :]).any(axis=1).mean())


def lightest(
    knobs: Sequence[Knob], recall_of: Callable[[Knob], float], wanted: float
) -> tuple[Knob, float]:
    """Return the first knob whose recall is enough, and that recall; the last where none is.

    Args:
        knobs: by rising effort, and so by rising recall.
        recall_of: measures one.
        wanted: recall.

    Cost: measures about log2 of the knobs.
    """
    low, high = 0, len(knobs) - 1
    reached = recall_of(knobs[high])
    while low < high:
        middle = (low + high) // 2
        found = recall_of(knobs[middle])
        if found >= wanted:
            high, reached = middle, found
        else:
            low = middle + 1
    return knobs[high], reached


def rising(first: int, last: int, step: float = 1.12) -> list[int]:
    """Return whole numbers from first to last, each about `step` times the one before."""
    numbers = [first]
    while numbers[-1] < last:
        numbers.append(min(max(int(numbers[-1] * step), numbers[-1] + 1), last))
    return numbers


def releases(*packages: str) -> dict[str, str]:
    """Return the releases of packages that are installed here."""
    return {package: version(package) for package in packages}

"""What became of the calls of a load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import grpc
import numpy as np
from numpy.typing import NDArray

from benchmarks.arrivals import Times


class End(IntEnum):
    """How a call ended: the number of its gRPC status, of which these are told apart."""

    ANSWERED = 0  # OK
    REFUSED = 8  # RESOURCE_EXHAUSTED: the server has too much to do
    LOST = -1  # without a status: its time was over, or its stream was reset


CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode} | {End.LOST.value: "LOST"}


class Window(NamedTuple):
    """A stretch of time, by `time.perf_counter`."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Calls:
    """Every call of a load, in the order in which they were due.

    Attributes:
        start: when the load began, by `time.perf_counter`.
        due_s: (n,) seconds from the start.
        late_s: (n,) how long after that a call left; NaN where it never did.
        took_s: (n,) from when a call was due until it ended; NaN where it did not.
        codes: (n,) numbers of gRPC statuses, as in `End`.
    """

    start: float
    due_s: Times
    late_s: Times
    took_s: Times
    codes: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.due_s)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(n,) which calls were answered, in time or not."""
        answered: NDArray[np.bool_] = self.codes == End.ANSWERED
        return answered

    @property
    def failed(self) -> int:
        """Calls that were not answered."""
        return len(self) - int(self.answered.sum())

    def late_p99_s(self) -> float:
        """Return the 99th percentile of how late calls left; NaN where one never did."""
        return float(np.percentile(self.late_s, 99)) if len(self) else float("nan")

    def percentile_s(self, share: float) -> float:
        """Return a percentile of the answered calls' latencies; NaN where none was."""
        took = self.took_s[self.answered]
        return float(np.percentile(took, share)) if len(took) else float("nan")

    def counts(self) -> dict[str, int]:
        """Return how many calls ended with each status, the most frequent first."""
        codes, counts = np.unique(self.codes, return_counts=True)
        pairs = sorted(zip(counts.tolist(), codes.tolist(), strict=True), reverse=True)
        return {CODE_NAMES[code]: count for count, code in pairs}

    def due_within(self, windows: Sequence[Window]) -> "Calls":
        """Return the calls that were due in any of the windows."""
        at = self.start + self.due_s
        chosen = np.zeros(len(self), dtype=np.bool_)
        for window in windows:
            chosen |= (at >= window.begin) & (at < window.end)
        return Calls(
            self.start,
            self.due_s[chosen],
            self.late_s[chosen],
            self.took_s[chosen],
            self.codes[chosen],
        )


class CallLog:
    """Takes notes while calls are made; both ends of an open loop write into it.

    Args:
        due_s: (n,) when calls are due.

    Attributes:
        times: the same, as plain numbers.
    """

    def __init__(self, due_s: Times) -> None:
        self._due_s = due_s
        self.times: list[float] = due_s.tolist()
        self._sent = np.full(len(due_s), np.nan)
        self._ended = np.full(len(due_s), np.nan)
        self._codes = np.full(len(due_s), End.LOST, dtype=np.int16)

    def sent(self, number: int, now: float) -> None:
        """Note that a call leaves."""
        self._sent[number] = now

    def ended(self, number: int, code: int, now: float) -> None:
        """Note how a call ended."""
        self._ended[number] = now
        self._codes[number] = code

    def calls(self, start: float) -> Calls:
        """Return what was noted.

        Args:
            start: when the load began.
        """
        at = start + self._due_s
        return Calls(start, self._due_s, self._sent - at, self._ended - at, self._codes)


def ended(counts: Mapping[str, int]) -> str:
    """Return how many calls ended how, as a phrase."""
    return ", ".join(f"{count:,} {code}" for code, count in counts.items())

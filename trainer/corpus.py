"""Write sessions as the text file that gensim trains from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.errors import DataError
from trainer.config import LONGEST_LINE
from trainer.weighted_lists import WEIGHTS, has_weights, smallest_weight

BATCH_SESSIONS = 65_536

MOST_REPEATS = 16
"""How often a session is written for the sake of its heaviest events, at most."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus file and what is counted while it is written.

    Attributes:
        path: one session a line, its tokens parted by spaces. A token is a vocabulary row as a
            decimal number, so no id needs escaping.
        counts: (v,) int64 occurrences of each vocabulary row.
        events: (v,) int64, likewise, without what is written again for its weight.
        sessions: lines; a session of weighted events is several.
    """

    path: Path
    counts: NDArray[np.int64]
    events: NDArray[np.int64]
    sessions: int

    @property
    def tokens(self) -> int:
        """All occurrences."""
        return int(self.counts.sum())


def write_corpus(
    sessions: Path, path: Path, *, items: int, repeat_by_weight: bool = True
) -> Corpus:
    """Write the `items` lists of a Parquet file of sessions as text.

    gensim knows no weight of a pair, so a session whose events weigh differently is written several
    times: once whole, and once more for every further unit of weight, with those events alone that
    reach it. So two events stand together as often as the lighter of them weighs, in units of the
    smallest weight, rounded.

    Args:
        sessions: file as `Prepared` describes it.
        path: the text file; a new or an old one.
        items: v, the length of the vocabulary.
        repeat_by_weight: False passes over the weights.

    Raises:
        DataError: a session is longer than a line may be, which gensim would cut in silence; or a
            weight is more than `MOST_REPEATS` times another.

    Cost: two passes where there are weights, else one; memory of a batch and of v counts.
    """
    counts, events = np.zeros(items, dtype=np.int64), np.zeros(items, dtype=np.int64)
    lines = 0
    unit = smallest_weight(sessions) if repeat_by_weight and has_weights(sessions) else None
    with path.open("wb") as file:
        for lists, first in _lines(sessions, unit):
            _check_lengths(lists, sessions)
            occurrences = np.bincount(lists.flatten().to_numpy(), minlength=items)
            counts += occurrences
            events += occurrences * first
            lines += len(lists)
            file.write(_text(lists))
    return Corpus(path, counts, events, lines)


def _lines(sessions: Path, unit: float | None) -> Iterator[tuple[pa.ListArray, bool]]:
    """Give lines in batches, and whether they are the sessions themselves or their repeats."""
    columns = ["items"] if unit is None else ["items", WEIGHTS]
    with pq.ParquetFile(sessions) as file:
        for batch in file.iter_batches(batch_size=BATCH_SESSIONS, columns=columns):
            yield batch.column("items"), True
            if unit is not None:
                yield from ((lists, False) for lists in _repeats(batch, unit, sessions))


def _repeats(batch: pa.RecordBatch, unit: float, sessions: Path) -> Iterator[pa.ListArray]:
    lists = batch.column("items")
    values = lists.flatten().to_numpy()
    times = np.rint(batch.column(WEIGHTS).flatten().to_numpy() / unit).astype(np.int64)
    most = int(times.max(initial=1))
    if most > MOST_REPEATS:
        raise DataError(
            f"{sessions}: expected weights at most {MOST_REPEATS} times the smallest, got one of "
            f"{most} times; bring the weights under [prepare.kinds] nearer together, or learn by "
            "[train.cf.softmax], which takes any"
        )
    session = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy())
    for time in range(2, most + 1):
        heavy = times >= time
        lengths = np.bincount(session[heavy], minlength=len(lists))
        heavy &= lengths[session] > 1  # an item alone has no neighbour
        yield _as_lists(np.where(lengths > 1, lengths, 0), values[heavy])


def _as_lists(lengths: NDArray[np.int64], values: NDArray[np.int32]) -> pa.ListArray:
    """Return lists of the given lengths, but for empty ones."""
    offsets = np.cumsum(np.concatenate([[0], lengths[lengths > 0]])).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, type=pa.int32()))


def _check_lengths(lists: pa.ListArray, sessions: Path) -> None:
    longest = pc.max(pc.list_value_length(lists)).as_py()
    if longest is not None and longest > LONGEST_LINE:
        raise DataError(
            f"{sessions}: expected sessions of at most {LONGEST_LINE} items, got one of {longest}"
        )


def _text(lists: pa.ListArray) -> bytes:
    lines = pc.binary_join(pc.cast(lists, pa.list_(pa.string())), " ")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()

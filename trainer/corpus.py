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

BATCH_SESSIONS = 65_536


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus file and what is counted while it is written.

    Attributes:
        path: one session a line, its tokens parted by spaces. A token is a vocabulary row as a
            decimal number, so no id needs escaping.
        counts: (v,) int64 occurrences of each vocabulary row.
        sessions: lines.
    """

    path: Path
    counts: NDArray[np.int64]
    sessions: int

    @property
    def tokens(self) -> int:
        """All occurrences."""
        return int(self.counts.sum())


def write_corpus(sessions: Path, path: Path, *, items: int) -> Corpus:
    """Write the `items` lists of a Parquet file of sessions as text.

    Args:
        sessions: file as `Prepared` describes it.
        path: the text file; a new or an old one.
        items: v, the length of the vocabulary.

    Raises:
        DataError: a session is longer than a line may be; gensim would cut it in silence.

    Cost: one pass, memory of one batch of sessions and of v counts.
    """
    counts = np.zeros(items, dtype=np.int64)
    lines = 0
    with path.open("wb") as file:
        for lists in _batches(sessions):
            _check_lengths(lists, sessions)
            counts += np.bincount(lists.flatten().to_numpy(), minlength=items)
            lines += len(lists)
            file.write(_text(lists))
    return Corpus(path, counts, lines)


def _batches(sessions: Path) -> Iterator[pa.ListArray]:
    with pq.ParquetFile(sessions) as file:
        for batch in file.iter_batches(batch_size=BATCH_SESSIONS, columns=["items"]):
            yield batch.column("items")


def _check_lengths(lists: pa.ListArray, sessions: Path) -> None:
    longest = pc.max(pc.list_value_length(lists)).as_py()
    if longest is not None and longest > LONGEST_LINE:
        raise DataError(
            f"{sessions}: expected sessions of at most {LONGEST_LINE} items, got one of {longest}"
        )


def _text(lists: pa.ListArray) -> bytes:
    lines = pc.binary_join(pc.cast(lists, pa.list_(pa.string())), " ")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()

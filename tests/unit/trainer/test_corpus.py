from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import DataError
from trainer.corpus import write_corpus

LISTS = [[3, 0, 3], [2], [], [10, 2]]


def sessions(path: Path, lists: list[list[int]]) -> Path:
    pq.write_table(pa.table({"items": pa.array(lists, pa.list_(pa.int32()))}), path)
    return path


def test_a_session_is_a_line_of_rows(tmp_path):
    corpus = write_corpus(sessions(tmp_path / "s.parquet", LISTS), tmp_path / "c.txt", items=11)
    assert corpus.path.read_text() == "3 0 3\n2\n\n10 2\n"
    assert corpus.sessions == 4


def test_counts_are_occurrences(tmp_path):
    corpus = write_corpus(sessions(tmp_path / "s.parquet", LISTS), tmp_path / "c.txt", items=11)
    flat = [row for items in LISTS for row in items]
    np.testing.assert_array_equal(corpus.counts, np.bincount(flat, minlength=11))
    assert corpus.tokens == len(flat)


def test_no_session_is_an_empty_file(tmp_path):
    corpus = write_corpus(sessions(tmp_path / "s.parquet", []), tmp_path / "c.txt", items=3)
    assert (corpus.sessions, corpus.tokens) == (0, 0)
    assert corpus.path.read_bytes() == b""


def test_line_that_gensim_would_cut_is_refused(tmp_path):
    long = sessions(tmp_path / "s.parquet", [[0] * 10_001])
    with pytest.raises(DataError, match="at most 10000 items, got one of 10001"):
        write_corpus(long, tmp_path / "c.txt", items=1)
    longest = sessions(tmp_path / "s.parquet", [[0] * 10_000])
    assert write_corpus(longest, tmp_path / "c.txt", items=1).tokens == 10_000

import numpy as np
import pytest

from artifacts.errors import ArtifactError, DataError
from artifacts.metadata import ITEMS_NAME, MetadataTable, write_metadata

TOKENS = [("brand", "Ox"), ("category:1", "Tea = hot"), ("brand", "Ant")]
ITEMS = np.array([4, 2, 1], dtype=np.int32)


def matrix(seed: int, rows: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 5)).astype(np.float32)


def test_tokens_are_opened_as_they_were_written(tmp_path):
    vectors, outputs = matrix(0), matrix(1)
    write_metadata(tmp_path / "m", TOKENS, items=ITEMS, vectors=vectors, outputs=outputs)
    table = MetadataTable.open(tmp_path / "m")
    assert len(table) == 3
    assert [(table.columns[row], table.values[row]) for row in range(3)] == TOKENS
    assert table.tokens.row("category:1=Tea = hot") == 1
    np.testing.assert_array_equal(table.items, ITEMS)
    np.testing.assert_array_equal(table.vectors, vectors)
    np.testing.assert_array_equal(table.outputs, outputs)


def test_arrays_of_another_length_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"one length, got \[2, 3\]"):
        write_metadata(tmp_path, TOKENS, items=ITEMS, vectors=matrix(0, 2), outputs=matrix(1))


def test_vectors_that_are_no_numbers_are_refused(tmp_path):
    wrong = matrix(0)
    wrong[1, 1] = np.nan
    with pytest.raises(DataError, match="metadata, vectors: expected finite numbers"):
        write_metadata(tmp_path, TOKENS, items=ITEMS, vectors=wrong, outputs=matrix(1))


def test_files_that_disagree_or_are_missing_are_errors(tmp_path):
    write_metadata(tmp_path, TOKENS, items=ITEMS, vectors=matrix(0), outputs=matrix(1))
    np.save(tmp_path / ITEMS_NAME, ITEMS[:2])
    with pytest.raises(ArtifactError, match=r"differ in length: \[2, 3\]"):
        MetadataTable.open(tmp_path)
    (tmp_path / ITEMS_NAME).unlink()
    with pytest.raises(ArtifactError, match="cannot be mapped"):
        MetadataTable.open(tmp_path)
